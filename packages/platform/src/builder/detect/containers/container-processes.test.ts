import { describe, expect, it } from 'vitest';
import type { ProcessType } from '../../../domain/release.ts';
import { memoryTree } from '../source-tree.ts';
import { containerProcesses } from './container-processes.ts';
import { readContainers } from './containers.ts';

const PROJECT = {
  Dockerfile: 'FROM python:3.12\n',
  'manage.py': '',
  'shop/__init__.py': '',
  'shop/celery.py': '',
  'shop/management/commands/listen.py': 'while True:\n    pass\n',
  'shop/management/commands/once.py': 'print()\n',
};
const INSTALLED = ['celery', 'rq', 'huey', 'dramatiq', 'arq', 'django-q', 'channels'];

interface Request {
  readonly named?: Record<string, ProcessType>;
  readonly guessed?: Record<string, ProcessType>;
  readonly dependencies?: readonly string[];
  readonly files?: Record<string, string>;
}

/** Lines below `services`, without the indentation of the first. */
function detect(services: string, request: Request = {}) {
  const tree = memoryTree({
    ...PROJECT,
    ...request.files,
    'compose.yml': `services:\n${services.replace(/^/gm, '  ')}\n`,
  });
  return containerProcesses(tree, readContainers(tree, ''), {
    root: '',
    dependencies: request.dependencies ?? INSTALLED,
    named: request.named ?? {},
    guessed: request.guessed ?? {},
  });
}
const one = (command: string, more = '') =>
  detect(`work: { build: ., command: ${JSON.stringify(command)} ${more} }`).processes;
const worker = (command: string): ProcessType => ({ kind: 'worker', command });

describe('containerProcesses', () => {
  it('takes the workers of a compose file, put as they run here', () => {
    const { processes, findings } = detect(
      `web: { build: ., command: gunicorn shop.wsgi }
worker:
  build: .
  command: celery -A shop worker -l debug --logfile=/var/log/celery.log --uid=1 -c 4 -P threads
beat:
  build: .
  command: celery --app=shop beat -s /data/schedule
flower:
  build: .
  command: celery -A shop flower --port=5555
db: { image: postgres, command: postgres -c x=1 }`,
    );
    expect(processes).toEqual({
      worker: worker('python -m celery -A shop worker --loglevel INFO --concurrency 4 -P threads'),
      beat: {
        kind: 'singleton',
        command:
          'python -m celery -A shop beat --loglevel INFO --pidfile= --schedule /tmp/celerybeat-schedule',
      },
    });
    expect(findings[0]).toMatchObject({
      rule: 'process',
      why: 'the service "worker"',
      evidence: 'compose.yml:5',
      confidence: 'likely',
    });
  });

  it.each([
    ['sh -c "sleep 10 && celery -A shop.celery worker"', /-A shop\.celery worker/],
    ['uv run celery worker -A shop', /-A shop worker/],
    ['celery -A shop worker -Q ${QUEUE:-mail}', /-Q mail/],
    ['rq worker high low --url redis://redis:6379', /^rq worker high low --url \$REDIS_URL$/],
    ['python manage.py qcluster', /^python manage\.py qcluster$/],
    ['python3 /code/manage.py runworker mails', /^python manage\.py runworker mails$/],
    ['dramatiq shop.celery -p 4', /^dramatiq shop\.celery --processes 1$/],
    ['arq shop.celery.WorkerSettings', /^arq shop\.celery\.WorkerSettings$/],
    ['huey_consumer.py shop.celery.huey -w 4', /^huey_consumer\.py shop\.celery\.huey$/],
  ])('%s', (command, wanted) => {
    expect(one(command)['worker']?.command).toMatch(wanted);
  });

  it('runs one alone of what holds a beat too', () => {
    expect(one('celery -A shop worker -B')['worker']).toMatchObject({
      kind: 'singleton',
      command: expect.stringContaining('--beat') as string,
    });
  });

  it.each([
    ['celery -A gone worker', '"gone" is not in the source'],
    ['celery worker', 'it names no app of Celery'],
    ['celery -A $APP worker', '"$APP" is not in the source'],
    ['python manage.py runworker', 'it names no channel'],
    ['dramatiq gone.tasks', '"gone.tasks" is not in the source'],
    ['python manage.py run_huey', undefined],
  ])('leaves out and says: %s', (command, why) => {
    const request = { dependencies: INSTALLED.filter((name) => name !== 'huey') };
    const { processes, findings } = detect(
      `work: { build: ., command: ${JSON.stringify(command)} }`,
      request,
    );
    expect(processes).toEqual({});
    expect(findings).toMatchObject([
      { value: 'work left out', why: why ?? 'huey is no dependency' },
    ]);
  });

  it.each([
    'gunicorn shop.wsgi',
    'python manage.py migrate',
    'python manage.py runserver',
    'python manage.py test',
    'watchmedo auto-restart -- celery -A shop worker',
    'celery -A shop worker --autoreload',
    'celery -A shop multi start',
    'celery -A shop inspect ping',
    'npm run dev',
    'tail -f /dev/null',
    'if true; then celery -A shop worker; fi',
    'nothing || celery -A shop worker',
  ])('is not: %s', (command) => {
    expect(one(`sh -c '${command}'`)).toEqual({});
  });

  it('is not what only profiles start, nor what another project builds', () => {
    expect(one('celery -A shop worker', ', profiles: [tools]')).toEqual({});
    const other = 'work: { image: other, command: celery -A shop worker }';
    expect(detect(other).processes).toEqual({});
  });

  it('starts a management command of the project that runs until it is stopped', () => {
    expect(one('python manage.py listen --port 5')).toEqual({
      listen: { kind: 'singleton', command: 'python manage.py listen --port 5' },
    });
    expect(one('python manage.py once')).toEqual({});
    expect(one('python manage.py once', ', restart: always')).toHaveProperty('once');
    expect(one('python manage.py unknown', ', restart: always')).toEqual({});
    expect(one('python manage.py listen --key $KEY')).toEqual({});
  });

  it('starts a program that waits for work, and none that people connect to', () => {
    const files = { 'bot.py': 'bot.infinity_polling()\n', 'seed.py': 'print()\n' };
    const run = (command: string, more = '') =>
      detect(`chat_bot: { build: ., command: ${command} ${more} }`, { files }).processes;
    expect(run('python /app/bot.py')).toEqual({
      'chat-bot': { kind: 'singleton', command: 'python bot.py' },
    });
    expect(run('python -m bot')).toHaveProperty('chat-bot.command', 'python -m bot');
    expect(run('python bot.py', ', ports: ["80:80"]')).toEqual({});
    expect(run('python seed.py')).toEqual({});
  });

  it('comes after what the project names and what the source shows', () => {
    const services = 'work: { build: ., command: celery -A shop worker }';
    const named = [
      'celery -A shop worker -E',
      'newrelic-admin run-program celery worker',
      './run.sh',
    ];
    const files = { 'run.sh': '#!/bin/sh\nexec celery -A shop worker\n' };
    for (const command of named) {
      const request = { files, named: { queue: worker(command) } };
      expect(detect(services, request)).toMatchObject({ processes: {}, replaced: [] });
    }
    const guessed = { worker: worker('python -m celery -A shop.celery:app worker') };
    expect(detect(services, { guessed })).toMatchObject({ processes: {}, replaced: [] });
  });

  it('knows queues that the source does not show', () => {
    const services = `mail: { build: ., command: celery -A shop worker -Q mail }
slow: { build: ., command: celery -A shop worker -Q slow }
again: { build: ., command: celery -A shop worker -Q slow }`;
    const guessed = { worker: worker('python -m celery -A shop.celery:app worker') };
    const { processes, replaced } = detect(services, { guessed });
    expect(replaced).toEqual(['worker']);
    expect(Object.keys(processes)).toEqual(['worker', 'slow']);
  });

  it('takes no name twice', () => {
    const services = 'web: { build: ., command: celery -A shop worker }';
    const named = { worker: worker('./other') };
    expect(Object.keys(detect(services, { named }).processes)).toEqual(['web-2']);
  });
});
