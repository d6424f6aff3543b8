// Answers that could be read in two ways: the client gets one that two independent parsers read
// alike, a 502, or a connection that ends in the middle; and never what was not for it.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ANSWER_FAMILIES,
  type AnswerCase,
  type AnswerOutcome,
} from '../support/smuggling/answers.ts';
import { matchesAnswer, playAnswer, type SeenAnswer } from '../support/smuggling/play-answer.ts';
import { TwoParsers } from '../support/two-parsers.ts';

const AT_ONCE = 8;

let parsers: TwoParsers;

beforeAll(async () => {
  parsers = new TwoParsers();
  await parsers.open();
});

afterAll(() => parsers.close());

/** Undefined when all is well. */
async function faultOf(one: AnswerCase): Promise<SeenAnswer | undefined> {
  const seen = await playAnswer(parsers, one);
  const fits = one.outcomes.some((outcome) => matchesAnswer(outcome, seen));
  const undisturbed = seen.next === 'plain' && seen.other === 'plain';
  return fits && undisturbed && seen.faults.length === 0 ? undefined : seen;
}

it('the corpus has no case twice in a family', () => {
  for (const { name, cases } of ANSWER_FAMILIES)
    expect([name, new Set(cases.map((one) => one.name)).size]).toEqual([name, cases.length]);
});

describe.each(ANSWER_FAMILIES)('$name', ({ cases }) => {
  it.each(cases)('$name', async (one) => {
    const seen = await faultOf(one);
    const wanted = one.outcomes.map(({ kind }) => kind).join(' or ');
    if (seen !== undefined) expect.fail(`wanted ${wanted}, saw ${JSON.stringify(seen)}`);
  });
});

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-zA-Z]$/;
const BAD: AnswerOutcome = { kind: 'bad gateway' };

describe.each<[place: string, header: (byte: string) => string, allowed: (byte: string) => string]>(
  [
    [
      'a name',
      (byte) => `X${byte}Y: z`,
      (byte) => (TOKEN.test(byte) || byte === ':' ? 'yes' : 'no'),
    ],
    [
      'a value',
      (byte) => `X: a${byte}b`,
      (byte) => (/[\t\x20-\x7e\x80-\xff]/.test(byte) ? 'yes' : 'no'),
    ],
  ],
)('each of 256 bytes in %s', (_, header, allowed) => {
  it('is passed on as it is or refused', async () => {
    const bytes = Array.from({ length: 256 }, (__, byte) => byte).values();
    const faults: [byte: number, seen: SeenAnswer][] = [];
    const work = async (): Promise<void> => {
      for (const byte of bytes) {
        const line = header(String.fromCharCode(byte));
        const answer = `HTTP/1.1 200 OK\r\n${line}\r\nContent-Length: 2\r\n\r\nok`;
        const [name = '', value = ''] = line.split(/: ?(.*)/s);
        const passed: AnswerOutcome = {
          kind: 'passed',
          answer: { headers: { [name.toLowerCase()]: value } },
        };
        // A space before the colon may be taken away (RFC 9112 section 5.1); here it is in the name.
        const outcomes = allowed(String.fromCharCode(byte)) === 'yes' ? [passed] : [BAD];
        const seen = await faultOf({ name: '', parts: [answer], outcomes });
        if (seen !== undefined) faults.push([byte, seen]);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    expect(faults).toEqual([]);
  });
});
