// The smallest projects that are worth a deploy. Their requirements are the same everywhere, so that
// one dependency layer serves all of them.
import type { Files } from './standing-site.ts';

export const FLASK_REQUIREMENTS = 'flask==3.1.0\ngunicorn==23.0.0\n';

export const TINY_FLASK: Files = {
  'requirements.txt': FLASK_REQUIREMENTS,
  'app.py': `from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "good"
`,
};

export const TINY_DJANGO: Files = {
  'requirements.txt': 'django==5.2\n',
  'manage.py': `import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_one.settings")

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
`,
  'site_one/__init__.py': '',
  'site_one/wsgi.py': `import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_one.settings")
application = get_wsgi_application()
`,
  'site_one/settings.py': `SECRET_KEY = "django-insecure-tiny"
DEBUG = True
ALLOWED_HOSTS = []
INSTALLED_APPS = ["django.contrib.contenttypes", "notes"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "site_one.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
`,
  'site_one/urls.py': `from django.http import HttpResponse
from django.urls import path

from notes.models import Note


def index(request):
    return HttpResponse("notes: %d" % Note.objects.count())


urlpatterns = [path("", index)]
`,
  'notes/__init__.py': '',
  'notes/models.py': `from django.db import models


class Note(models.Model):
    text = models.TextField()
`,
  'notes/migrations/__init__.py': '',
  'notes/migrations/0001_initial.py': `from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Note",
            fields=[
                ("id", models.BigAutoField(primary_key=True, auto_created=True, verbose_name="ID")),
                ("text", models.TextField()),
            ],
        ),
    ]
`,
};
