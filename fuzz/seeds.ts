// Where fuzzing begins: the corpus of request smuggling, and whatever was found before.
import { FUZZ_FINDINGS } from '../test/support/fuzz-findings.ts';
import { ANSWER_FAMILIES } from '../test/support/smuggling/answers.ts';
import { CHUNK_FAMILIES } from '../test/support/smuggling/chunks.ts';
import { HEAD_FAMILIES } from '../test/support/smuggling/heads.ts';
import { LENGTH_FAMILIES } from '../test/support/smuggling/lengths.ts';
import { TARGET_FAMILIES } from '../test/support/smuggling/targets.ts';
import { INPUT_BYTES_MAX } from './mutate.ts';
import { latin1 } from './target.ts';

const REQUESTS = [LENGTH_FAMILIES, CHUNK_FAMILIES, HEAD_FAMILIES, TARGET_FAMILIES]
  .flat()
  .flatMap(({ cases }) => cases.map(({ bytes }) => bytes));
const ANSWERS = ANSWER_FAMILIES.flatMap(({ cases }) => cases.map(({ parts }) => parts.join('')));

const asSeeds = (texts: readonly string[]): Buffer[] =>
  [...new Set(texts)].filter((text) => text.length <= INPUT_BYTES_MAX).map(latin1);

const found = (target: string): string[] =>
  FUZZ_FINDINGS.filter((one) => one.target === target).map(({ bytes }) => bytes);

export const foundSeeds = (target: string): Buffer[] => asSeeds(found(target));

export const requestSeeds = (target = 'request-head'): Buffer[] =>
  asSeeds([...found(target), ...REQUESTS]);

export const answerSeeds = (target = 'response-head'): Buffer[] =>
  asSeeds([...found(target), ...ANSWERS]);

/** What stands behind the heads of both. */
export const bodySeeds = (): Buffer[] =>
  asSeeds([
    ...found('chunked'),
    ...[...REQUESTS, ...ANSWERS]
      .map((text) => text.slice(text.indexOf('\r\n\r\n') + 4))
      .filter((body) => /^[0-9a-f]/i.test(body)),
  ]);
