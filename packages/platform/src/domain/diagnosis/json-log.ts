// Logs of JSON, one object a line: a traceback is one of its strings there.
const START = 'Traceback (most recent call last):';

/** The log with each such traceback over lines of its own, in place of its object. */
export function withPlainTracebacks(log: string): string {
  return log.includes(START) ? log.split('\n').map(plain).join('\n') : log;
}

function plain(line: string): string {
  const text = line.slice(Math.max(0, line.indexOf('{')));
  if (!text.startsWith('{') || !text.includes(START)) return line;
  const tracebacks: string[] = [];
  try {
    JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === 'string' && value.includes(START)) tracebacks.push(value);
      return value;
    });
  } catch {
    return line;
  }
  return tracebacks.length === 0 ? line : tracebacks.join('\n');
}
