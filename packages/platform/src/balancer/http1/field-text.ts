// Field lines as text: what goes on of a block, and single fields where somebody asks for one.
import type { FieldScanner } from './field-scanner.ts';
import { listOf } from './field-scanner.ts';

/** Positions in the scanned bytes, where the text begins at `base`. */
export interface LineRange {
  readonly base: number;
  readonly start: number;
  readonly end: number;
}

/** The lines of `text` in the range that go on. */
export function keptLines(
  text: string,
  { base, start, end }: LineRange,
  { dropped, droppedCount }: FieldScanner,
): string {
  if (droppedCount === 0) return text.slice(start - base, end - base);
  let kept = '';
  let from = start;
  for (let index = 0; index < droppedCount; index += 2) {
    const dropStart = dropped[index] as number;
    if (dropStart > from) kept += text.slice(from - base, dropStart - base);
    from = dropped[index + 1] as number;
  }
  return end > from ? kept + text.slice(from - base, end - base) : kept;
}

/** Without the lines whose name, in lower case, `isDropped` says so. */
export function withoutFields(lines: string, isDropped: (name: string) => boolean): string {
  let kept = '';
  for (const line of linesOf(lines)) if (!isDropped(nameOf(line))) kept += `${line}\r\n`;
  return kept;
}

/** All values of a field, in order; `name` in lower case. */
export function fieldValues(lines: string, name: string): string[] {
  return linesOf(lines)
    .filter((line) => nameOf(line) === name)
    .map((line) => line.slice(line.indexOf(':') + 1).trim());
}

/** The field lines of a head without its first line. */
export const fieldLinesOf = (head: string): string => head.slice(head.indexOf('\r\n') + 2);

/** Name and value of each line. */
export const fieldPairs = (lines: string): [name: string, value: string][] =>
  linesOf(lines).map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });

/** The fields that Connection names belong to it (RFC 9110 section 7.6.1). */
export function namedByConnection(lines: string): ReadonlySet<string> {
  return new Set(fieldValues(lines, 'connection').flatMap(listOf).filter(isToken));
}

/** No other name is one of a field; the first line of a head might be taken for one. */
const isToken = (text: string): boolean => /^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(text);

const linesOf = (lines: string): string[] => lines.split('\r\n').filter((line) => line !== '');

const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();
