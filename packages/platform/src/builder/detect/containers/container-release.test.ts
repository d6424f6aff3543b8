import { describe, expect, it } from 'vitest';
import { memoryTree } from '../source-tree.ts';
import { containerRelease, type ContainerReleaseRequest } from './container-release.ts';
import { readContainers } from './containers.ts';

const FILES = { 'alembic.ini': '', 'etc/alembic.ini': '', 'migrations/env.py': '' };
const INSTALLED = ['alembic', 'flask-migrate', 'aerich'];

function detect(script: string, request: Partial<ContainerReleaseRequest> = {}) {
  const tree = memoryTree({
    ...FILES,
    Dockerfile: 'FROM python:3.12\nENTRYPOINT ["./start.sh"]\n',
    'start.sh': `#!/bin/sh\n${script}\n`,
  });
  return containerRelease(tree, readContainers(tree, ''), {
    root: '',
    isDjango: false,
    isFlask: true,
    dependencies: INSTALLED,
    known: [],
    ...request,
  });
}
const django = (script: string, known: readonly string[] = []) =>
  detect(script, { isDjango: true, isFlask: false, known });

describe('containerRelease', () => {
  it.each([
    ['alembic upgrade head', ['alembic upgrade head']],
    [
      'poetry run alembic -c etc/alembic.ini upgrade heads',
      ['alembic -c etc/alembic.ini upgrade heads'],
    ],
    ['python -m alembic upgrade head', ['alembic upgrade head']],
    ['flask db upgrade', ['python -m flask db upgrade']],
    ['while true; do flask db upgrade && break; done', ['python -m flask db upgrade']],
    ['if [ "$MIGRATE" ]; then alembic upgrade head; fi', ['alembic upgrade head']],
    ['aerich upgrade', ['aerich upgrade']],
    ['alembic upgrade head\nalembic upgrade head', ['alembic upgrade head']],
    ['alembic -c gone.ini upgrade head', []],
    ['alembic upgrade +1', []],
    ['alembic downgrade base', []],
    ['alembic revision --autogenerate', []],
    ['flask db upgrade -d gone', []],
    ['flask db migrate', []],
    ['flask seed', []],
    ['python seed.py', []],
    ['echo alembic upgrade head', []],
  ])('%j', (script, commands) => {
    expect(detect(script).commands).toEqual(commands);
  });

  it('says where it stands', () => {
    expect(detect('\nalembic upgrade head').findings).toMatchObject([
      { rule: 'release', evidence: 'start.sh:3', confidence: 'likely' },
    ]);
  });

  it('needs the tool, and is not said twice', () => {
    expect(detect('alembic upgrade head', { dependencies: [] }).commands).toEqual([]);
    expect(detect('flask db upgrade', { isFlask: false }).commands).toEqual([]);
    const known = ['alembic upgrade head'];
    expect(detect('alembic upgrade heads', { known })).toEqual({ commands: [], findings: [] });
  });

  it('leaves the steps of the platform to it', () => {
    const script = `python manage.py migrate --noinput
python manage.py collectstatic --noinput
python manage.py compilemessages
python manage.py check --deploy`;
    expect(django(script)).toEqual({ commands: [], findings: [] });
    expect(django('python manage.py createcachetable').commands).toEqual([
      'python manage.py createcachetable',
    ]);
  });

  it('says what may not be safe to repeat, and does not run it', () => {
    const { commands, findings } = django('python manage.py loaddata start.json');
    expect(commands).toEqual([]);
    expect(findings).toMatchObject([
      {
        value: 'without "python manage.py loaddata start.json"',
        why: expect.stringContaining(
          'release = ["python manage.py loaddata start.json"]',
        ) as string,
        evidence: 'start.sh:2',
      },
    ]);
    expect(django('python manage.py loaddata a', ['python manage.py loaddata a']).findings).toEqual(
      [],
    );
    expect(django('if x; then python manage.py seed; fi').findings).toEqual([]);
    expect(django('python manage.py qcluster').findings).toEqual([]);
  });
});
