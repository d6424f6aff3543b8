import { describe, expect, it } from 'vitest';
import { describeImage, type ImageParts } from './describe-image.ts';
import { detect } from './detect/detect.ts';
import { memoryTree } from './detect/source-tree.ts';
import { parseLock } from './steps/lock.ts';
import type { PrepareReport } from './steps/prepare-report.ts';

const layer = { sha256: 'a'.repeat(64), sizeBytes: 1 };
const FLASK = { 'app.py': 'from flask import Flask\napp = Flask(__name__)\n' };
const DJANGO = {
  'manage.py':
    'import django.core.management\nimport os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "s")\n',
  's.py': 'X = 1\n',
};
const POSTGRESQL = { default: { engine: 'django.db.backends.postgresql', host: '127.0.0.1' } };

function imageOf(
  files: Record<string, string>,
  report: Partial<PrepareReport> = {},
  more: Partial<ImageParts> = {},
) {
  return describeImage({
    detection: detect(memoryTree(files), { pythonVersions: ['3.12.1'], config: {} }),
    report: { stage: 'done', notes: [], ...report },
    lock: undefined,
    layers: { stack: layer, additions: [], runtime: layer, code: layer },
    env: {},
    config: {},
    ...more,
  });
}

describe('describeImage', () => {
  it('serves WSGI by gunicorn and ASGI by uvicorn, on every address', () => {
    const wsgi = imageOf(FLASK).processTypes['web'];
    expect(wsgi).toMatchObject({ kind: 'web', keepAliveMs: 75_000 });
    expect(wsgi?.command).toBe(
      'python -m gunicorn --config python:tandem_runtime.gunicorn_conf app:app',
    );
    const entry = { module: 'app', attribute: 'app', kind: 'asgi' } as const;
    expect(imageOf(FLASK, { entry }).processTypes['web']?.command).toMatch(
      /uvicorn --host :: --port 8000 .* app:app$/,
    );
  });

  it('gives an old uvicorn no flag that it does not know', () => {
    const entry = { module: 'app', attribute: 'app', kind: 'asgi' } as const;
    const lock = parseLock('uvicorn==0.20.0\n');
    expect(imageOf(FLASK, { entry }, { lock }).processTypes['web']?.command).not.toContain(
      'graceful',
    );
  });

  it('starts an old gunicorn by the module that it has', () => {
    const lock = parseLock('gunicorn==19.4.5\n');
    const { web } = imageOf(FLASK, {}, { lock }).processTypes;
    expect(web?.command).toMatch(/^python -m gunicorn\.app\.wsgiapp --config /);
  });

  it('starts the server of a Procfile as a module, when it is not among the dependencies', () => {
    const files = { ...FLASK, Procfile: 'web: gunicorn app:app\n' };
    expect(imageOf(files).processTypes['web']?.command).toBe('python -m gunicorn app:app');
    const lock = parseLock('gunicorn==23.0.0\n');
    expect(imageOf(files, {}, { lock }).processTypes['web']?.command).toBe('gunicorn app:app');
  });

  it('calls a factory', () => {
    const files = {
      'app.py': 'from flask import Flask\ndef create_app():\n    return Flask(__name__)\n',
    };
    expect(imageOf(files).processTypes['web']?.command).toContain("'app:create_app()'");
  });

  it('lets the project name its processes and release commands; migrating is ours', () => {
    const Procfile = 'web: gunicorn app:app\nrelease: python manage.py migrate\n';
    const image = imageOf({ ...DJANGO, Procfile }, { databases: POSTGRESQL });
    const web = { kind: 'web', command: 'python -m gunicorn app:app' };
    expect(image.processTypes).toEqual({ web });
    expect(image.releaseCommands).toEqual([]);
    const toml = { 'tandem.toml': 'release = ["./manage.py loaddata x"]\n' };
    expect(imageOf({ ...DJANGO, ...toml }, { databases: POSTGRESQL }).releaseCommands).toEqual([
      './manage.py loaddata x',
    ]);
  });

  it('asks for a database only where the platform is to give one', () => {
    expect(imageOf(DJANGO, { databases: POSTGRESQL }).needsDatabase).toBe(true);
    const elsewhere = {
      default: { engine: 'django.db.backends.postgresql', host: 'db.example.com' },
    };
    expect(imageOf(DJANGO, { databases: elsewhere }).needsDatabase).toBe(false);
    const config = { DATABASE_URL: 'postgresql://elsewhere/x' };
    expect(imageOf(DJANGO, { databases: POSTGRESQL }, { config }).needsDatabase).toBe(false);
    const toml = { ...DJANGO, 'tandem.toml': 'database = false\n' };
    expect(imageOf(toml, { databases: POSTGRESQL }).needsDatabase).toBe(false);
    expect(imageOf(FLASK).needsDatabase).toBe(false);
  });

  it.each([
    ['static/', '/static/'],
    ['/s/', '/s/'],
    ['https://cdn.example/static/', undefined],
    ['/', undefined],
  ])('serves STATIC_URL %s at %s', (url, urlPrefix) => {
    const image = imageOf(DJANGO, { static: { url, root: '/static', fileCount: 3 } });
    expect(image.staticFiles?.urlPrefix).toBe(urlPrefix);
  });
});
