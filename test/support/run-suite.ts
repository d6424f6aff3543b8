// The steps of script/test, each with its duration; all are run even when one fails. Exit status 0
// only when everything passed. Where two run side by side, most of their time is waiting.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { readReport, type SuiteResult } from './suite-result.ts';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
const CHECKS: readonly (readonly [string, ...string[]])[] = [
  ['types', `${BIN}/tsc`, '-b', '--pretty', 'false'],
  ['lint', `${BIN}/eslint`, '.'],
  ['format', `${BIN}/prettier`, '--check', '--log-level', 'warn', '.'],
];
const all = process.argv.includes('--all');

const reports = await mkdtemp(join(tmpdir(), 'tandem-suite-'));
const results: SuiteResult[] = [];
try {
  results.push(...(await Promise.all([checks(), tests('unit')])).flat());
  results.push(await tests('integration'));
  results.push(...(await Promise.all([tests('e2e'), tests('faults')])));
  if (all) {
    results.push(await tests('long'));
    results.push(await check('bare system', [join(ROOT, 'test/fresh/bootstrap.sh')]));
  }
} finally {
  await rm(reports, { recursive: true, force: true });
}

for (const remark of results.flatMap(({ remarks }) => remarks)) console.log(remark);
const sum = (of: (result: SuiteResult) => number) => results.map(of).reduce((a, b) => a + b, 0);
const failed = sum((result) => result.failed);
process.exitCode = failed === 0 ? 0 : 1;
console.log(`${sum((result) => result.passed)} passed, ${failed} failed`);

async function checks(): Promise<SuiteResult[]> {
  const done: SuiteResult[] = [];
  for (const [name, ...argv] of CHECKS) done.push(await check(name, argv));
  return done;
}

async function check(name: string, argv: readonly string[]): Promise<SuiteResult> {
  const exitCode = await timed(name, argv);
  const remarks = exitCode === 0 ? [] : [`${name} failed (exit status ${exitCode})`];
  return { passed: exitCode === 0 ? 1 : 0, failed: exitCode === 0 ? 0 : 1, remarks };
}

async function tests(project: string): Promise<SuiteResult> {
  const file = join(reports, `${project}.json`);
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const exitCode = await timed(project, [
    `${BIN}/vitest`,
    'run',
    '--project',
    project,
    ...reporters,
  ]);
  const result = readReport(project, await readFile(file, 'utf8').catch(() => undefined));
  if (exitCode === 0 || result.failed > 0) return result;
  const remark = `${project}: Vitest ended with ${exitCode} although no test failed`;
  return { ...result, failed: 1, remarks: [...result.remarks, remark] };
}

/** Exit status of the command; 128 and more when it was killed. */
async function timed(name: string, [file = '', ...args]: readonly string[]): Promise<number> {
  console.log(`\n== ${name}`);
  const startedMs = performance.now();
  const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  pass(name, child.stdout, process.stdout);
  pass(name, child.stderr, process.stderr);
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const exitCode = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('close', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  process.off('SIGINT', forward).off('SIGTERM', forward);
  console.log(`== ${name}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return exitCode;
}

/** Line by line, each with the name of its step: others may speak in between. */
function pass(name: string, from: Readable, to: Writable): void {
  createInterface(from).on('line', (line) => to.write(`${name} | ${line}\n`));
}
