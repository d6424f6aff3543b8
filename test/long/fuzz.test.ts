// Minutes of fuzzing, each time with another seed; a failure prints how to have it again.
import { expect, it } from 'vitest';
import { FUZZ_TARGETS, runFuzz } from '../support/fuzz-process.ts';

const SECONDS = 60;

it.each(FUZZ_TARGETS)(
  '%s keeps its promises for a minute',
  async (target) => {
    const { code, output } = await runFuzz('--target', target, '--seconds', String(SECONDS));
    console.log(output.trim());
    expect(code, output).toBe(0);
  },
  3 * SECONDS * 1_000,
);
