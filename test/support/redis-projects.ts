// Small projects that want Redis, as their authors have them: one reads REDIS_URL and
// names a host in its code too, the other names the hosts of a compose file in its settings.
import { TINY_DJANGO } from './tiny-projects.ts';
import type { Files } from './standing-site.ts';

export const COUNTER: Files = {
  'requirements.txt': 'flask==3.1.0\nredis==5.2.1\n',
  'app.py': `import os

import redis
from flask import Flask

app = Flask(__name__)
store = redis.from_url(os.environ["REDIS_URL"])


@app.get("/")
def index():
    return "good"


@app.get("/visit")
def visit():
    return "visit %d" % store.incr("visits")


@app.get("/code")
def code():
    return "visits: " + redis.Redis(host="redis", decode_responses=True).get("visits")


@app.get("/fill")
def fill():
    try:
        for n in range(1000):
            store.set("filler:%d" % n, b"x" * 1000000)
    except redis.exceptions.ResponseError as error:
        return str(error)
    finally:
        for key in store.scan_iter("filler:*"):
            store.delete(key)
    return "endless"
`,
};

const SETTINGS = TINY_DJANGO['site_one/settings.py'] ?? '';

/** A POST gives a task to the worker; the row that it writes is counted by a GET. */
export const DIGEST: Files = {
  ...TINY_DJANGO,
  'requirements.txt': 'django==5.2\ncelery[redis]==5.5.3\n',
  Procfile: 'worker: celery -A site_one worker --concurrency 1 --loglevel info\n',
  'site_one/__init__.py': 'from .celery import app as celery_app\n',
  'site_one/celery.py': `import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_one.settings")
app = Celery("site_one")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
`,
  'site_one/settings.py': `${SETTINGS}
CELERY_BROKER_URL = "redis://redis:6379/2"
CELERY_RESULT_BACKEND = "redis://localhost:6379/3"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://redis:6379/1",
    }
}
`,
  'notes/tasks.py': `from celery import shared_task

from notes.models import Note


@shared_task
def write_note(text):
    return Note.objects.create(text=text).pk
`,
  'site_one/urls.py': `from django.core.cache import cache
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from notes.models import Note
from notes.tasks import write_note


@csrf_exempt
def index(request):
    if request.method == "POST":
        task = write_note.delay(request.body.decode())
        return HttpResponse("note %d" % task.get(timeout=30), status=201)
    cache.get_or_set("visits", 0, None)
    texts = ", ".join(Note.objects.values_list("text", flat=True))
    return HttpResponse("visit %d: %s" % (cache.incr("visits"), texts))


urlpatterns = [path("", index)]
`,
};
