// Logs of JSON, one object a line: a traceback is one of its strings there.
import { TRACEBACK_START } from './traceback.ts';

/** The log with each such traceback over lines of its own, in place of its object. */
export function withPlainTracebacks(log: string): string {
  return log.includes(TRACEBACK_START) ? log.split('\n').map(plain).join('\n') : log;
}

function plain(line: string): string {
  const text = line.slice(Math.max(0, line.indexOf('{')));
  if (!text.startsWith('{') || !text.includes(TRACEBACK_START)) return line;
  const tracebacks: string[] = [];
  try {
    JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === 'string' && value.includes(TRACEBACK_START)) tracebacks.push(value);
      return value;
    });
  } catch {
    return line;
  }
  return tracebacks.length === 0 ? line : tracebacks.join('\n');
}
