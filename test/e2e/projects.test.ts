// Fresh projects of each kind, with no configuration file in any of them, from folder to a site that
// answers on its own hostname.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

/** First deploy, a page, a change of code, second deploy; then what both must have left in the log. */
async function deployTwice(
  app: string,
  source: string,
  page: { readonly path: string; readonly text: RegExp; readonly file: string },
): Promise<void> {
  const first = await t.mustTandem(['deploy', source, '-a', app]);
  expect(first.stdout + first.stderr).toContain(`Live     v1 http://${t.hostname(app)}:${t.port}`);
  const answer = await t.get(app, page.path);
  expect(answer.status, answer.body).toBe(200);
  expect(answer.body).toMatch(page.text);

  const file = join(source, page.file);
  await writeFile(file, `${await readFile(file, 'utf8')}\nprint("loaded the second version")\n`);
  const second = await t.mustTandem(['deploy', source, '-a', app]);
  expect(second.stdout + second.stderr).toMatch(/dependencies .*\bkept\b/);
  expect(second.stdout + second.stderr).toContain('Live     v2');
  expect((await t.get(app, page.path)).status).toBe(200);
  await expectLog(app, ['-p', 'router'], `GET ${t.hostname(app)}${page.path} 200`);
  await expectLog(app, ['-p', 'web', '--release', 'v2'], 'loaded the second version');
}

/** Request lines arrive in batches. */
async function expectLog(app: string, query: readonly string[], line: string): Promise<void> {
  await expect
    .poll(async () => (await t.mustTandem(['logs', '-a', app, ...query])).stdout, {
      timeout: 10_000,
    })
    .toContain(line);
}

/** A visitor with a cookie jar who fills in Django's forms. */
class Visitor {
  readonly #app: string;
  readonly #cookies = new Map<string, string>();

  constructor(app: string) {
    this.#app = app;
  }

  async get(path: string): Promise<{ status: number; body: string }> {
    return await this.#ask('GET', path);
  }

  async post(path: string, fields: Readonly<Record<string, string>>): Promise<number> {
    const { body } = await this.get(path);
    const token = /name="csrfmiddlewaretoken" value="([^"]+)"/.exec(body)?.[1] ?? '';
    const form = new URLSearchParams({ ...fields, csrfmiddlewaretoken: token });
    return (await this.#ask('POST', path, form.toString())).status;
  }

  async #ask(method: string, path: string, body?: string) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const type = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await t.request(this.#app, path, {
      method,
      headers: { cookie, ...(body === undefined ? {} : type) },
      ...(body === undefined ? {} : { body }),
    });
    for (const set of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.#cookies.set(name, value);
    }
    return answer;
  }
}

async function createSuperuser(app: string): Promise<void> {
  const command = ['python', 'manage.py', 'createsuperuser', '--noinput'];
  const who = ['--username', 'ada', '--email', 'ada@example.org'];
  const environment = ['env', 'DJANGO_SUPERUSER_PASSWORD=lovelace-1815'];
  await t.mustTandem(['run', '-a', app, '--', ...environment, ...command, ...who]);
}

/** Through the admin's own form; the session is a row of the database. */
async function signIn(app: string, loginPath: string): Promise<Visitor> {
  const visitor = new Visitor(app);
  const status = await visitor.post(loginPath, { username: 'ada', password: 'lovelace-1815' });
  expect(status).toBe(302);
  return visitor;
}

async function vendorOf(app: string): Promise<string> {
  const script = 'from django.db import connection; print(connection.vendor)';
  const command = ['python', 'manage.py', 'shell', '-v', '0', '-c', script];
  return (await t.mustTandem(['run', '-a', app, '--', ...command])).stdout.trim();
}

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
    await deployTwice(app, source, { path: '/', text: /0 notes/, file: 'mysite/urls.py' });
  });

  it('keeps its rows in PostgreSQL', async () => {
    expect(await vendorOf(app)).toBe('postgresql');
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
    await expectLog(app, ['-p', 'router', '--grep', stylesheet], 'static');
    await createSuperuser(app);
    const visitor = await signIn(app, '/admin/login/');
    expect((await visitor.get('/admin/')).body).toContain('Site administration');
  });
});

describe('a fresh wagtail project', () => {
  const app = 'fresh-wagtail';

  it('goes live, and a change of code does no dependency work', async () => {
    await workshop.run(app, ['wagtail'], ['wagtail', 'start', 'bakery', '.']);
    const source = join(workshop.root, app);
    const page = { path: '/', text: /Welcome to your new Wagtail site/, file: 'bakery/urls.py' };
    await deployTwice(app, source, page);
  });

  it('has its admin on PostgreSQL, with static files', async () => {
    expect(await vendorOf(app)).toBe('postgresql');
    await createSuperuser(app);
    const visitor = await signIn(app, '/admin/login/');
    const page = await visitor.get('/admin/');
    expect(page.status).toBe(200);
    const script = /src="(\/static\/wagtailadmin\/js\/[^"]+)"/.exec(page.body)?.[1] ?? '';
    expect((await t.get(app, script)).status).toBe(200);
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
    await deployTwice('fresh-flask', source, { path: '/hello', text, file: 'app.py' });
  });

  it('FastAPI', async () => {
    const source = await workshop.write('fresh-fastapi', {
      'requirements.txt': 'fastapi\n',
      'main.py':
        'from fastapi import FastAPI\napp = FastAPI()\n@app.get("/items/{item}")\n' +
        'async def read(item: int):\n    return {"item": item}\n',
    });
    const page = { path: '/items/7', text: /^\{"item":7\}$/, file: 'main.py' };
    await deployTwice('fresh-fastapi', source, page);
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
    await expectLog('fresh-wsgi', ['-p', 'router'], `GET ${t.hostname('fresh-wsgi')}/x 200`);
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
