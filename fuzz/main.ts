// `npm run fuzz`: inputs nobody thought of, for everything of the balancer that reads bytes of others.
//
//   npm run fuzz -- [--target NAME[,NAME]] [--seconds N] [--runs N] [--seed N]
//   npm run fuzz -- --target NAME --input FILE
//
// Which inputs are tried follows from the seed, how many from the seconds (of each target) or the runs.
// An input that breaks a promise is made short, written to .fuzz/ and ends with exit status 1; `--input`
// plays it again.
import './instrument.ts';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { probeCount, reachedCount } from './coverage.ts';
import { failureOf, fuzz } from './fuzzer.ts';
import type { FuzzTarget } from './target.ts';

const TARGETS = [
  ...['request-head', 'response-head', 'chunked', 'routes-file', 'proxy-header'],
  ...['requests', 'answers'],
];
const FINDINGS = join(import.meta.dirname, '../.fuzz');

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: TARGETS.join(',') },
    seconds: { type: 'string', default: '60' },
    runs: { type: 'string', default: 'Infinity' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    input: { type: 'string' },
  },
});

for (const name of values.target.split(',')) {
  const target = await load(name);
  if (values.input === undefined) await search(target);
  else await play(target, await readFile(values.input));
  await target.close?.();
}

async function load(name: string): Promise<FuzzTarget> {
  if (!TARGETS.includes(name)) throw new Error(`no target "${name}": ${TARGETS.join(', ')}`);
  const { target } = (await import(`./targets/${name}.ts`)) as { target: FuzzTarget };
  return target;
}

async function search(target: FuzzTarget): Promise<void> {
  const seed = Number(values.seed);
  const startedMs = performance.now();
  const { runs, corpus, finding } = await fuzz(target, {
    seed,
    runsMax: Number(values.runs),
    timeMs: Number(values.seconds) * 1_000,
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  console.log(
    `${target.name}: ${runs} runs, ${Math.round(runs / seconds)}/s, corpus ${corpus}, ` +
      `${reachedCount()} of ${probeCount()} branches, seed ${seed}`,
  );
  if (!finding) return;
  await mkdir(FINDINGS, { recursive: true });
  const file = join(FINDINGS, `${target.name}-${seed}-${runs}`);
  await writeFile(file, finding.input);
  console.log(`${finding.error.stack}\ninput ${JSON.stringify(finding.input.toString('latin1'))}`);
  console.log(`again: npm run fuzz -- --target ${target.name} --input ${file}`);
  process.exitCode = 1;
}

async function play(target: FuzzTarget, input: Buffer): Promise<void> {
  const error = await failureOf(target, input);
  console.log(error ? error.stack : `${target.name}: every promise is kept`);
  if (error) process.exitCode = 1;
}
