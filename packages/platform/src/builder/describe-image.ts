// From what was detected and what the project said when it ran to the description of its image.
// Pure.
import type {
  BuiltImage,
  Finding,
  ProcessType,
  ReleaseLayers,
  StaticFiles,
} from '../domain/release.ts';
import type { Detection } from './detect/detect.ts';
import { finding } from './detect/evidence.ts';
import { insideApp } from './detect/source-tree.ts';
import { withCeleryOptionsFirst } from './celery-command.ts';
import { redisNeed } from './redis-need.ts';
import { servedFiles } from './static-routes.ts';
import { serverCommand, serverOf, startedAsModule, type Application } from './server-command.ts';
import { versionIn, type Lock } from './steps/lock.ts';
import type { PrepareReport } from './steps/prepare-report.ts';
import { volumeOf } from './volume-plan.ts';
import { STAND_IN_DATABASE_HOST } from './steps/stand-in-config.ts';

const POSTGRESQL = /postgresql|postgis|psycopg2/;
/** Hosts in settings that mean "wherever the database is": see tandem_runtime/overlay.py. */
const ANYWHERE = new Set([
  '',
  'localhost',
  '127.0.0.1',
  '::1',
  'db',
  'postgres',
  'postgresql',
  'database',
]);

export interface ImageParts {
  readonly detection: Detection;
  readonly report: PrepareReport;
  readonly lock: Lock | undefined;
  readonly layers: ReleaseLayers;
  readonly env: Readonly<Record<string, string>>;
  readonly config: Readonly<Record<string, string>>;
  /** See redis-need.ts. */
  readonly redisMention?: string | undefined;
}

export function describeImage(parts: ImageParts): BuiltImage {
  const { detection, report, layers, env } = parts;
  const needsDatabase = wantsDatabase(parts);
  const redis = redisNeed({ ...parts, mention: parts.redisMention });
  const staticFiles = staticFilesOf(report);
  const volume = volumeOf(detection, report);
  const served = servedFiles(detection, report, volume.plan);
  const workingDirectory = insideApp(detection.root);
  const celery = withCeleryOptionsFirst(processTypes(parts), parts.lock);
  return {
    layers,
    framework: frameworkOf(detection),
    ...(detection.nodeApp ? {} : { pythonVersion: detection.pythonVersion }),
    processTypes: celery.processes,
    releaseCommands: releaseCommands(parts),
    needsDatabase,
    needsRedis: redis.needed,
    workingDirectory,
    env,
    aliases: detection.variables.aliases,
    ...(staticFiles === undefined ? {} : { staticFiles }),
    ...served.image,
    ...(report.migrations === undefined ? {} : { migrations: report.migrations }),
    findings: [
      // Of the volume more is known by now.
      ...detection.findings.filter(({ rule }) => rule !== 'volume'),
      ...volume.findings,
      ...served.findings,
      ...reportFindings(report),
      ...redis.findings,
      ...celery.findings,
    ],
  };
}

function releaseCommands({ detection, report }: ImageParts): string[] {
  const named = detection.named.releaseCommands ?? [];
  const isNamed = named.some((command) => command.includes('createcachetable'));
  return report.cacheTable === true && !isNamed
    ? ['python manage.py createcachetable', ...named]
    : [...named];
}

export function frameworkOf(detection: Detection): BuiltImage['framework'] {
  const { settings, entry, nodeApp, isSite } = detection;
  if (settings) return 'django';
  if (nodeApp) return 'node';
  return entry?.framework ?? (isSite ? 'static' : 'procfile');
}

/** The application to serve; undefined when only a Procfile knows. */
export function applicationOf(
  detection: Detection,
  report: Pick<PrepareReport, 'entry'> | undefined,
): Application | undefined {
  const entry = report?.entry ?? detection.entry;
  if (!entry) return undefined;
  return {
    module: entry.module,
    attribute: entry.attribute,
    kind: entry.kind,
    factory: detection.entry?.factory ?? false,
  };
}

function processTypes(parts: ImageParts): Record<string, ProcessType> {
  const { detection, report, lock } = parts;
  const named = detection.named.processes;
  const application = applicationOf(detection, report);
  const own = named['web'];
  const server = own && serverOf(own.command);
  if (own !== undefined && server !== undefined && versionIn(lock, server) === undefined) {
    return { ...named, web: { ...own, command: startedAsModule(own.command) } };
  }
  if (own !== undefined || application === undefined) return { ...named };
  const versions = { gunicorn: versionIn(lock, 'gunicorn'), uvicorn: versionIn(lock, 'uvicorn') };
  return { web: serverCommand(application, versions), ...named };
}

function wantsDatabase({ detection, report, config }: ImageParts): boolean {
  if (detection.config.database !== undefined) return detection.config.database;
  if (config['DATABASE_URL'] !== undefined) return false;
  if (detection.settings === undefined) return detection.wantsDatabase;
  return Object.values(report.databases ?? {}).some(
    ({ engine, host }) =>
      POSTGRESQL.test(engine) && (host === STAND_IN_DATABASE_HOST || ANYWHERE.has(host)),
  );
}

function staticFilesOf(report: PrepareReport): StaticFiles | undefined {
  const files = report.static;
  if (files === undefined || files.fileCount === 0) return undefined;
  const url = files.url ?? '';
  // On another host: somebody else serves them.
  if (url === '' || /^(https?:)?\/\//.test(url)) return undefined;
  const urlPrefix = `/${url}/`.replace(/\/+/g, '/');
  if (urlPrefix === '/') return undefined;
  return { urlPrefix, directory: files.root, fileCount: files.fileCount };
}

function reportFindings(report: PrepareReport): Finding[] {
  return [
    ...(report.overrides ?? []).map(({ setting, value, why }) => finding(setting, value, why)),
    ...report.notes.map(({ rule, value, why }) => finding(rule, value, why)),
    ...(report.static ? [finding('static', `${report.static.fileCount} files`, 'collected')] : []),
    ...(report.cacheTable === true
      ? [finding('release', 'createcachetable', 'a cache keeps its entries in the database')]
      : []),
    ...(report.debug === true
      ? [finding('debug', 'DEBUG = True', 'while no public host is set')]
      : []),
  ];
}
