// Fresh projects of each kind, with no configuration file in any of them, from folder to a site that
// answers on its own hostname.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FreshSite } from '../support/fresh-site.ts';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import { Workshop } from '../support/projects.ts';

let t: TestInstallation;
let workshop: Workshop;
beforeAll(async () => {
  t = await sharedInstallation();
  workshop = await Workshop.open();
});
afterAll(async () => {
  for (const { name } of await t.client.listApps()) {
    if (name.startsWith('fresh-')) await t.mustTandem(['destroy', '-a', name, '--confirm', name]);
  }
  await workshop.close();
});

const site = (app: string): FreshSite => new FreshSite(t, app);

describe('a fresh django-admin startproject with an app', () => {
  const app = 'fresh-django';
  let source: string;

  beforeAll(async () => {
    const django = ['django~=5.2.0'];
    await workshop.run(app, django, ['django-admin', 'startproject', 'mysite', '.']);
    await workshop.run(app, django, ['python', 'manage.py', 'startapp', 'notes']);
    source = await workshop.write(app, NOTES);
    const settings = join(source, 'mysite/settings.py');
    const text = await readFile(settings, 'utf8');
    await writeFile(
      settings,
      text.replace('INSTALLED_APPS = [', "INSTALLED_APPS = [\n    'notes',"),
    );
    await workshop.run(app, django, ['python', 'manage.py', 'makemigrations', 'notes']);
  });

  it('goes live, and a change of code does no dependency work', async () => {
    await site(app).deployTwice(source, { path: '/', text: /0 notes/, file: 'mysite/urls.py' });
  });

  it('keeps its rows in PostgreSQL', async () => {
    expect(await site(app).vendor()).toBe('postgresql');
    const posted = await t.request(app, '/', { method: 'POST', body: 'remember the milk' });
    expect(posted.status).toBe(201);
    expect((await t.get(app)).body).toBe('1 notes: remember the milk');
    const count = 'from notes.models import Note; print(Note.objects.count())';
    const command = ['python', 'manage.py', 'shell', '-v', '0', '-c', count];
    const counted = await t.mustTandem(['run', '-a', app, '--', ...command]);
    expect(counted.stdout.trim()).toBe('1');
  });

  it('has its admin, with static files from the static server', async () => {
    expect((await t.get(app, '/admin/')).status).toBe(302);
    const login = await t.get(app, '/admin/login/');
    expect(login.status).toBe(200);
    const stylesheet = /href="(\/static\/admin\/css\/base[^"]*\.css)"/.exec(login.body)?.[1] ?? '';
    const answer = await t.get(app, stylesheet);
    expect(answer.status).toBe(200);
    expect(answer.headers['content-type']).toContain('text/css');
    await site(app).expectLog(['-p', 'router', '--grep', stylesheet], 'static');
    await site(app).createSuperuser();
    const visitor = await site(app).signIn('/admin/login/');
    expect((await visitor.get('/admin/')).body).toContain('Site administration');
  });
});

describe('without Django', () => {
  it('Flask', async () => {
    const source = await workshop.write('fresh-flask', {
      'requirements.txt': 'flask\n',
      'app.py':
        'from flask import Flask, request\napp = Flask(__name__)\n@app.get("/hello")\n' +
        'def hello():\n    return "flask on " + request.host\n',
    });
    const text = new RegExp(`^flask on ${t.hostname('fresh-flask')}:${t.port}$`);
    await site('fresh-flask').deployTwice(source, { path: '/hello', text, file: 'app.py' });
  });

  it('FastAPI', async () => {
    const source = await workshop.write('fresh-fastapi', {
      'requirements.txt': 'fastapi\n',
      'main.py':
        'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/items/{item}")\n' +
        'async def read(item: int):\n    return {"item": item}\n',
    });
    const page = { path: '/items/7', text: /^\{"item":7\}$/, file: 'main.py' };
    await site('fresh-fastapi').deployTwice(source, page);
    expect((await t.get('fresh-fastapi', '/items/x')).status).toBe(422);
  });

  it('plain WSGI, without any dependency', async () => {
    const source = await workshop.write('fresh-wsgi', {
      'wsgi.py':
        'def application(environ, start_response):\n' +
        '    start_response("200 OK", [("Content-Type", "text/plain")])\n' +
        '    return [b"plain " + environ["PATH_INFO"].encode()]\n',
    });
    const first = await t.mustTandem(['deploy', source, '-a', 'fresh-wsgi']);
    expect(first.stdout + first.stderr).toContain('Live     v1');
    expect((await t.get('fresh-wsgi', '/x')).body).toBe('plain /x');
    await site('fresh-wsgi').expectLog(['-p', 'router'], `GET ${t.hostname('fresh-wsgi')}/x 200`);
  });
});

/** What the author of a first Django app writes. */
const NOTES = {
  'requirements.txt': 'django~=5.2.0\n',
  'notes/models.py':
    'from django.db import models\n\n\nclass Note(models.Model):\n    text = models.TextField()\n',
  'notes/admin.py':
    'from django.contrib import admin\nfrom .models import Note\nadmin.site.register(Note)\n',
  'notes/views.py': `from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from .models import Note


@csrf_exempt
def index(request):
    if request.method == "POST":
        Note.objects.create(text=request.body.decode())
        return HttpResponse(status=201)
    texts = ", ".join(note.text for note in Note.objects.all())
    return HttpResponse(f"{Note.objects.count()} notes: {texts}")
`,
  'mysite/urls.py': `from django.contrib import admin
from django.urls import path
from notes import views

urlpatterns = [path('admin/', admin.site.urls), path('', views.index)]
`,
};
