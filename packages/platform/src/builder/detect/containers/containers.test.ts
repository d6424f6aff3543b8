import { describe, expect, it } from 'vitest';
import { memoryTree } from '../source-tree.ts';
import { readContainers } from './containers.ts';

const DOCKERFILE = 'FROM python:3.12\nWORKDIR /app\nCOPY . .\n';
const read = (files: Record<string, string>, root = '') => readContainers(memoryTree(files), root);
const names = (files: Record<string, string>, root = '') =>
  read(files, root).services.map(({ name }) => name);
const steps = (files: Record<string, string>, root = '') =>
  read(files, root).imageSteps.map(({ words }) => words.join(' '));
const built = (...services: string[]) =>
  `services:\n${services.map((one) => `  ${one}: { build: . }\n`).join('')}`;

describe('which files count', () => {
  it('is production before plain before development', () => {
    const all = {
      Dockerfile: DOCKERFILE,
      'docker-compose.yml': built('plain'),
      'docker-compose.override.yml': built('override'),
      'local.yml': built('local'),
      'deploy/compose.prod.yaml': 'services:\n  prod: { build: .. }\n',
    };
    expect(names(all)).toEqual(['prod']);
    expect(names({ ...all, 'deploy/compose.prod.yaml': '' })).toEqual(['plain']);
    const local = { Dockerfile: DOCKERFILE, 'local.yml': built('web') };
    expect(read(local).services).toMatchObject([{ name: 'web', isForDevelopment: true }]);
  });

  it('goes on to the plain one where that for production only changes something', () => {
    const files = {
      Dockerfile: DOCKERFILE,
      'compose.yml': 'services:\n  web: { build: . }\n  worker: { build: ., command: a }\n',
      'compose.prod.yml': 'services:\n  web: { restart: always }\n',
    };
    expect(names(files)).toEqual(['web', 'web', 'worker']);
  });

  it.each(['docker-compose.test.yml', 'docker-compose-ci.yml', 'compose.docs.yaml', 'x.yml'])(
    'is not %s',
    (path) => {
      expect(names({ Dockerfile: DOCKERFILE, [path]: built('web') })).toEqual([]);
    },
  );

  it('is said of one that cannot be read', () => {
    const { findings, services } = read({ 'compose.yml': 'services:\n  a: [\n' });
    expect(services).toEqual([]);
    expect(findings).toMatchObject([{ rule: 'containers', value: 'compose.yml not read' }]);
  });
});

describe('which services are of the project', () => {
  it('is what is built from it, or runs the same image', () => {
    const files = {
      Dockerfile: DOCKERFILE,
      'front/Dockerfile': 'FROM node:22\n',
      'compose.yml': `services:
  web: { build: ., image: shop:1 }
  worker: { image: "shop:1" }
  front: { build: front }
  db: { image: postgres }
  other: { image: "shop:2" }
`,
    };
    expect(names(files)).toEqual(['web', 'worker']);
    expect([...read(files).hosts]).toEqual(['web', 'worker', 'front', 'db', 'other']);
  });

  it('is not what is built from the same directory for something else', () => {
    const files = {
      'compose/django/Dockerfile': DOCKERFILE,
      'compose/postgres/Dockerfile': 'FROM postgres:16\n',
      'production.yml': `services:
  django: { build: { context: ., dockerfile: ./compose/django/Dockerfile } }
  postgres: { build: { context: ., dockerfile: ./compose/postgres/Dockerfile } }
`,
    };
    expect(names(files)).toEqual(['django']);
  });

  it('is what is built from the root or from above it', () => {
    const files = {
      'backend/Dockerfile': DOCKERFILE,
      'bot/Dockerfile': DOCKERFILE,
      'compose.yml': 'services:\n  api: { build: ./backend }\n  bot: { build: ./bot }\n',
    };
    expect(names(files, 'backend')).toEqual(['api']);
  });
});

describe('which Dockerfile', () => {
  const path = (files: Record<string, string>, root = '') => read(files, root).image?.path;

  it('is that for production, and not one of something beside the app', () => {
    expect(path({ 'Dockerfile.prod': DOCKERFILE, Dockerfile: DOCKERFILE })).toBe('Dockerfile.prod');
    expect(path({ 'Dockerfile.dev': DOCKERFILE, Dockerfile: DOCKERFILE })).toBe('Dockerfile');
    expect(path({ 'Dockerfile.dev': DOCKERFILE })).toBe('Dockerfile.dev');
    expect(path({ 'docker/prod/Dockerfile': DOCKERFILE, Dockerfile: DOCKERFILE })).toBe(
      'docker/prod/Dockerfile',
    );
    expect(path({ 'bot/Dockerfile': DOCKERFILE })).toBeUndefined();
    expect(path({ 'tests/Dockerfile': DOCKERFILE })).toBeUndefined();
    expect(path({ Dockerfile: 'FROM nginx\nCOPY . .\n' })).toBeUndefined();
    expect(path({ 'api/docker/Dockerfile': DOCKERFILE }, 'api')).toBe('api/docker/Dockerfile');
  });

  it('is the one that a compose file builds the app by', () => {
    const files = {
      Dockerfile: DOCKERFILE,
      'etc/Special.dockerfile': DOCKERFILE,
      'compose.yml':
        'services:\n  web: { build: { context: ., dockerfile: etc/Special.dockerfile } }\n',
    };
    expect(path(files)).toBe('etc/Special.dockerfile');
  });

  it('ends at the last stage that is not for development', () => {
    const text =
      'FROM python:3.12 AS prod\nCMD ["a"]\nFROM prod AS dev\nCMD ["b"]\nFROM nginx\nCMD ["c"]\n';
    expect(steps({ Dockerfile: text })).toEqual(['a']);
  });
});

describe('what a container starts', () => {
  const start = (end: string, more: Record<string, string> = {}) =>
    steps({ Dockerfile: `${DOCKERFILE}${end}\n`, ...more });

  it.each([
    ['CMD ["gunicorn", "shop:create_app()"]', 'gunicorn shop:create_app()'],
    ['CMD exec gunicorn shop:app --bind :$PORT', 'gunicorn shop:app --bind :$PORT'],
    ['CMD ["/bin/sh", "-c", "uvicorn shop:app"]', 'uvicorn shop:app'],
    ['ENTRYPOINT ["tini", "-g", "--"]\nCMD ["celery", "-A", "x", "worker"]', 'celery -A x worker'],
    ['CMD ["uv", "run", "--no-sync", "gunicorn", "shop.wsgi"]', 'gunicorn shop.wsgi'],
    ['CMD ["uv", "run", "-m", "manage", "qcluster"]', 'python manage.py qcluster'],
    ['CMD poetry run python3 -u -m gunicorn shop.wsgi', 'gunicorn shop.wsgi'],
    ['CMD ["/venv/bin/python", "/app/manage.py", "rqworker"]', 'python manage.py rqworker'],
    ['CMD ./manage.py runworker', 'python manage.py runworker'],
    ['CMD dockerize -wait tcp://db:5432 -timeout 60s gunicorn a.wsgi', 'gunicorn a.wsgi'],
    ['CMD ./wait-for-it.sh db:5432 -t 30 -- gunicorn a.wsgi', 'gunicorn a.wsgi'],
    ['CMD gosu app env A=1 B=2 gunicorn a.wsgi', 'gunicorn a.wsgi'],
  ])('%s', (end, wanted) => {
    expect(start(end)).toEqual([wanted]);
  });

  it.each(['CMD', 'CMD []', 'CMD ["a"', 'CMD [1]', 'CMD sh -c', 'CMD bash', 'CMD ["sh", "-c"]'])(
    'lives with %j',
    (end) => {
      expect(() => start(end)).not.toThrow();
    },
  );

  it('follows a script of the project, with the command it is given', () => {
    const more = {
      'docker/entry.sh': '#!/bin/bash\nset -e\npython manage.py migrate\nexec "$@"\n',
    };
    expect(start('ENTRYPOINT ["/app/docker/entry.sh"]\nCMD ["gunicorn", "a.wsgi"]', more)).toEqual([
      'set -e',
      'python manage.py migrate',
      'gunicorn a.wsgi',
    ]);
  });

  it('finds scripts where they are copied from, and the command under another name', () => {
    const more = {
      'deploy/start': '#!/bin/sh\nexec gunicorn a.wsgi\n',
      'deploy/entry': '#!/bin/sh\ncmd="$@"\nexec $cmd\n',
    };
    const end =
      'ENV AT=/srv\nCOPY --chown=1 ./deploy/start $AT/run\nCOPY deploy/entry /entry\nENTRYPOINT ["/entry"]\nCMD ["/srv/run"]';
    expect(start(end, more).at(-1)).toBe('gunicorn a.wsgi');
  });

  it('fills in what the script itself sets', () => {
    const more = {
      'run.sh': 'NAME=shop.web\nexport APP=${APP:-"$NAME:app"}\nexec gunicorn "$APP"\n',
    };
    expect(start('CMD ./run.sh', more).at(-1)).toBe('gunicorn shop.web:app');
  });

  it('goes one level deep, never in a circle, and not out of the source', () => {
    const more = { 'a.sh': './b.sh\n./a.sh\n', 'b.sh': 'gunicorn deep:app\n' };
    expect(start('CMD ./a.sh', more)).toEqual(['./b.sh', './a.sh']);
    expect(start('CMD ../a.sh', more)).toEqual(['../a.sh']);
    const loop = { 'loop.sh': '#!/bin/sh\nexec "$@"\n' };
    const end = 'ENTRYPOINT ["./loop.sh", "./loop.sh"]\nCMD ["./loop.sh"]';
    expect(() => start(end, loop)).not.toThrow();
  });

  it('tells the line in the script', () => {
    const files = {
      Dockerfile: `${DOCKERFILE}CMD ["./run.sh"]\n`,
      'run.sh': '#!/bin/sh\n\ngunicorn a:b\n',
    };
    expect(read(files).imageSteps).toMatchObject([{ evidence: 'run.sh:3', conditional: false }]);
  });
});
