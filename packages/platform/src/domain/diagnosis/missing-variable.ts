// A variable that the project reads without a default, whichever library it reads it with.
import type { Cause, DiagnosisInput } from './evidence.ts';
import { lastTraceback, projectFrame, projectWhere, type Traceback } from './traceback.ts';

/** Messages of django-environ, environs, decouple, envparse, starlette, and of Django's own setting. */
const MESSAGES = [
  /Set the (\w+) environment variable/,
  /Environment variable "(\w+)" (?:not set|is not set|invalid)/,
  /^(\w+) not found\. Declare it as envvar or define a default value/,
  /Config '(\w+)' is missing, and has no default/,
  /The (SECRET_KEY) setting must not be empty/,
  /Configuration (\w+) not found/,
  /^(\w+) is required in env \w+/,
  /(?:[Mm]issing|[Rr]equired|[Uu]ndefined|not set).{0,30}environment variable:?\s+["'`]?(\w+)/,
  /environment variable\s+["'`]?([A-Z]\w+)["'`]?\s+(?:is )?(?:missing|required|not set|must be set)/,
];

export function missingVariable(input: DiagnosisInput): Cause | undefined {
  const traceback = lastTraceback(input.logTail);
  const [first] = traceback ? namesIn(traceback) : [];
  if (traceback === undefined || first === undefined) return undefined;
  // The first one stopped it; whoever sets that alone would meet the next.
  const names = [...new Set([...namesIn(traceback), ...(input.requiredVariables ?? [])])];
  const message =
    names.length === 1
      ? `The project needs the variable ${first}, which is not set.`
      : `The project needs variables that are not set: ${names.join(', ')}.`;
  return {
    code: 'VARIABLE_MISSING',
    message,
    where: projectWhere(traceback),
    hint: `tandem config set ${names.map((name) => `${name}=...`).join(' ')}`,
  };
}

function namesIn(traceback: Traceback): string[] {
  const byMessage = MESSAGES.map((pattern) => pattern.exec(traceback.message)?.[1]).find(Boolean);
  if (byMessage !== undefined) return [byMessage];
  if (traceback.type === 'KeyError' && readsEnvironment(traceback)) {
    return [/^['"]([A-Za-z_]\w*)['"]$/.exec(traceback.message)?.[1] ?? []].flat();
  }
  return traceback.type === 'ValidationError' ? requiredFields(traceback.message) : used(traceback);
}

/** A value that is None because the variable it is read from is not set. */
function used(traceback: Traceback): string[] {
  if (!/NoneType/.test(traceback.message)) return [];
  const text = projectFrame(traceback)?.text ?? '';
  const name = /(?:environ\.get|getenv|environ\[)\(?\s*["'](\w+)["']\s*\)/.exec(text)?.[1];
  return name === undefined ? [] : [name];
}

function readsEnvironment(traceback: Traceback): boolean {
  const last = traceback.frames.at(-1);
  return /\/os\.py$|<frozen os>/.test(last?.file ?? '') || /environ/.test(last?.text ?? '');
}

/** pydantic: each field on a line of its own, `  Field required [type=missing, ...]` below it. */
function requiredFields(message: string): string[] {
  if (!/for \w*(Settings|Config|Env)/i.test(message)) return [];
  const fields = message.matchAll(/^\s*(\w+)\n\s+[Ff]ield required/gm);
  return [...fields].map(([, name = '']) => name.toUpperCase());
}
