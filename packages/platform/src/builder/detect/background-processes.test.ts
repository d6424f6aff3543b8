import { describe, expect, it } from 'vitest';
import {
  detectBackgroundProcesses,
  endlessCommands,
  type BackgroundRequest,
} from './background-processes.ts';
import { memoryTree } from './source-tree.ts';

const commandsOf = (
  files: Record<string, string>,
  dependencies: readonly string[],
  more: Partial<BackgroundRequest> = {},
) => {
  const request = { root: '', isDjango: false, named: [], dependencies, ...more };
  const { processes } = detectBackgroundProcesses(memoryTree(files), request);
  return Object.fromEntries(
    Object.entries(processes).map(([name, { command }]) => [name, command]),
  );
};

describe('Celery', () => {
  it('is found in the package of a Django project', () => {
    const files = { 'proj/celery.py': "app = Celery('proj')\napp.autodiscover_tasks()" };
    expect(commandsOf(files, ['celery'], { isDjango: true })).toEqual({
      worker: 'python -m celery -A proj.celery:app worker --loglevel INFO --concurrency 2',
    });
  });

  it('gets a beat with a schedule, one at a time', () => {
    const files = {
      'web/worker.py': 'celery = Celery(__name__)',
      'web/settings.py': 'CELERY_BEAT_SCHEDULE = {\n}',
    };
    const request = { root: 'web', isDjango: true, named: [], dependencies: ['celery'] };
    const { processes, findings } = detectBackgroundProcesses(memoryTree(files), request);
    expect(processes['beat']).toMatchObject({
      kind: 'singleton',
      command: expect.stringContaining('-A worker:celery beat') as string,
    });
    expect(findings[1]).toMatchObject({ evidence: 'web/settings.py:1' });
  });

  it('takes the schedule of the database', () => {
    const files = { 'a/celery.py': 'app = Celery("a")' };
    const { beat } = commandsOf(files, ['celery', 'django-celery-beat']);
    expect(beat).toContain('DatabaseScheduler');
  });

  it('is left alone when it is not set up, not installed, or named by the project', () => {
    const files = { 'a/celery.py': 'app = Celery("a")' };
    expect(commandsOf({ 'a.py': 'x = 1' }, ['celery'])).toEqual({});
    expect(commandsOf({ 'tests/a.py': 'app = Celery("a")' }, ['celery'])).toEqual({});
    expect(commandsOf(files, ['django'])).toEqual({});
    expect(commandsOf(files, ['celery'], { named: ['celery -A a worker'] })).toEqual({});
  });
});

describe('other queues', () => {
  it.each([
    [
      'rq',
      { 'a.py': 'q = Queue("mail", connection=r)' },
      ['rq'],
      false,
      'rq worker mail --url $REDIS_URL',
    ],
    [
      'django-rq',
      { 's/settings.py': "RQ_QUEUES = {'default': {'URL': u}, 'high': {'URL': u}}" },
      ['django-rq'],
      true,
      'python manage.py rqworker default high',
    ],
    ['huey', { 'a.py': 'huey = RedisHuey("x")' }, ['huey'], false, 'huey_consumer.py a.huey'],
    [
      'huey in Django',
      { 's.py': 'A = ["huey.contrib.djhuey"]' },
      ['huey'],
      true,
      'python manage.py run_huey',
    ],
    ['django-q', { 's.py': 'A = ["django_q"]' }, ['django-q2'], true, 'python manage.py qcluster'],
    [
      'arq',
      { 'src/w/main.py': 'class WorkerSettings:\n    pass' },
      ['arq'],
      false,
      'arq w.main.WorkerSettings',
    ],
  ] as const)('%s', (_name, files, dependencies, isDjango, worker) => {
    expect(commandsOf(files, dependencies, { isDjango })).toEqual({ worker });
  });
});

it('names commands that run for ever, without starting them', () => {
  const tree = memoryTree({
    'hc/api/management/commands/sendalerts.py':
      'class Command:\n  def handle(self):\n    while True:\n      pass',
    'hc/api/management/commands/prune.py': 'class Command:\n  def handle(self):\n    pass',
  });
  expect(endlessCommands(tree, '')).toMatchObject([
    { value: 'sendalerts not started', evidence: 'hc/api/management/commands/sendalerts.py:3' },
  ]);
});
