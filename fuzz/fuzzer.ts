// The loop: take an input that led somewhere new, change it, see where that leads.
import { setImmediate } from 'node:timers/promises';
import { forgetReached, newlyReached, startCounting } from './coverage.ts';
import { mutate } from './mutate.ts';
import { Random } from './random.ts';
import type { FuzzTarget } from './target.ts';

export interface FuzzBounds {
  readonly seed: number;
  /** Whichever comes first. */
  readonly runsMax: number;
  readonly timeMs: number;
}

export interface Finding {
  readonly input: Buffer;
  readonly error: Error;
}

export interface FuzzReport {
  readonly runs: number;
  readonly corpus: number;
  readonly finding: Finding | undefined;
}

const CORPUS_MAX = 20_000;
/** Signals and timers of the process get their turn. */
const RUNS_PER_TURN = 256;
const SHRINK_MS_MAX = 15_000;

export async function fuzz(target: FuzzTarget, bounds: FuzzBounds): Promise<FuzzReport> {
  const { seed, runsMax, timeMs } = bounds;
  const random = new Random(seed);
  const corpus: Buffer[] = [];
  const endMs = performance.now() + timeMs;
  let runs = 0;
  forgetReached();
  const other = (): Buffer => random.of(corpus);
  const next = (): Buffer => {
    const given = target.seeds[runs];
    if (given !== undefined) return given;
    // What is new leads on more often than what was there before.
    const recent = corpus.slice(-Math.max(1, Math.floor(corpus.length / 8)));
    const parent = random.oneIn(2) ? random.of(recent) : random.of(corpus);
    return mutate(parent, { random, words: target.words, other });
  };
  while (runs < runsMax && (performance.now() < endMs || runs < target.seeds.length)) {
    const input = next();
    startCounting();
    const error = await failureOf(target, input);
    runs += 1;
    if (error) return { runs, corpus: corpus.length, finding: await shrink(target, input, error) };
    if (newlyReached() > 0 || corpus.length === 0)
      if (corpus.length < CORPUS_MAX) corpus.push(input);
    if (runs % RUNS_PER_TURN === 0) await setImmediate();
  }
  return { runs, corpus: corpus.length, finding: undefined };
}

export async function failureOf(target: FuzzTarget, input: Buffer): Promise<Error | undefined> {
  try {
    const running = target.run(input);
    if (running !== undefined) await running;
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** As little of it as fails in the same way. */
async function shrink(target: FuzzTarget, input: Buffer, error: Error): Promise<Finding> {
  const wanted = kindOf(error);
  let [best, found] = [input, error];
  const endMs = performance.now() + SHRINK_MS_MAX;
  for (let size = Math.ceil(input.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < best.length && performance.now() < endMs;) {
      const shorter = Buffer.concat([best.subarray(0, at), best.subarray(at + size)]);
      const failure = await failureOf(target, shorter);
      if (failure && kindOf(failure) === wanted) [best, found] = [shorter, failure];
      else at += size;
    }
  return { input: best, error: found };
}

/** The promise that was broken, without the facts. */
const kindOf = ({ message }: Error): string => message.split('\n')[0] ?? '';
