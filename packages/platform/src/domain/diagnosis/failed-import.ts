// The application raises while it is imported, or the server does not find it where it was told.
import type { ErrorBody } from '@tandem/protocol';
import type { DiagnosisInput } from './evidence.ts';
import { copyTemplate } from './missing-template.ts';
import { lastTraceback, projectFrame, projectWhere, type Traceback } from './traceback.ts';

const SAID_LENGTH_MAX = 200;

/** What gunicorn and uvicorn say. */
const NOT_FOUND = [
  /Failed to find attribute '([^']+)' in '([^']+)'/,
  /Attribute "([^"]+)" not found in module "([^"]+)"/,
];
/** What Python says when an entry is looked up. */
const NO_ATTRIBUTE = /^module '([^']+)' has no attribute '([^']+)'$/;
const NO_MODULE = /Could not import module "([^"]+)"/;

export function failedImport(input: DiagnosisInput): ErrorBody | undefined {
  if (input.phase === 'probe') return undefined;
  const traceback = lastTraceback(input.logTail);
  if (traceback !== undefined && projectFrame(traceback) !== undefined) {
    const isOurs = traceback.frames.at(-1)?.file.startsWith('/app/') === true;
    if (traceback.type === 'SystemExit' && isOurs) return endsItself(traceback, input.logTail);
    return {
      code: 'IMPORT_FAILED',
      message: `The application fails while it is imported: ${traceback.type}: ${saidIn(traceback)}`,
      where: projectWhere(traceback),
      hint: copyTemplate(traceback.message, input) ?? 'mend the line and deploy again',
    };
  }
  return attributeMissing(traceback?.message ?? '') ?? attributeMissing(input.logTail);
}

/** pydantic counts in the first line, and says what is wrong in those below it. */
function saidIn({ message }: Traceback): string {
  const [first = '', ...more] = message.split('\n');
  if (!/^\d+ validation errors? for /.test(first)) return first;
  const errors = more.filter((line) => line.trim() !== '' && !/^\s*For further/.test(line));
  const said = errors.map((line) => line.trim().replace(/\s*\[type=.*$/, '')).join(' ');
  return `${first}: ${said.slice(0, SAID_LENGTH_MAX)}`;
}

/** What it wants stands in its own words before the traceback. */
function endsItself(traceback: Traceback, log: string): ErrorBody {
  const before = log.slice(0, log.lastIndexOf('Traceback (most recent call last)')).trimEnd();
  const said = before.split('\n').at(-1)?.trim();
  const after = said ? `, after "${said.slice(0, SAID_LENGTH_MAX)}"` : '';
  return {
    code: 'IMPORT_FAILED',
    message: `The application ends its process while it is imported${after}.`,
    where: projectWhere(traceback),
    hint: 'it asks for what that line says; a variable: tandem config set NAME=VALUE, a file: add it to the source',
  };
}

function attributeMissing(log: string): ErrorBody | undefined {
  for (const pattern of NOT_FOUND) {
    const [, attribute, module] = pattern.exec(log) ?? [];
    if (attribute !== undefined) return notFound(`Module "${module}" has no "${attribute}".`);
  }
  const [, owner, name] = NO_ATTRIBUTE.exec(log) ?? [];
  if (name !== undefined) return notFound(`Module "${owner}" has no "${name}".`);
  const module = NO_MODULE.exec(log)?.[1];
  return module === undefined ? undefined : notFound(`There is no module "${module}".`);
}

function notFound(message: string): ErrorBody {
  return {
    code: 'IMPORT_FAILED',
    message,
    hint: 'name the application in tandem.toml: entry = "PACKAGE.MODULE:ATTRIBUTE"',
  };
}
