// `npm run bench:deploy`: what a deploy, a rollback, a start and idling cost, each beside the same work
// done by hand in the same run. Needs root and the network; takes about ten minutes. Not a test: the
// machine decides how fast is fast.
//
//   npm run bench:deploy -- [--rounds N] [--only NAME[,NAME]] [--output FILE.json] [--page FILE.md]
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine } from '../machine.ts';
import { writeSection } from '../page-section.ts';
import type { Figure } from './figure.ts';
import { measureFirstDeploy } from './figures/first-deploy.ts';
import { measureIdleMemory } from './figures/idle-memory.ts';
import { measureRedeploy } from './figures/redeploy.ts';
import { measureSandboxStart } from './figures/sandbox-start.ts';
import { measureSharedLayer } from './figures/shared-layer.ts';
import { startPlatform, type Platform } from './platform.ts';
import { partsTable, reportDocument, reportSection, reportTable } from './report.ts';

const COMMAND = 'npm run bench:deploy';
const SECTION = 'bench:deploy';
const ROUNDS = 7;
/** Each builds an installation from nothing. */
const COLD_ROUNDS_MAX = 3;

interface Bench {
  readonly scratch: string;
  readonly rounds: number;
  readonly platform: () => Promise<Platform>;
}

const MEASUREMENTS: Readonly<Record<string, (bench: Bench) => Promise<Figure[]>>> = {
  'sandbox-start': async ({ scratch, rounds }) => [await measureSandboxStart(scratch, rounds)],
  redeploy: async ({ platform, scratch, rounds }) =>
    await measureRedeploy({ platform: await platform(), scratch, rounds }),
  'idle-memory': async ({ platform }) => [await measureIdleMemory(await platform(), 3)],
  'shared-layer': async ({ platform, scratch }) => [
    await measureSharedLayer(await platform(), scratch),
  ],
  'first-deploy': async ({ scratch, rounds }) => [
    await measureFirstDeploy(scratch, Math.min(rounds, COLD_ROUNDS_MAX)),
  ],
};

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(ROUNDS) },
    only: { type: 'string', default: Object.keys(MEASUREMENTS).join(',') },
    output: { type: 'string' },
    page: { type: 'string' },
  },
});

const machine = describeMachine();
const scratch = await mkdtemp(join(tmpdir(), 'tandem-bench-'));
let started: Promise<Platform> | undefined;
const bench: Bench = {
  scratch,
  rounds: Number(values.rounds),
  platform: () => (started ??= startPlatform()),
};
const figures: Figure[] = [];
try {
  for (const name of values.only.split(',')) {
    const measure = MEASUREMENTS[name];
    if (!measure) {
      throw new Error(`no measurement "${name}": ${Object.keys(MEASUREMENTS).join(', ')}`);
    }
    process.stderr.write(`Measuring ${name}\n`);
    figures.push(...(await measure(bench)));
  }
} finally {
  // Also what was measured before a failure: it took minutes.
  await report();
  await (await started?.catch(() => undefined))?.down();
  await rm(scratch, { recursive: true, force: true });
}

async function report(): Promise<void> {
  const results = { command: COMMAND, machine, rounds: bench.rounds, figures };
  const document = `${JSON.stringify(reportDocument(results), null, 2)}\n`;
  process.stdout.write(`${reportTable(figures)}\n\n${partsTable(figures)}\n`);
  if (values.output === undefined) process.stdout.write(`\n${document}`);
  else await writeFile(values.output, document);
  if (values.page !== undefined) await writeSection(values.page, SECTION, reportSection(results));
}
