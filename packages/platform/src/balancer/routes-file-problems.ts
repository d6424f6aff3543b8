// Mistakes of a routes file in words: where, which field, what is needed instead.
import { type Node, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { TandemError } from '@tandem/protocol';
import type * as v from 'valibot';
import { nearestWord } from '../lib/nearest-word.ts';
import { quote } from './routes-file-fields.ts';
import { keysKnownAt } from './routes-file-schema.ts';

export type FieldPath = readonly (string | number)[];

/** Found at `offset`, told later: lines are counted only for what is told. */
export interface Finding {
  readonly offset: number;
  readonly path: FieldPath;
  readonly complaint: string;
}

export interface Problem {
  readonly line: number;
  readonly column: number;
  /** `routes[2].upstreams[0]`; empty for the file itself. */
  readonly field: string;
  readonly complaint: string;
}

/** More than this nobody reads; the rest is counted. */
export const PROBLEMS_TOLD_MAX = 20;

export function problemsOf(findings: readonly Finding[], text: string): Problem[] {
  const told = [...findings].sort((a, b) => a.offset - b.offset).slice(0, PROBLEMS_TOLD_MAX);
  return told.map(({ offset, path, complaint }) => ({
    ...positionOf(text, offset),
    field: fieldOf(path),
    complaint,
  }));
}

export function positionOf(text: string, offset: number): { line: number; column: number } {
  let line = 1;
  let start = 0;
  for (let end = text.indexOf('\n'); end >= 0 && end < offset; end = text.indexOf('\n', start)) {
    line += 1;
    start = end + 1;
  }
  return { line, column: offset - start + 1 };
}

/** Others, of which some would end the line, are told in quotes. */
const PLAIN_KEY = /^[A-Za-z_][\w-]{0,63}$/;

function fieldOf(path: FieldPath): string {
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!PLAIN_KEY.test(part)) return `[${quote(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** One line for each problem; the file by the name that the user gave it. */
export function routesFileError(
  file: string,
  problems: readonly Problem[],
  count: number,
): TandemError {
  const lines = problems.map(({ line, column, field, complaint }) =>
    [`${file}:${line}:${column}`, ...(field === '' ? [] : [field]), complaint].join(': '),
  );
  const more = count - problems.length;
  if (more > 0) lines.push(`${file}: and ${more} more`);
  return new TandemError('ROUTES_FILE_INVALID', lines.join('\n'));
}

const SYNTAX: Readonly<Record<string, string>> = {
  InvalidSymbol: 'this is no JSON',
  InvalidNumberFormat: 'this is no number',
  PropertyNameExpected: 'a key in double quotes is needed here',
  ValueExpected: 'a value is needed here',
  ColonExpected: 'a colon is needed here',
  CommaExpected: 'a comma is needed here',
  CloseBraceExpected: 'a } is needed here',
  CloseBracketExpected: 'a ] is needed here',
  EndOfFileExpected: 'the file should end here',
  InvalidCommentToken: 'comments are not part of JSON',
  UnexpectedEndOfComment: 'comments are not part of JSON',
  UnexpectedEndOfString: 'a string is not closed',
  InvalidUnicode: 'a \\u is followed by four hexadecimal digits',
  InvalidEscapeCharacter: 'this character cannot be escaped',
  InvalidCharacter: 'a string holds a character that must be escaped',
};

/** Only the first: the others follow from it. */
export function syntaxFinding(error: ParseError | undefined, text: string): Finding {
  if (!error || text.trim() === '') return { offset: 0, path: [], complaint: 'the file is empty' };
  const complaint = SYNTAX[printParseErrorCode(error.error)] ?? 'this is no JSON';
  const atEnd = text.slice(error.offset).trim() === '';
  return {
    offset: error.offset,
    path: [],
    complaint: atEnd ? `the file ends early: ${complaint}` : complaint,
  };
}

export function schemaFinding(issue: v.BaseIssue<unknown>, root: Node): Finding {
  const path = (issue.path ?? []).map(({ key }) => key as string | number);
  const parent = path.slice(0, -1);
  const key = String(path.at(-1));
  if (issue.kind === 'schema' && issue.type === 'strict_object' && path.length > 0) {
    if (issue.expected === 'never')
      return { offset: offsetOf(root, path, 'key'), path, complaint: unknownKey(key, parent) };
    if (issue.received === 'undefined')
      return { offset: offsetOf(root, parent), path: parent, complaint: `"${key}" is missing` };
  }
  const complaint =
    issue.kind === 'schema'
      ? `${KINDS[issue.type] ?? wordsOf(issue.expected)} is needed, not ${show(issue.input)}`
      : issue.message;
  return { offset: offsetOf(root, path), path, complaint };
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list [...]',
  strict_object: 'an object {...}',
  record: 'an object {...}',
};

/** `("a" | "b")` as people say it. */
const wordsOf = (expected: string | null): string =>
  (expected ?? 'something else').replace(/^\((.*)\)$/, '$1').replaceAll(' | ', ' or ');

function unknownKey(key: string, parent: FieldPath): string {
  const known = keysKnownAt(parent);
  const nearest = nearestWord(key, known);
  if (nearest !== undefined) return `this key is not known; did you mean "${nearest}"?`;
  return known.length === 0
    ? 'this key is not known'
    : `this key is not known; there are ${known.map((one) => `"${one}"`).join(', ')}`;
}

function show(value: unknown): string {
  if (typeof value === 'string') return quote(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

/** Of the value at `path`, or of its key; of what encloses it when there is none. */
export function offsetOf(root: Node, path: FieldPath, what: 'key' | 'value' = 'value'): number {
  let node = root;
  for (const part of path) {
    const next = childOf(node, part);
    if (!next) break;
    node = next;
  }
  const key = what === 'key' && node.parent?.type === 'property' ? node.parent : undefined;
  return (key ?? node).offset;
}

function childOf(node: Node, part: string | number): Node | undefined {
  if (typeof part === 'number') return node.children?.[part];
  return node.children?.find(({ children }) => children?.[0]?.value === part)?.children?.[1];
}
