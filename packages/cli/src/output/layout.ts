// How lines look: a label, a text, and the seconds at the right; and tables. Pure.
import { formatSeconds } from './quantities.ts';

const LABEL_WIDTH = 9;
const LINE_WIDTH = 66;

/** `Upload   214 files, 1.9 MB                                   0.4 s` */
export function labelled(label: string, text: string, ms?: number): string {
  const left = `${label.padEnd(LABEL_WIDTH - 1)} ${text}`.trimEnd();
  if (ms === undefined) return left;
  const right = formatSeconds(ms);
  return `${left.padEnd(LINE_WIDTH - right.length - 1)} ${right}`;
}

/** Continuation lines stand below the text of the first one. */
export function indented(label: string, text: string, indent = 0): string {
  const [first = '', ...rest] = text.split('\n');
  const width = LABEL_WIDTH - indent;
  const lines = [
    `${label.padEnd(width - 1)} ${first}`,
    ...rest.map((line) => ' '.repeat(width) + line),
  ];
  return lines.map((line) => `${' '.repeat(indent)}${line}`.trimEnd()).join('\n');
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** Cut to what one line of the terminal holds; control characters cannot move the cursor. */
export function oneLine(text: string, columns: number): string {
  const clean = printable(text.replaceAll('\n', ' '));
  return clean.length < columns ? clean : `${clean.slice(0, Math.max(0, columns - 2))}…`;
}

/** Text of an app or a build, harmless on a terminal: no escape sequences, no other controls. */
export function printable(text: string): string {
  return text
    .replaceAll(/\u001b\[[0-?]*[ -/]*[@-~]/g, '')
    .replaceAll(/\u001b\][^\u0007\u001b]*(?:\u0007|\u001b\\)/g, '')
    .replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '');
}
