// Request smuggling: what could mean one thing to us and another to the app is refused or written
// anew, and two independent parsers read what arrives as the same requests, which are those that the
// case expects.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REFUSED, type Outcome, passed, type SmugglingCase } from '../support/smuggling/case.ts';
import { CHUNK_FAMILIES } from '../support/smuggling/chunks.ts';
import { HEAD_FAMILIES } from '../support/smuggling/heads.ts';
import { LENGTH_FAMILIES } from '../support/smuggling/lengths.ts';
import { matches, play } from '../support/smuggling/play.ts';
import { TARGET_FAMILIES } from '../support/smuggling/targets.ts';
import { TwoParsers } from '../support/two-parsers.ts';

const FAMILIES = [...LENGTH_FAMILIES, ...CHUNK_FAMILIES, ...HEAD_FAMILIES, ...TARGET_FAMILIES];
const AT_ONCE = 8;

let parsers: TwoParsers;

beforeAll(async () => {
  parsers = new TwoParsers();
  await parsers.open();
});

afterAll(() => parsers.close());

/** Undefined when all is well. */
async function faultOf({ bytes, outcomes, ...how }: SmugglingCase): Promise<unknown> {
  const seen = await play(parsers, bytes, how);
  if (seen.faults.length > 0) return seen;
  return outcomes.some((outcome) => matches(outcome, seen)) ? undefined : seen;
}

it('the corpus has no case twice in a family', () => {
  for (const { name, cases } of FAMILIES)
    expect([name, new Set(cases.map((one) => one.name)).size]).toEqual([name, cases.length]);
});

it('the two parsers would not agree on what we must never send', async () => {
  const both =
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n';
  const bytes = Buffer.from(`${both}0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`);
  const { llhttp, h11 } = await parsers.requests({ bytes, starts: [0], order: [] });
  expect(llhttp.error).toMatch(/Content-Length/);
  expect(h11.messages.map(({ target }) => target)).toEqual(['/', '/smuggled']);
});

describe.each(FAMILIES)('$name', ({ cases }) => {
  it.each(cases)('$name', async (one) => {
    const seen = await faultOf(one);
    const wanted = one.outcomes.map(({ kind }) => kind).join(' or ');
    if (seen !== undefined) expect.fail(`wanted ${wanted}, saw ${JSON.stringify(seen)}`);
  });
});

const TOKEN = /^[!#$%&'*+\-.^`|~0-9a-zA-Z]$/;
const HOSTED = 'Host: a.test\r\n';

/** What must come of one byte at its place. */
type Rule = (character: string, byte: number) => readonly Outcome[];

const inValue: Rule = (character, byte) =>
  byte === 9 || (byte >= 32 && byte !== 127)
    ? [passed({ headers: { x: `a${character}b` } })]
    : [REFUSED];

const PLACES: readonly [place: string, bytesWith: (character: string) => string, rule: Rule][] = [
  [
    'the middle of a name',
    (character) => `GET / HTTP/1.1\r\n${HOSTED}X${character}Y: z\r\n\r\n`,
    (character) => {
      if (TOKEN.test(character))
        return [passed({ headers: { [`x${character}y`.toLowerCase()]: 'z' } })];
      // Names with `_` are dropped; a colon ends the name.
      if (character === '_') return [passed({ headers: { x_y: undefined } })];
      return character === ':' ? [passed({ headers: { x: 'Y: z' } })] : [REFUSED];
    },
  ],
  [
    'the start of a name',
    (character) => `GET / HTTP/1.1\r\n${HOSTED}${character}Y: z\r\n\r\n`,
    (character) => {
      if (TOKEN.test(character))
        return [passed({ headers: { [`${character}y`.toLowerCase()]: 'z' } })];
      return character === '_' ? [passed({ headers: { _y: undefined } })] : [REFUSED];
    },
  ],
  ['a value', (character) => `GET / HTTP/1.1\r\n${HOSTED}X: a${character}b\r\n\r\n`, inValue],
  [
    'the end of a value',
    (character) => `GET / HTTP/1.1\r\n${HOSTED}X: a${character}\r\n\r\n`,
    (character, byte) => {
      if (byte === 9 || byte === 32) return [passed({ headers: { x: 'a' } })];
      return byte > 32 && byte !== 127 ? [passed({ headers: { x: `a${character}` } })] : [REFUSED];
    },
  ],
  [
    'a target',
    (character) => `GET /a${character}b HTTP/1.1\r\n${HOSTED}\r\n`,
    (character, byte) => {
      if (byte <= 32 || byte >= 127 || '#\\'.includes(character)) return [REFUSED];
      const same = passed({ target: `/a${character}b` });
      return '"<>^`{|}'.includes(character) ? [REFUSED, same] : [same];
    },
  ],
  [
    'a method',
    (character) => `G${character}T / HTTP/1.1\r\n${HOSTED}\r\n`,
    (character) =>
      TOKEN.test(character) || character === '_'
        ? [passed({ method: `G${character}T` })]
        : [REFUSED],
  ],
  [
    'a length',
    (character) => `GET / HTTP/1.1\r\n${HOSTED}Content-Length: ${character}1\r\n\r\nx`,
    (character) => {
      if (/[0 \t]/.test(character)) return [passed({ body: 'x' })];
      // Longer than what is there: never whole.
      return /[1-9]/.test(character) ? [{ kind: 'broken' }] : [REFUSED];
    },
  ],
];

describe.each(PLACES)('each of 256 bytes in %s', (_, bytesWith, rule) => {
  it('is passed on as it is or refused', async () => {
    const bytes = Array.from({ length: 256 }, (__, byte) => byte);
    const faults: [byte: number, seen: unknown][] = [];
    const next = bytes.values();
    const work = async (): Promise<void> => {
      for (const byte of next) {
        const character = String.fromCharCode(byte);
        const outcomes = rule(character, byte);
        const endsEarly = outcomes.some(({ kind }) => kind === 'broken');
        const one = { name: '', bytes: bytesWith(character), outcomes, endsEarly };
        const seen = await faultOf(one);
        if (seen !== undefined) faults.push([byte, seen]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(faults).toEqual([]);
  });
});
