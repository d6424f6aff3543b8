// `npm run bench:balancer`: our balancer beside nginx, HAProxy and Caddy, each with one worker on one
// core, in turns. Takes about fifteen minutes on a machine with two cores that does nothing else. Not a
// test: the machine decides how fast is fast.
//
//   npm run bench:balancer -- [--rounds N] [--seconds N] [--only NAME[,NAME]]
//                             [--output FILE.json] [--page FILE.md]
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run } from '../command.ts';
import { describeMachine } from '../machine.ts';
import { writeSection } from '../page-section.ts';
import { Bench } from './bench.ts';
import type { Figure } from './figure.ts';
import { MEASUREMENTS, NOT_MEASURED } from './figures/index.ts';
import { LOAD_CORE } from './pinned-processes.ts';
import { measurementTables, reportDocument, reportSection, targetTable } from './report.ts';
import { requireTools } from './tools.ts';
import { proxyVersions } from './versions.ts';

const COMMAND = 'npm run bench:balancer';
const SECTION = 'bench:balancer';
const ROOT = join(import.meta.dirname, '../..');
const EXIT_INTERRUPTED = 130;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: [...MEASUREMENTS.keys()].join(',') },
    output: { type: 'string' },
    page: { type: 'string' },
  },
});

const measurements = values.only.split(',').map((name) => {
  const measure = MEASUREMENTS.get(name);
  if (measure) return { name, measure };
  throw new Error(`no measurement "${name}": ${[...MEASUREMENTS.keys()].join(', ')}`);
});
const [rounds, seconds] = [wholeNumber('rounds'), wholeNumber('seconds')];
await prepare();
const machine = describeMachine();
const scratch = await mkdtemp(join(tmpdir(), 'tandem-bench-'));
// nginx's workers give up root, and read and write below it.
await chmod(scratch, 0o755);
const bench = new Bench({ scratch, rounds, seconds });
const figures: Figure[] = [];
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, interrupt);
try {
  for (const { name, measure } of measurements) {
    process.stderr.write(`Measuring ${name}\n`);
    figures.push(...(await measure(bench)));
  }
} catch (error) {
  // What an interrupted measurement says of its ended processes is of no interest.
  if (!isInterrupted) throw error;
} finally {
  await bench.close();
  await rm(scratch, { recursive: true, force: true });
  // Also what was measured before a failure: it took minutes.
  if (figures.length > 0) await report();
}
if (isInterrupted) process.exit(EXIT_INTERRUPTED);

async function prepare(): Promise<void> {
  await requireTools();
  if (availableParallelism() < 2)
    throw new Error('two cores are needed: a proxy has one for itself');
  // What is measured is what the source says.
  await run(
    [process.execPath, join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', 'packages/platform'],
    {
      cwd: ROOT,
    },
  );
  // The harness itself stays off the measured core.
  await run([
    'taskset',
    '--all-tasks',
    '--cpu-list',
    '--pid',
    String(LOAD_CORE),
    String(process.pid),
  ]);
}

/** The measurement under way fails for want of processes, and the way out is the usual one. */
function interrupt(): void {
  if (isInterrupted) process.exit(EXIT_INTERRUPTED);
  isInterrupted = true;
  void bench.close();
}

function wholeNumber(name: 'rounds' | 'seconds'): number {
  const number = Number(values[name]);
  if (Number.isInteger(number) && number > 0) return number;
  throw new Error(`--${name} ${values[name]}: a whole number above 0 is needed`);
}

async function report(): Promise<void> {
  const versions = await proxyVersions();
  const whole = { command: COMMAND, machine, versions, rounds, seconds, figures };
  const results = { ...whole, notMeasured: NOT_MEASURED };
  process.stdout.write(`${measurementTables(figures)}\n\n${targetTable(figures)}\n`);
  const document = `${JSON.stringify(reportDocument(results), null, 2)}\n`;
  if (values.output !== undefined) await writeFile(values.output, document);
  if (values.page !== undefined) await writeSection(values.page, SECTION, reportSection(results));
}
