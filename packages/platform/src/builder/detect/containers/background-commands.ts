// Commands that work in the background, recognised by their words and put as they run here: addresses
// of other containers, log and pid files left out, since logs go to the output and a release is
// read-only. What they name must be in the project, and their library among the dependencies.
import type { ProcessKind } from '../../../domain/release.ts';

export interface BackgroundCommand {
  /** Two of one kind do the same: `celery worker`, `manage.py sendalerts`. */
  readonly kind: string;
  /** What it is called when the name is free. */
  readonly name: string;
  readonly command: string;
  readonly process: ProcessKind;
  /** It says which queues: more than a guess from the source can. */
  readonly namesQueues: boolean;
}

/** Why a command that looks like one is none here. */
export interface Unusable {
  readonly unusable: string;
}

export interface BackgroundPlace {
  /** A module of the project, or an attribute of one. */
  readonly hasModule: (module: string) => boolean;
  /** A file of the project, relative to the root. */
  readonly hasFile: (path: string) => boolean;
  /** By its normalised name. */
  readonly hasDependency: (name: string) => boolean;
  /** A management command of the project's own. */
  readonly hasCommand: (name: string) => boolean;
}

type Recognised = BackgroundCommand | Unusable | undefined;
type Rule = (words: readonly string[], place: BackgroundPlace) => Recognised;

/** Management commands of libraries that run until they are stopped -> what brings them. */
const ENDLESS: Readonly<Record<string, readonly string[]>> = {
  qcluster: ['django-q', 'django-q2'],
  run_huey: ['huey'],
  djangohuey: ['django-huey'],
  rqworker: ['django-rq'],
  rqscheduler: ['rq-scheduler', 'django-rq-scheduler'],
  rundramatiq: ['django-dramatiq'],
  runworker: ['channels'],
  process_tasks: ['django-background-tasks'],
  db_worker: ['django-tasks', 'django-tasks-db'],
  runapscheduler: ['django-apscheduler'],
  procrastinate: ['procrastinate'],
};
const SINGLE = new Set(['rqscheduler', 'runapscheduler']);
/** Options of Celery that mean the same here. */
const CELERY_KEPT = new Set([
  ...['-Q', '--queues', '-P', '--pool', '-n', '--hostname', '-X', '--exclude-queues'],
  ...['--max-tasks-per-child', '--prefetch-multiplier', '--time-limit', '--soft-time-limit', '-O'],
]);
const CELERY_FLAGS = new Set(['-E', '--task-events', '--events', '--without-gossip']);

export function backgroundCommand(words: readonly string[], place: BackgroundPlace): Recognised {
  for (const rule of [celery, rq, huey, dramatiq, arq, taskiq, management]) {
    const found = rule(words, place);
    if (found !== undefined) return found;
  }
  return undefined;
}

const celery: Rule = (words, place) => {
  if (words[0] !== 'celery') return undefined;
  const app = option(words, ['-A', '--app']);
  const isWorker = words.includes('worker');
  const isBeat = words.includes('beat') && !isWorker;
  if (!isWorker && !isBeat) return undefined;
  if (app === undefined) return { unusable: 'it names no app of Celery' };
  if (!place.hasDependency('celery')) return { unusable: 'celery is no dependency' };
  const [module = ''] = app.split(':');
  if (!place.hasModule(module)) return { unusable: `"${module}" is not in the source` };
  return isBeat ? beat(words, app, place) : celeryWorker(words, app);
};

function celeryWorker(words: readonly string[], app: string): BackgroundCommand {
  const withBeat = words.includes('-B') || words.includes('--beat');
  const concurrency = option(words, ['-c', '--concurrency']) ?? '';
  const kept = words.flatMap((word, index) => {
    const [name = '', value] = word.split(/=(.*)/s);
    if (CELERY_FLAGS.has(word)) return [word];
    const next = value ?? words[index + 1] ?? '';
    return CELERY_KEPT.has(name) && isLiteral(next) ? [`${name} ${next}`] : [];
  });
  const count = /^\d+$/.test(concurrency) ? concurrency : '2';
  const parts = [
    `python -m celery -A ${app} worker --loglevel INFO --concurrency ${count}`,
    ...kept,
  ];
  if (withBeat) parts.push('--beat --pidfile= --schedule /tmp/celerybeat-schedule');
  return {
    kind: 'celery worker',
    name: 'worker',
    command: parts.join(' '),
    // A second beat would do everything twice.
    process: withBeat ? 'singleton' : 'worker',
    namesQueues: option(words, ['-Q', '--queues']) !== undefined,
  };
}

function beat(words: readonly string[], app: string, place: BackgroundPlace): BackgroundCommand {
  const named = option(words, ['-S', '--scheduler']) ?? '';
  const isStored = /django/i.test(named) && place.hasDependency('django-celery-beat');
  const isOther = named !== '' && !/django|PersistentScheduler/i.test(named);
  const where = isStored
    ? '--scheduler django_celery_beat.schedulers:DatabaseScheduler'
    : isOther && isLiteral(named)
      ? `--scheduler ${named}`
      : '--schedule /tmp/celerybeat-schedule';
  return {
    kind: 'celery beat',
    name: 'beat',
    command: `python -m celery -A ${app} beat --loglevel INFO --pidfile= ${where}`,
    process: 'singleton',
    namesQueues: false,
  };
}

const rq: Rule = (words, place) => {
  if (words[0] !== 'rq' || words[1] !== 'worker') return undefined;
  if (!place.hasDependency('rq')) return { unusable: 'rq is no dependency' };
  const queues = positional(words.slice(2), ['-u', '--url', '-n', '--name', '-P', '--path', '-w']);
  const names = queues.length > 0 ? queues : ['default'];
  const command = `rq worker ${names.join(' ')} --url $REDIS_URL`;
  return { kind: 'rq', name: 'worker', command, process: 'worker', namesQueues: queues.length > 0 };
};

const huey: Rule = (words, place) => {
  const [program = '', target = ''] = words;
  if (!/(^|\/)huey_consumer(\.py)?$/.test(program)) return undefined;
  if (!place.hasDependency('huey')) return { unusable: 'huey is no dependency' };
  return onModule({ kind: 'huey', command: `huey_consumer.py ${target}` }, parent(target), place);
};

const dramatiq: Rule = (words, place) => {
  if (words[0] !== 'dramatiq') return undefined;
  if (!place.hasDependency('dramatiq')) return { unusable: 'dramatiq is no dependency' };
  const targets = positional(words.slice(1), [
    '-p',
    '--processes',
    '-t',
    '--threads',
    '-Q',
    '--path',
  ]);
  const modules = targets.map((one) => one.split(':')[0] ?? '');
  const missing = modules.find((one) => !place.hasModule(one));
  if (targets.length === 0 || missing !== undefined) return notThere(missing ?? '');
  const command = `dramatiq ${targets.join(' ')} --processes 1`;
  return { kind: 'dramatiq', name: 'worker', command, process: 'worker', namesQueues: false };
};

const arq: Rule = (words, place) => {
  const [program, target = ''] = words;
  if (program !== 'arq') return undefined;
  if (!place.hasDependency('arq')) return { unusable: 'arq is no dependency' };
  return onModule({ kind: 'arq', command: `arq ${target}` }, parent(target), place);
};

const taskiq: Rule = (words, place) => {
  const [program, verb = '', target = ''] = words;
  if (program !== 'taskiq' || (verb !== 'worker' && verb !== 'scheduler')) return undefined;
  if (!place.hasDependency('taskiq')) return { unusable: 'taskiq is no dependency' };
  const known = onModule(
    { kind: `taskiq ${verb}`, command: `taskiq ${verb} ${target}` },
    target.split(':')[0] ?? '',
    place,
  );
  if ('unusable' in known || verb === 'worker') return known;
  return { ...known, name: 'scheduler', process: 'singleton' };
};

const management: Rule = (words, place) => {
  const [program, file, name = '', ...rest] = words;
  if (program !== 'python' || file !== 'manage.py' || !/^\w+$/.test(name)) return undefined;
  const libraries = ENDLESS[name];
  const isOwn = place.hasCommand(name);
  if (libraries === undefined && !isOwn) return undefined;
  if (!place.hasFile('manage.py')) return { unusable: 'there is no manage.py' };
  if (!isOwn && libraries?.some(place.hasDependency) !== true) {
    return { unusable: `${libraries?.join(', ')} is no dependency` };
  }
  if (!rest.every(isLiteral)) return { unusable: 'its arguments are set from outside' };
  // Since Channels 2 it works on those that it is given, and ends without any.
  if (name === 'runworker' && rest.length === 0) return { unusable: 'it names no channel' };
  const command = ['python manage.py', name, ...rest].join(' ');
  const isWorker = libraries !== undefined && !SINGLE.has(name);
  return {
    kind: MANAGEMENT_KINDS[name] ?? `manage.py ${name}`,
    name: isWorker ? 'worker' : name.replaceAll('_', '-'),
    command,
    process: isWorker ? 'worker' : 'singleton',
    namesQueues: name === 'rqworker' && rest.length > 0,
  };
};

/** Two ways to start the same. */
const MANAGEMENT_KINDS: Readonly<Record<string, string>> = {
  run_huey: 'huey',
  rqworker: 'rq',
  rundramatiq: 'dramatiq',
};

/** Whether a management command is known to run until it is stopped. */
export function isKnownEndless(name: string): boolean {
  return name in ENDLESS;
}

function onModule(
  { kind, command }: Pick<BackgroundCommand, 'kind' | 'command'>,
  module: string,
  place: BackgroundPlace,
): BackgroundCommand | Unusable {
  if (!place.hasModule(module)) return notThere(module);
  return { kind, name: 'worker', command, process: 'worker', namesQueues: false };
}

function notThere(module: string): Unusable {
  return { unusable: `"${module}" is not in the source` };
}

function parent(target: string): string {
  return target.includes('.') ? target.slice(0, target.lastIndexOf('.')) : target;
}

/** `-A x`, `-A=x`, `--app=x`; not `-Ax`. */
export function option(words: readonly string[], names: readonly string[]): string | undefined {
  for (const [index, word] of words.entries()) {
    const [name = '', value] = word.split(/=(.*)/s);
    if (names.includes(name)) return value ?? words[index + 1];
  }
  return undefined;
}

function positional(words: readonly string[], withValue: readonly string[]): string[] {
  return words.filter((word, index) => {
    const before = words[index - 1] ?? '';
    return !word.startsWith('-') && !withValue.includes(before) && isLiteral(word);
  });
}

/** Nothing in it is for a shell, or set from outside. */
function isLiteral(word: string): boolean {
  return /^[\w.,:@%+=/-]+$/.test(word);
}
