// A server that speaks WSGI runs an application of ASGI, or the other way round, or something that
// is no application at all.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { packageOf } from './import-error.ts';
import { lastTraceback, type Traceback } from './traceback.ts';

const SERVERS = new Set([
  'gunicorn',
  'uvicorn',
  'hypercorn',
  'daphne',
  'asgiref',
  'granian',
  'waitress',
  'cheroot',
  'gevent',
]);

const ASGI_UNDER_WSGI = [
  /__call__\(\) missing 1 required positional argument: 'send'/,
  /__call__\(\) missing 2 required positional arguments: 'receive' and 'send'/,
  /\b(?:application|app|asgi)\(\) missing 1 required positional argument: 'send'/,
  /'coroutine' object is not (?:iterable|an iterator)/,
];
const WSGI_UNDER_ASGI = [
  /\(\) missing 1 required positional argument: 'start_response'/,
  /ASGI callable returned without (?:sending handshake|starting response|completing response)/,
  /__call__\(\) takes (?:from 1 to )?[23] positional arguments but [34] were given/,
  /\b(?:application|app|wsgi)\(\) takes (?:from 1 to )?2 positional arguments but 3 were given/,
];
const FACTORY =
  /\b((?:create|make|get|build)_\w+)\(\) (?:takes|missing|got)\b[^\n]*positional argument/;
const NO_APPLICATION = /'module' object is not callable|Application object must be callable/;

export function interfaceMixed(input: DiagnosisInput): Cause | undefined {
  if (input.phase === 'build') return undefined;
  const traceback = lastTraceback(input.logTail);
  if (traceback !== undefined && !isCalledByServer(traceback)) return undefined;
  const text = traceback?.message ?? input.logTail;
  const factory = FACTORY.exec(text)?.[1];
  if (factory !== undefined) {
    const hint = `call it in the web command: gunicorn "MODULE:${factory}()", uvicorn --factory MODULE:${factory}`;
    return cause(input, `The server takes the factory ${factory} for the application.`, hint, text);
  }
  if (matches(ASGI_UNDER_WSGI, text)) {
    const hint = `in the web command: gunicorn -k uvicorn.workers.UvicornWorker ..., or: uvicorn MODULE:APP --host :: --port $PORT${ours(input)}`;
    return cause(input, 'The application is ASGI, and its server speaks WSGI.', hint, text);
  }
  if (matches(WSGI_UNDER_ASGI, text) || matches(WSGI_UNDER_ASGI, input.logTail)) {
    const hint = `in the web command: gunicorn MODULE:APP without a worker class${ours(input)}`;
    return cause(input, 'The application is WSGI, and its server speaks ASGI.', hint, text);
  }
  if (!NO_APPLICATION.test(text)) return undefined;
  const hint = 'name it in tandem.toml: entry = "PACKAGE.MODULE:ATTRIBUTE"';
  return cause(input, 'The server was given something that is no application.', hint, text);
}

/** A call that fails further in is the project's own mistake. */
function isCalledByServer({ frames }: Traceback): boolean {
  const last = frames.at(-1);
  return last !== undefined && SERVERS.has(packageOf(last) ?? '');
}

/** Without a command of the project's own, the platform chose. */
function ours({ command }: DiagnosisInput): string {
  return command === undefined
    ? '\nor name the application: entry = "PACKAGE.MODULE:ATTRIBUTE" in tandem.toml'
    : '\nor remove the line: the platform then chooses the server';
}

function cause(input: DiagnosisInput, message: string, hint: string, text: string): Cause {
  const said = text.split('\n').find((line) => line.trim() !== '');
  return { code: 'INTERFACE_MIXED', message, where: input.command, hint, said };
}

function matches(patterns: readonly RegExp[], text: string): boolean {
  return patterns.some((pattern) => pattern.test(text));
}
