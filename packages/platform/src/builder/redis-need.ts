// Whether an app wants Redis: a word in tandem.toml, else a client among what is installed. Pure.
import type { Finding } from '../domain/release.ts';
import type { Detection } from './detect/detect.ts';
import { finding } from './detect/evidence.ts';
import { firstLine, under, walkFiles, type SourceTree } from './detect/source-tree.ts';
import type { Lock } from './steps/lock.ts';
import type { PrepareReport } from './steps/prepare-report.ts';

/** Distributions that speak to Redis, and those that do nothing without it. */
const CLIENTS = [
  'aioredis',
  'arq',
  'channels-redis',
  'django-redis',
  'django-rq',
  'huey',
  'redis',
  'rq',
];
/** Whoever sets one of these has a server elsewhere. */
const OWN_SERVER = ['REDIS_URL', 'REDIS_HOST'];
const DEPTH_MAX = 4;
const SETTINGS = /(^|\/)(settings|config|conf|celery|celeryconfig)(\/|[\w.]*\.py$)/;

export interface RedisNeedInput {
  readonly detection: Pick<Detection, 'config' | 'dependencies'>;
  readonly lock: Lock | undefined;
  readonly config: Readonly<Record<string, string>>;
  /** `file:line` at which the project's settings speak of Redis. */
  readonly mention: string | undefined;
  /** The imported settings name the server that the build hands out. */
  readonly report: Pick<PrepareReport, 'redis'>;
}

export interface RedisNeed {
  readonly needed: boolean;
  readonly findings: readonly Finding[];
}

export function redisNeed({ detection, lock, config, mention, report }: RedisNeedInput): RedisNeed {
  const say = (needed: boolean, why: string, evidence?: string): RedisNeed => {
    const value = needed ? 'a server of its own' : 'none';
    return { needed, findings: [finding('redis', value, why, evidence)] };
  };
  const wish = detection.config.redis;
  if (wish !== undefined) return say(wish, 'set in tandem.toml', 'tandem.toml');
  const names = [
    ...detection.dependencies.names,
    ...(lock?.packages ?? []).map(({ name }) => name),
  ];
  const client = CLIENTS.find((name) => names.includes(name));
  // A client that nobody here has heard of, or Celery's own word for it.
  const named = mention !== undefined && (report.redis === true || names.includes('celery'));
  if (client === undefined && !named) return { needed: false, findings: [] };
  const own = OWN_SERVER.find((name) => config[name] !== undefined);
  if (own !== undefined) return say(false, `config ${own} names a server elsewhere`);
  if (client !== undefined) return say(true, `${client} is installed`, mention);
  return say(true, 'the settings name it', mention);
}

/** The first line of the project's settings that speaks of Redis. */
export function mentionOfRedis(tree: SourceTree, root: string): string | undefined {
  const files = walkFiles(tree, root, DEPTH_MAX).filter((path) => path.endsWith('.py'));
  const settings = files.filter((path) => SETTINGS.test(relative(path, root)));
  return firstLine(tree, settings, /^(?!\s*#).*redis/i);
}

function relative(path: string, root: string): string {
  const prefix = under(root, '');
  return path.startsWith(prefix) ? path.slice(prefix.length) : path;
}
