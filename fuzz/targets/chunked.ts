// A chunked body: the same in whatever pieces it comes, and what goes on says the same in plain chunks.
import { ChunkedReader } from '../../packages/platform/src/balancer/http1/chunked-reader.ts';
import { piecesOf, Random } from '../random.ts';
import { bodySeeds } from '../seeds.ts';
import { readChunks } from '../strict-reader.ts';
import { claim, type FuzzTarget } from '../target.ts';
import { HTTP_WORDS } from '../words.ts';

interface Found {
  readonly outcome: 'done' | 'incomplete' | 'fault';
  readonly data: string;
  readonly passed: string;
  readonly trailers: string;
  /** Of all bytes, those that belong to the body. */
  readonly length: number;
}

function read(pieces: readonly Buffer[]): Found {
  const reader = new ChunkedReader();
  let [data, passed, length] = ['', '', 0];
  for (const piece of pieces) {
    if (reader.isDone) break;
    const end = reader.read(piece, 0, piece.length);
    if (end < 0) return { outcome: 'fault', data, passed, trailers: '', length };
    claim(reader.isDone || end === piece.length, 'bytes left over of a body that goes on', end);
    data += textOf(piece, reader.data);
    passed += textOf(piece, reader.passed);
    length += end;
  }
  if (reader.isDone && !reader.hasPassedEnd) passed += `${reader.trailers}\r\n`;
  const outcome = reader.isDone ? 'done' : 'incomplete';
  return { outcome, data, passed, trailers: reader.trailers, length };
}

function textOf(bytes: Buffer, ranges: readonly number[]): string {
  let text = '';
  let before = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const [start = 0, end = 0] = [ranges[index], ranges[index + 1]];
    claim(before <= start && start <= end && end <= bytes.length, 'ranges out of order', ranges);
    text += bytes.toString('latin1', start, end);
    before = end;
  }
  return text;
}

function run(input: Buffer): void {
  const whole = read([input]);
  const parts = read(piecesOf(input, Random.of(input)));
  claim(whole.outcome === parts.outcome, 'other pieces, another outcome', whole, parts);
  const other = readChunks(input.toString('latin1'), 0);
  if (whole.outcome === 'done') {
    claim(parts.data === whole.data && parts.length === whole.length, 'other data', whole, parts);
    claim(parts.passed === whole.passed, 'other pieces pass something else', whole, parts);
    claim(other.kind === 'body', 'taken, and no body for the other reader', whole, other);
    claim(other.end === whole.length && other.data === whole.data, 'two bodies', whole, other);
    const again = readChunks(whole.passed, 0);
    claim(again.kind === 'body', 'what is passed on cannot be read', whole.passed);
    claim(again.end === whole.passed.length, 'more is passed on than a body', whole.passed);
    claim(again.data === whole.data, 'something else is passed on', whole, again);
    claim(!/^[0-9a-f]+[^0-9a-f\r]/im.test(whole.passed.slice(0, 3)), 'an extension', whole.passed);
  } else if (other.kind === 'body') claim(false, 'refused, and a body for the other', whole, other);
}

export const target: FuzzTarget = {
  ...{ name: 'chunked', seeds: bodySeeds(), words: HTTP_WORDS, run },
};
