// The steps of script/test, one after the other, each with its duration; all are run even when one
// fails. Exit status 0 only when everything passed.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readReport, type SuiteResult } from './suite-result.ts';

const ROOT = join(import.meta.dirname, '../..');
const BIN = join(ROOT, 'node_modules/.bin');
const CHECKS: readonly (readonly [string, ...string[]])[] = [
  ['types', `${BIN}/tsc`, '-b', '--pretty', 'false'],
  ['lint', `${BIN}/eslint`, '.'],
  ['format', `${BIN}/prettier`, '--check', '--log-level', 'warn', '.'],
];
const PROJECTS = ['unit', 'integration', 'e2e'];
const all = process.argv.includes('--all');

const reports = await mkdtemp(join(tmpdir(), 'tandem-suite-'));
const results: SuiteResult[] = [];
try {
  for (const [name, ...argv] of CHECKS) results.push(await check(name, argv));
  for (const project of PROJECTS) results.push(await tests(project));
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
  const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.once('SIGINT', forward).once('SIGTERM', forward);
  const exitCode = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
  process.off('SIGINT', forward).off('SIGTERM', forward);
  console.log(`== ${name}: ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
  return exitCode;
}
