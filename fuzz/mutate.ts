// Changes an input: bytes as everywhere, and what has fooled readers of HTTP before: ends of lines,
// numbers, lines that are repeated or moved, words of the language in odd places.
import type { Random } from './random.ts';

export const INPUT_BYTES_MAX = 4_096;
const STEPS_MAX = 5;

export interface MutationSources {
  readonly random: Random;
  readonly words: readonly string[];
  /** Another input of the corpus. */
  readonly other: () => Buffer;
}

type Mutation = (input: Buffer, sources: MutationSources) => Buffer;

const OCTETS = [0x00, 0x09, 0x0a, 0x0b, 0x0d, 0x20, 0x2c, 0x2d, 0x2e, 0x3a, 0x3b, 0x5f, 0x7f, 0x80];
const LINE_ENDS = [
  '\n',
  '\r',
  '\r\r\n',
  '\n\r',
  ' \r\n',
  '\r\n ',
  '\r\n\t',
  '\r\n\r\n',
  '\0\r\n',
  '',
];
const NUMBERS = [
  ...['0', '1', '2', '00', '01', '-1', '+1', '0x1', '1e1', '10', '255', '256', '65535', '65536'],
  ...[
    '4294967296',
    '9007199254740992',
    '999999999999999',
    'fffffffffffff',
    '1_0',
    '1 1',
    '1.0',
    '',
  ],
];

const replace = (input: Buffer, start: number, end: number, by: Buffer | string): Buffer => {
  const middle = typeof by === 'string' ? Buffer.from(by, 'latin1') : by;
  return Buffer.concat([input.subarray(0, start), middle, input.subarray(end)]);
};

function range(input: Buffer, random: Random): [start: number, end: number] {
  const start = random.below(input.length + 1);
  const size = random.below(random.of([2, 8, 64, input.length + 1]));
  return [start, Math.min(input.length, start + size)];
}

const flipBit: Mutation = (input, { random }) => {
  const changed = Buffer.from(input);
  const at = random.below(Math.max(1, input.length));
  if (at < changed.length) changed[at] = (changed[at] as number) ^ (1 << random.below(8));
  return changed;
};

const setOctet: Mutation = (input, { random }) => {
  const at = random.below(input.length + 1);
  const octet = random.oneIn(2) ? random.of(OCTETS) : random.below(256);
  return replace(input, at, at + random.below(2), Buffer.from([octet]));
};

const removeRange: Mutation = (input, { random }) => replace(input, ...range(input, random), '');

const repeatRange: Mutation = (input, { random }) => {
  const [start, end] = range(input, random);
  const at = random.oneIn(2) ? end : random.below(input.length + 1);
  return replace(input, at, at, input.subarray(start, end));
};

const truncate: Mutation = (input, { random }) => input.subarray(0, random.below(input.length + 1));

const insertWord: Mutation = (input, { random, words }) => {
  const at = random.below(input.length + 1);
  return replace(input, at, at, random.of(words));
};

/** A word, or a run of letters and digits, becomes another word. */
const replaceWord: Mutation = (input, { random, words }) => {
  const found = [...input.toString('latin1').matchAll(/[\w.-]+/g)];
  if (found.length === 0) return insertWord(input, { random, words, other: () => input });
  const match = random.of(found);
  return replace(input, match.index, match.index + match[0].length, random.of(words));
};

const changeNumber: Mutation = (input, { random }) => {
  const found = [...input.toString('latin1').matchAll(/[0-9a-f]*\d[0-9a-f]*/gi)];
  if (found.length === 0) return input;
  const match = random.of(found);
  const [text] = match;
  const near = (Number.parseInt(text, 10) || 0) + random.of([-1, 1, 2]);
  const number = random.of([random.of(NUMBERS), String(near), `0${text}`, `${text}0`, ` ${text}`]);
  return replace(input, match.index, match.index + text.length, number);
};

const changeLineEnd: Mutation = (input, { random }) => {
  const found = [...input.toString('latin1').matchAll(/\r\n|\n/g)];
  if (found.length === 0) return input;
  const match = random.of(found);
  return replace(input, match.index, match.index + match[0].length, random.of(LINE_ENDS));
};

const changeCase: Mutation = (input, { random }) => {
  const [start, end] = range(input, random);
  const text = input.toString('latin1', start, end);
  return replace(input, start, end, random.oneIn(2) ? text.toUpperCase() : text.toLowerCase());
};

const linesOf = (input: Buffer): string[] => input.toString('latin1').split(/(?<=\n)/);

/** One line is repeated, moved, dropped, or taken over from another input. */
const changeLines: Mutation = (input, { random, other }) => {
  const lines = linesOf(input);
  const from = random.below(lines.length);
  const to = random.below(lines.length + 1);
  const [line = ''] = random.oneIn(2) ? [lines[from]] : [random.of(linesOf(other()))];
  if (random.oneIn(3)) lines.splice(from, 1);
  if (!random.oneIn(4)) lines.splice(to, 0, line);
  return Buffer.from(lines.join(''), 'latin1');
};

const splice: Mutation = (input, { random, other }) => {
  const tail = other();
  return Buffer.concat([
    input.subarray(0, random.below(input.length + 1)),
    tail.subarray(random.below(tail.length + 1)),
  ]);
};

/** Two inputs, one behind the other: requests in a row. */
const append: Mutation = (input, { other }) => Buffer.concat([input, other()]);

const MUTATIONS: readonly Mutation[] = [
  ...[flipBit, setOctet, setOctet, removeRange, repeatRange, truncate, insertWord, insertWord],
  ...[replaceWord, replaceWord, changeNumber, changeNumber, changeLineEnd, changeLineEnd],
  ...[changeCase, changeLines, changeLines, splice, append],
];

export function mutate(input: Buffer, sources: MutationSources): Buffer {
  const { random } = sources;
  let changed = input;
  const steps = 1 + random.below(random.of([1, 2, STEPS_MAX]));
  for (let step = 0; step < steps; step += 1) changed = random.of(MUTATIONS)(changed, sources);
  return changed.subarray(0, INPUT_BYTES_MAX);
}
