// The last Python traceback of a log, as data.

export interface Frame {
  readonly file: string;
  readonly line: number;
  /** The source line, when the traceback shows it. */
  readonly text: string;
}

export interface Traceback {
  readonly frames: readonly Frame[];
  /** Without its package: `ModuleNotFoundError`. */
  readonly type: string;
  readonly message: string;
}

export const TRACEBACK_START = 'Traceback (most recent call last):';
const FRAME = /^\s+File "([^"]+)", line (\d+)/;
const EXCEPTION = /^((?:\w+\.)*)(\w+)(?:: (.*))?$/;
const APP = '/app/';
/** Lines of manage.py and wsgi.py that are in every traceback and say nothing. */
const STARTS_DJANGO = /execute_from_command_line\(|get_[aw]sgi_application\(|^main\(\)$/;
const DIRECT_CAUSE = 'The above exception was the direct cause of the following exception:';
/** Gunicorn's own, after that of the worker that did not boot. */
const SERVER_GIVES_UP = 'HaltServer';

export function lastTraceback(log: string): Traceback | undefined {
  const lines = log.split('\n').map((line) => line.trimEnd());
  const starts = lines.flatMap((line, index) => (line.includes(TRACEBACK_START) ? [index] : []));
  const tracebacks = starts.toReversed().map((start) => tracebackAt(lines, start));
  return tracebacks.find((one) => one === undefined || one.type !== SERVER_GIVES_UP);
}

/** The exception that the last one was raised from, when it was. */
export function causeOfLast(log: string): Traceback | undefined {
  const at = log.lastIndexOf(DIRECT_CAUSE);
  return at < 0 || log.indexOf(TRACEBACK_START, at) < 0
    ? undefined
    : lastTraceback(log.slice(0, at));
}

function tracebackAt(lines: readonly string[], start: number): Traceback | undefined {
  // A logger may put its own prefix before every line of a traceback.
  const prefix = lines[start]?.indexOf(TRACEBACK_START) ?? 0;
  const block = lines.slice(start + 1).map((line) => line.slice(prefix));
  const end = block.findIndex((line) => line !== '' && !/^\s/.test(line));
  const [, , type, message = ''] = EXCEPTION.exec(block[end] ?? '') ?? [];
  if (type === undefined) return undefined;
  return { frames: framesOf(block.slice(0, end)), type, message: withMore(message, block, end) };
}

/** What faulthandler writes of a process that hangs: frames only, of the thread in the project. */
export function dumpedStack(log: string): Pick<Traceback, 'frames'> | undefined {
  const start = log.lastIndexOf('(most recent call first):');
  const dump = log.slice(Math.max(0, log.lastIndexOf('\nTimeout (', start)));
  if (start < 0 || !/^\s*Timeout \(/.test(dump)) return undefined;
  const frames = [...dump.matchAll(/^ {2}File "([^"]+)", line (\d+) in /gm)].map(
    ([, file = '', line]) => ({ file, line: Number(line), text: '' }),
  );
  // Deepest last, as in a traceback.
  return { frames: frames.reverse() };
}

/** The deepest frame in the project's own files that does anything; relative to the source. */
export function projectFrame(traceback: Pick<Traceback, 'frames'>): Frame | undefined {
  const frame = traceback.frames.findLast(
    (one) => one.file.startsWith(APP) && !STARTS_DJANGO.test(one.text),
  );
  return frame && { ...frame, file: frame.file.slice(APP.length) };
}

export function projectWhere(traceback: Pick<Traceback, 'frames'>): string | undefined {
  const frame = projectFrame(traceback);
  if (frame === undefined) return undefined;
  const text = frame.text === '' ? '' : ` ${frame.text}`;
  return `${frame.file}:${frame.line}${text}`;
}

function framesOf(lines: readonly string[]): Frame[] {
  return lines.flatMap((line, index) => {
    const [, file, number] = FRAME.exec(line) ?? [];
    if (file === undefined) return [];
    const next = lines[index + 1] ?? '';
    const text = FRAME.test(next) ? '' : next.trim();
    return [{ file, line: Number(number), text }];
  });
}

/** Messages may go on over indented lines (pydantic names its missing fields there). */
function withMore(message: string, block: readonly string[], end: number): string {
  const more = block.slice(end + 1, end + 12);
  const stop = more.findIndex((line) => line === '' || /^\[|^Traceback/.test(line));
  return [message, ...(stop < 0 ? more : more.slice(0, stop))].join('\n').trim();
}
