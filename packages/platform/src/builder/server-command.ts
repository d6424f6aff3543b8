// The web process when the project names none: gunicorn for WSGI, uvicorn for ASGI. Pure.
import { LIMITS } from '../domain/limits.ts';
import type { ProcessType } from '../domain/release.ts';
import { isOlder } from './detect/version-specifier.ts';

export interface Application {
  readonly module: string;
  readonly attribute: string;
  readonly kind: 'wsgi' | 'asgi';
  readonly factory: boolean;
}

/** Longer than a request should take, shorter than the grace of a web process. */
const GRACEFUL_TIMEOUT_S = 25;
const OWN_SERVER = /^((?:exec\s+)?)(gunicorn|uvicorn)(?=\s)/;
const UVICORN_GRACEFUL_SINCE = '0.22';
const GUNICORN_IS_PROGRAM_SINCE = '20';

/** Of the servers that the project itself brings. */
export interface ServerVersions {
  readonly gunicorn?: string | undefined;
  readonly uvicorn?: string | undefined;
}

export function serverCommand(application: Application, versions: ServerVersions): ProcessType {
  const command =
    application.kind === 'wsgi'
      ? gunicorn(application, versions.gunicorn)
      : uvicorn(application, versions.uvicorn);
  return { kind: 'web', command, keepAliveMs: LIMITS.gunicorn.keepAliveS * 1000 };
}

/** Everything else stands in tandem_runtime/gunicorn_conf.py, which also reads the project's own. */
function gunicorn({ module, attribute, factory }: Application, version?: string): string {
  const target = factory ? `'${module}:${attribute}()'` : `${module}:${attribute}`;
  const isOld = version !== undefined && isOlder(version, GUNICORN_IS_PROGRAM_SINCE);
  return `python -m ${isOld ? 'gunicorn.app.wsgiapp' : 'gunicorn'} --config python:tandem_runtime.gunicorn_conf ${target}`;
}

function uvicorn({ module, attribute, factory }: Application, version: string | undefined): string {
  const isOld = version !== undefined && isOlder(version, UVICORN_GRACEFUL_SINCE);
  return [
    'python -m uvicorn',
    // One worker unless WEB_CONCURRENCY says otherwise: it is asynchronous.
    `--host :: --port ${LIMITS.instance.port}`,
    `--timeout-keep-alive ${LIMITS.gunicorn.keepAliveS}`,
    ...(isOld ? [] : [`--timeout-graceful-shutdown ${GRACEFUL_TIMEOUT_S}`]),
    // Nothing but our balancers reaches it.
    "--proxy-headers --forwarded-allow-ips '*'",
    '--no-access-log',
    ...(factory ? ['--factory'] : []),
    `${module}:${attribute}`,
  ].join(' ');
}

/** The server that a command of the project starts, if it is one that we can bring. */
export function serverOf(command: string): 'gunicorn' | 'uvicorn' | undefined {
  const name = OWN_SERVER.exec(command)?.[2];
  return name === 'gunicorn' || name === 'uvicorn' ? name : undefined;
}

/** What we bring has no program on the path, only the module. */
export function startedAsModule(command: string): string {
  return command.replace(OWN_SERVER, '$1python -m $2');
}
