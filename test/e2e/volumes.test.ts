// What an app writes below its own folder outlives releases: SQLite and logs of a Flask app, uploads
// of a Django site. And a site that is nothing but files.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppSummary } from '../../packages/protocol/src/api.ts';
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
    if (name.startsWith('kept-')) await t.mustTandem(['destroy', '-a', name, '--confirm', name]);
  }
  await workshop.close();
});

async function deploy(app: string, source: string): Promise<string> {
  const { stdout, stderr } = await t.mustTandem(['deploy', source, '-a', app]);
  return stdout + stderr;
}

async function change(source: string, file: string): Promise<void> {
  const path = join(source, file);
  await writeFile(path, `${await readFile(path, 'utf8')}\n# changed\n`);
}

const paths = async (app: string): Promise<AppSummary['volume']> =>
  (await t.client.getApp(app)).volume;

const GUESTBOOK = {
  'requirements.txt': 'flask\n',
  'static/site.css': 'body { color: teal }',
  'static/favicon.ico': 'icon',
  'app.py': `import logging
import os
import sqlite3
from logging.handlers import RotatingFileHandler

from flask import Flask, request

if not os.path.exists('logs'):
    os.mkdir('logs')
handler = RotatingFileHandler('logs/guestbook.log', maxBytes=10240)
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel(logging.INFO)

app = Flask(__name__)
app.config['UPLOAD_FOLDER'] = os.path.join(app.root_path, 'static', 'uploads')
db = sqlite3.connect('guests.db', check_same_thread=False)
db.execute('create table if not exists guest (name text)')
db.commit()


@app.route('/', methods=['GET', 'POST'])
def index():
    if request.method == 'POST':
        name = request.get_data(as_text=True)
        connection = sqlite3.connect('guests.db')
        connection.execute('insert into guest values (?)', (name,))
        connection.commit()
        os.makedirs(app.config['UPLOAD_FOLDER'], exist_ok=True)
        with open(os.path.join(app.config['UPLOAD_FOLDER'], name + '.txt'), 'w') as file:
            file.write('from ' + name)
        logging.info('signed by %s', name)
    names = [row[0] for row in sqlite3.connect('guests.db').execute('select name from guest')]
    return ','.join(names) or 'nobody'


@app.route('/log')
def log():
    return open('logs/guestbook.log').read()
`,
};

describe('a Flask app that writes below its own folder', () => {
  const app = 'kept-guestbook';
  let source: string;

  it('deploys as it is, and says what is kept', async () => {
    source = await workshop.write('guestbook', GUESTBOOK);
    await deploy(app, source);
    expect((await t.get(app)).body).toBe('nobody');
    expect((await paths(app))?.paths.toSorted()).toEqual([
      '/app/guests.db',
      '/app/logs',
      '/app/static/uploads',
    ]);
    const { stdout } = await t.mustTandem(['ps', '-a', app, '--why']);
    expect(stdout).toContain('holds the volume of the app');
  });

  it('keeps its database, log and uploads over a release, a restart and two processes', async () => {
    for (const body of ['ada', 'grace']) await t.request(app, '/', { method: 'POST', body });
    await change(source, 'app.py');
    await deploy(app, source);
    expect((await t.get(app)).body).toBe('ada,grace');
    expect((await t.get(app, '/log')).body).toContain('signed by ada');
    await t.mustTandem(['scale', 'web=2', '-a', app]);
    await t.request(app, '/', { method: 'POST', body: 'mary' });
    for (let n = 0; n < 6; n += 1) expect((await t.get(app)).body).toBe('ada,grace,mary');
    const { stdout } = await t.mustTandem(['run', '-a', app, '--', 'cat', 'logs/guestbook.log']);
    expect(stdout).toContain('signed by mary');
  });

  it('has its folder, its icon and its uploads served by nginx', async () => {
    const css = await t.get(app, '/static/site.css');
    expect([css.status, css.headers['etag']]).toEqual([200, expect.stringMatching(/^W\//)]);
    expect((await t.get(app, '/favicon.ico')).body).toBe('icon');
    expect((await t.get(app, '/static/uploads/ada.txt')).body).toBe('from ada');
  });
});

const DJANGO = {
  'requirements.txt': 'django~=5.2.0\n',
  'manage.py': `import os, sys
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'gallery.settings')
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
`,
  'gallery/__init__.py': '',
  'gallery/wsgi.py': `import os
from django.core.wsgi import get_wsgi_application
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'gallery.settings')
application = get_wsgi_application()
`,
  'gallery/settings.py': `from pathlib import Path
BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = 'x' * 50
DEBUG = True
ROOT_URLCONF = 'gallery.urls'
INSTALLED_APPS = []
MIDDLEWARE = []
WSGI_APPLICATION = 'gallery.wsgi.application'
MEDIA_URL = 'media/'
MEDIA_ROOT = BASE_DIR / 'media'
LOGGING = {
    'version': 1,
    'handlers': {'file': {'class': 'logging.FileHandler', 'filename': BASE_DIR / 'logs' / 'site.log'}},
    'root': {'handlers': ['file']},
}
`,
  'gallery/urls.py': `from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.http import HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

@csrf_exempt
def upload(request, name):
    if request.method == 'POST':
        return HttpResponse(default_storage.save(name, ContentFile(request.body)))
    return HttpResponse('ready')

urlpatterns = [path('', lambda request: HttpResponse('gallery')), path('up/<name>', upload)]
`,
};

describe('a Django site with uploads and a log in a folder that is not committed', () => {
  const app = 'kept-gallery';

  it('has them at MEDIA_URL, harmless, over releases', async () => {
    const source = await workshop.write('gallery', DJANGO);
    await deploy(app, source);
    expect((await paths(app))?.paths.toSorted()).toEqual(['/app/logs', '/app/media']);
    const body = '<script>alert(1)</script>';
    expect((await t.request(app, '/up/evil.html', { method: 'POST', body })).body).toBe(
      'evil.html',
    );
    await t.request(app, '/up/a.png', { method: 'POST', body: 'png' });
    await change(source, 'gallery/urls.py');
    await deploy(app, source);
    const image = await t.get(app, '/media/a.png');
    expect([image.status, image.body, image.headers['content-type']]).toEqual([
      200,
      'png',
      'image/png',
    ]);
    const page = await t.get(app, '/media/evil.html');
    expect(page.headers).toMatchObject({
      'content-disposition': 'attachment',
      'x-content-type-options': 'nosniff',
    });
    expect((await t.get(app, '/media/none.png')).status).toBe(404);
  });

  it('is destroyed with its volume', async () => {
    const refused = await t.tandem(['destroy', '-a', app], { input: '' });
    expect(refused.exitCode).not.toBe(0);
    await t.mustTandem(['destroy', '-a', app, '--confirm', app]);
  });
});

describe('a site of files', () => {
  const app = 'kept-files';

  it('is live without any process', async () => {
    const source = await workshop.write('files', {
      'index.html': '<h1>home</h1>',
      '404.html': '<h1>lost</h1>',
      'docs/index.html': 'docs',
      'assets/app.1a2b3c4d.css': 'body{}',
    });
    await deploy(app, source);
    expect((await t.get(app)).body).toBe('<h1>home</h1>');
    expect((await t.get(app, '/docs/')).body).toBe('docs');
    const lost = await t.get(app, '/none');
    expect([lost.status, lost.body]).toEqual([404, '<h1>lost</h1>']);
    expect((await t.get(app, '/assets/app.1a2b3c4d.css')).headers['cache-control']).toContain(
      'immutable',
    );
    expect(await t.client.getApp(app)).toMatchObject({ state: 'live', framework: 'static' });
    expect((await t.mustTandem(['ps', '-a', app])).stdout).toContain('Nothing of');
  });

  it('changes with the next release', async () => {
    const source = await workshop.write('files', { 'index.html': '<h1>new</h1>' });
    await deploy(app, source);
    expect((await t.get(app)).body).toBe('<h1>new</h1>');
  });
});
