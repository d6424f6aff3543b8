// Workers that a project needs beside its web server and that no Procfile names: Celery and its beat,
// RQ, huey, django-q, dramatiq, arq. One rule for all: the library is a dependency, and a file of the
// project sets it up.
import type { Finding, ProcessType } from '../../domain/release.ts';
import { finding } from './evidence.ts';
import { moduleName } from './import-graph.ts';
import { logicalLines } from './python-source.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';

export interface BackgroundRequest {
  readonly root: string;
  readonly isDjango: boolean;
  /** Normalised names of what is installed, as far as the text tells. */
  readonly dependencies: readonly string[];
  /** Commands that the project names itself: a tool in one of them is taken care of. */
  readonly named: readonly string[];
}

export interface BackgroundProcesses {
  readonly processes: Readonly<Record<string, ProcessType>>;
  readonly findings: readonly Finding[];
}

interface Found {
  readonly name: string;
  readonly type: ProcessType;
  readonly why: string;
  readonly evidence: string;
}

type Search = (
  pattern: RegExp,
) => { match: RegExpExecArray; file: string; line: number } | undefined;
type Rule = (search: Search, request: BackgroundRequest) => Found[];

const FILES_MAX = 1_500;
const CELERY_APP =
  /^(\w+)\s*(?::[^=]+)?=\s*(?:\w+\.)?(?:Celery|make_celery|create_celery|celery_init_app|create_celery_app)\(/;
const SCHEDULE =
  /\bbeat_schedule\b|\bCELERY_?BEAT_SCHEDULE\b|\.add_periodic_task\(|@periodic_task\b/;

export function detectBackgroundProcesses(
  tree: SourceTree,
  request: BackgroundRequest,
): BackgroundProcesses {
  const search = searcher(tree, request.root);
  const rules: readonly (readonly [readonly string[], RegExp, Rule])[] = [
    [['celery', 'django-celery-beat'], /\bcelery\b/, celery],
    [['django-rq', 'flask-rq2', 'rq'], /\brq(worker)?\b/, rq],
    [['huey'], /\bhuey|run_huey\b/, huey],
    [['django-q', 'django-q2'], /\bqcluster\b/, djangoQ],
    [['dramatiq', 'django-dramatiq'], /dramatiq/, dramatiq],
    [['arq'], /\barq\b/, arq],
  ];
  const found = rules.flatMap(([names, command, rule]) => {
    const isWanted = names.some((name) => request.dependencies.includes(name));
    const isNamed = request.named.some((one) => command.test(one));
    return isWanted && !isNamed ? rule(search, request) : [];
  });
  return {
    processes: Object.fromEntries(found.map(({ name, type }) => [name, type])),
    findings: found.map(({ name, type, why, evidence }) =>
      finding('process', `${name}: ${type.command}`, why, evidence),
    ),
  };
}

const celery: Rule = (search, { root, dependencies }) => {
  const app = search(CELERY_APP);
  if (app === undefined) return [];
  const target = `${moduleOf(app.file, root)}:${app.match[1]}`;
  const place = `${app.file}:${app.line}`;
  const command = `python -m celery -A ${target}`;
  const worker: Found = {
    name: 'worker',
    type: { kind: 'worker', command: `${command} worker --loglevel INFO --concurrency 2` },
    why: 'a Celery app',
    evidence: place,
  };
  const stored = dependencies.includes('django-celery-beat');
  const schedule = stored ? app : search(SCHEDULE);
  if (schedule === undefined) return [worker];
  const where = stored
    ? '--scheduler django_celery_beat.schedulers:DatabaseScheduler'
    : '--schedule /tmp/celerybeat-schedule';
  const beat: Found = {
    name: 'beat',
    type: { kind: 'singleton', command: `${command} beat --loglevel INFO --pidfile= ${where}` },
    why: stored ? 'django-celery-beat is a dependency' : 'a schedule of Celery',
    evidence: stored ? place : `${schedule.file}:${schedule.line}`,
  };
  return [worker, beat];
};

const rq: Rule = (search, { isDjango, dependencies }) => {
  if (isDjango && dependencies.includes('django-rq')) {
    const setting = search(/^RQ_QUEUES\b/);
    if (setting === undefined) return [];
    const queues = [...setting.match.input.matchAll(/["'](\w[\w-]*)["']\s*:\s*\{/g)];
    const names = queues.map(([, name = '']) => name).join(' ') || 'default';
    return [worker(`python manage.py rqworker ${names}`, 'the queues of django-rq', setting)];
  }
  const queue = search(/\bQueue\(\s*(["'])([\w-]+)\1|\bQueue\(/);
  if (queue === undefined) return [];
  const name = queue.match[2] ?? 'default';
  return [worker(`rq worker ${name} --url $REDIS_URL`, 'a queue of RQ', queue)];
};

const huey: Rule = (search, { isDjango, root }) => {
  if (isDjango) {
    const installed = search(/["']huey\.contrib\.djhuey["']/);
    return installed ? [worker('python manage.py run_huey', 'huey is installed', installed)] : [];
  }
  const app = search(/^(\w+)\s*=\s*(?:\w+\.)?(?:RedisHuey|PriorityRedisHuey|RedisExpireHuey)\(/);
  if (app === undefined) return [];
  const target = `${moduleOf(app.file, root)}.${app.match[1]}`;
  return [worker(`huey_consumer.py ${target}`, 'a huey instance', app)];
};

const djangoQ: Rule = (search) => {
  const installed = search(/["']django_q["']/);
  return installed ? [worker('python manage.py qcluster', 'django-q is installed', installed)] : [];
};

const dramatiq: Rule = (search, { isDjango, root }) => {
  if (isDjango) {
    const installed = search(/["']django_dramatiq["']/);
    const command = 'python manage.py rundramatiq --processes 1';
    return installed ? [worker(command, 'dramatiq is installed', installed)] : [];
  }
  const actor = search(/^@(?:dramatiq\.)?actor\b/);
  if (actor === undefined) return [];
  return [worker(`dramatiq ${moduleOf(actor.file, root)} --processes 1`, 'an actor', actor)];
};

const arq: Rule = (search, { root }) => {
  const settings = search(/^class (WorkerSettings)\b/);
  if (settings === undefined) return [];
  return [
    worker(`arq ${moduleOf(settings.file, root)}.WorkerSettings`, 'settings of arq', settings),
  ];
};

function worker(
  command: string,
  why: string,
  { file, line }: { file: string; line: number },
): Found {
  return { name: 'worker', type: { kind: 'worker', command }, why, evidence: `${file}:${line}` };
}

/** First line of the project that matches, in files that say `celery`, `tasks` ... first. */
function searcher(tree: SourceTree, root: string): Search {
  const files = walkFiles(tree, root, 5)
    .filter((path) => path.endsWith('.py') && !/(^|\/)(tests?|docs?|migrations)\//.test(path))
    .slice(0, FILES_MAX);
  const trusted = /(^|\/)(celery\w*|worker|tasks|settings|config|base|production)\.py$/;
  const ordered = [...files.filter((one) => trusted.test(one)), ...files];
  return (pattern) => {
    for (const file of ordered) {
      const text = tree.read(file) ?? '';
      if (!new RegExp(pattern.source.replaceAll('^', ''), pattern.flags).test(text)) continue;
      for (const line of logicalLines(text)) {
        const match = pattern.exec(line.text);
        if (match !== null && (line.indent === 0 || !pattern.source.startsWith('^'))) {
          return { match, file, line: line.line };
        }
      }
    }
    return undefined;
  };
}

/** Also below `src`, which is on the path then. */
function moduleOf(file: string, root: string): string {
  return moduleName(file, root).replace(/^src\./, '');
}

/** Management commands that look as if they were to run for ever: named, never started unasked. */
export function endlessCommands(tree: SourceTree, root: string): Finding[] {
  return walkFiles(tree, root, 6)
    .filter((path) => /\/management\/commands\/\w+\.py$/.test(path))
    .flatMap((path) => {
      const endless = logicalLines(tree.read(path) ?? '').find(({ code }) =>
        /^while (True|1|not )/.test(code),
      );
      if (endless === undefined) return [];
      const name = path.slice(path.lastIndexOf('/') + 1, -'.py'.length);
      const why = `if it is to run for ever, in tandem.toml: [processes] ${name} = "python manage.py ${name}"`;
      return [finding('process', `${name} not started`, why, `${path}:${endless.line}`)];
    });
}
