// What projects need beside Python packages, from folder to a site that answers: libraries of the
// system, a front end that is built, and apps that are Node.js themselves.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import { Workshop, type Files } from '../support/projects.ts';

let t: TestInstallation;
let workshop: Workshop;
beforeAll(async () => {
  t = await sharedInstallation();
  workshop = await Workshop.open();
});
afterAll(async () => {
  for (const { name } of await t.client.listApps()) {
    if (name.startsWith('beyond-')) await t.mustTandem(['destroy', '-a', name, '--confirm', name]);
  }
  await workshop.close();
});

const json = (content: object): string => JSON.stringify(content, null, 2);
async function deploy(app: string, files: Files) {
  const result = await t.tandem(['deploy', await workshop.write(app, files), '-a', app]);
  return { code: result.exitCode, output: result.stdout + result.stderr };
}

describe('an app that reads pictures through a library of the system', () => {
  const app = 'beyond-zbar';
  const files: Files = {
    'requirements.txt': 'flask==3.1.0\ngunicorn==23.0.0\n',
    'app.py': `import ctypes
from flask import Flask

library = ctypes.CDLL("libzbar.so.0")
app = Flask(__name__)


@app.get("/")
def index():
    return "with " + library._name
`,
  };

  it('is refused with the library as cause, and answers once the Aptfile names it', async () => {
    const refused = await deploy(app, files);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('libzbar.so.0');
    const { output } = await deploy(app, { ...files, Aptfile: 'libzbar0>=0.23\n' });
    expect(output).toContain('Live');
    expect(await t.get(app)).toMatchObject({ status: 200, body: 'with libzbar.so.0' });
  });

  it('is refused when there is no such package, and goes on answering', async () => {
    const { code, output } = await deploy(app, { ...files, Aptfile: 'libzbar9\n' });
    expect(code).toBe(1);
    expect(output).toContain('SYSTEM_PACKAGE_UNAVAILABLE');
    expect(output).toContain('libzbar0');
    expect((await t.get(app)).status).toBe(200);
  });
});

describe('a Django site whose front end is bundled by esbuild', () => {
  it('serves what was built, and builds without installing again', async () => {
    const app = 'beyond-bundle';
    const files: Files = {
      'requirements.txt': 'django==5.2\n',
      'manage.py':
        'import os, sys\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\n' +
        'from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n',
      'shop/__init__.py': '',
      'shop/settings.py': `from pathlib import Path
SECRET_KEY = "django-insecure-x"
DEBUG = True
INSTALLED_APPS = ["django.contrib.staticfiles"]
ROOT_URLCONF = "shop.urls"
STATIC_URL = "/static/"
STATICFILES_DIRS = [Path(__file__).parent.parent / "assets" / "dist"]
`,
      'shop/urls.py':
        'from django.http import HttpResponse\nfrom django.urls import path\n\nurlpatterns = [path("", lambda request: HttpResponse("shop"))]\n',
      '.gitignore': 'dist/\nnode_modules/\n',
      'assets/package.json': json({
        private: true,
        scripts: { build: 'esbuild shop.js --bundle --outfile=dist/shop.js' },
        devDependencies: { esbuild: '0.25.5' },
      }),
      'assets/shop.js': 'console.log("first");\n',
    };
    expect((await deploy(app, files)).output).toContain('Live     v1');
    expect((await t.get(app, '/static/shop.js')).body).toContain('first');
    const again = await deploy(app, { ...files, 'assets/shop.js': 'console.log("second");\n' });
    expect(again.output).toContain('packages kept');
    expect((await t.get(app, '/static/shop.js')).body).toContain('second');
  });
});

describe('an Express app', () => {
  it('answers, and is replaced by its next release', async () => {
    const app = 'beyond-express';
    const files = (word: string): Files => ({
      'package.json': json({
        scripts: { start: 'node server.js' },
        dependencies: { express: '4.21.2' },
      }),
      'server.js': `const app = require('express')();
app.get('/', (request, response) => response.send('${word} ' + request.hostname));
app.listen(process.env.PORT);
`,
    });
    expect((await deploy(app, files('first'))).output).toContain('Live     v1');
    expect((await t.get(app)).body).toBe(`first ${t.hostname(app)}`);
    const again = await deploy(app, files('second'));
    expect(again.output).toContain('kept');
    expect((await t.get(app)).body).toBe(`second ${t.hostname(app)}`);
  });
});
