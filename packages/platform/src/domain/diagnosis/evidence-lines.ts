// The lines of a log that led to a cause: the part of the traceback that is the project's and its
// end, or the line that said it.
import type { Cause } from './evidence.ts';
import { lastTraceback, type Frame } from './traceback.ts';

const LINES_MAX = 12;
const LAST_LINES = 5;
const LINE_LENGTH_MAX = 400;

export function evidenceLines(logTail: string, cause: Pick<Cause, 'said'> | undefined): string[] {
  const lines = logTail.split('\n').filter((line) => line.trim() !== '');
  const said = cause?.said?.split('\n')[0] ?? '';
  const found = said === '' ? [] : lines.filter((line) => line.includes(said)).slice(-2);
  const chosen = found.length > 0 ? found : (ofTraceback(logTail) ?? lines.slice(-LAST_LINES));
  return chosen.slice(0, LINES_MAX).map((line) => line.slice(0, LINE_LENGTH_MAX));
}

function ofTraceback(logTail: string): string[] | undefined {
  const traceback = lastTraceback(logTail);
  if (traceback === undefined) return undefined;
  const own = traceback.frames.filter(({ file }) => file.startsWith('/app/')).slice(-3);
  // What was called last may lie in a library.
  const last = traceback.frames.at(-1);
  const frames = last === undefined || own.includes(last) ? own : [...own, last];
  const end = [traceback.type, traceback.message].filter(Boolean).join(': ');
  return [...frames.flatMap(shown), ...end.split('\n')];
}

function shown({ file, line, text }: Frame): string[] {
  const place = `  File "${file}", line ${line}`;
  return text === '' ? [place] : [place, `    ${text}`];
}
