// One line of a log file in conmon's k8s-file format:
// `2026-11-24T05:44:43.123456789+00:00 stdout F text`. `P` marks a part that more of the same stream
// follows; output that ends without a line feed leaves a last `P` without an `F`.

export type LogStream = 'stdout' | 'stderr';

/** As it stands in the file; `text` may end in the middle of a character when partial. */
export interface RawLogLine {
  /** With fractions: lines of one millisecond keep their order. */
  readonly atMs: number;
  readonly stream: LogStream;
  readonly partial: boolean;
  readonly text: Buffer;
}

/** As conmon splits what it reads. */
const PART_BYTES_MAX = 8192;
const HEAD =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?(Z|[+-]\d\d:\d\d) (stdout|stderr) ([PF])(?: |$)/;
/** Longer than any match of HEAD. */
const HEAD_BYTES_MAX = 64;

/** Undefined for anything else, for example a line that a power cut tore. */
export function parseLogLine(line: Buffer): RawLogLine | undefined {
  const head = HEAD.exec(line.toString('latin1', 0, HEAD_BYTES_MAX));
  if (head === null) return undefined;
  const [matched, seconds, fraction = '', zone, stream, tag] = head;
  const atMs = Date.parse(`${seconds}${zone}`) + Number(`0${fraction}`) * 1000;
  if (Number.isNaN(atMs)) return undefined;
  return {
    atMs,
    stream: stream as LogStream,
    partial: tag === 'P',
    text: line.subarray(matched.length),
  };
}

/** Lines of a file for one piece of text, which may hold line feeds; ends with a line feed. */
export function formatLogLines(atMs: number, stream: LogStream, text: string): string {
  const head = `${new Date(atMs).toISOString().replace('Z', '000000+00:00')} ${stream}`;
  const lines = (text.endsWith('\n') ? text.slice(0, -1) : text).split('\n');
  return lines.flatMap((line) => formatParts(head, line)).join('');
}

function formatParts(head: string, line: string): string[] {
  const parts: string[] = [];
  let rest = Buffer.from(line, 'utf8');
  while (rest.length > PART_BYTES_MAX) {
    const end = characterEnd(rest, PART_BYTES_MAX);
    parts.push(`${head} P ${rest.toString('utf8', 0, end)}\n`);
    rest = rest.subarray(end);
  }
  return [...parts, `${head} F ${rest.toString('utf8')}\n`];
}

/** The greatest index up to `end` that does not cut a UTF-8 character. */
export function characterEnd(bytes: Buffer, end: number): number {
  const CHARACTER_BYTES_MAX = 4;
  for (let index = end; index > end - CHARACTER_BYTES_MAX && index > 0; index -= 1) {
    if (((bytes[index] ?? 0) & 0xc0) !== 0x80) return index;
  }
  return end;
}
