// `sandbox-starts.ts ROUNDS`: starts a process in a sandbox and without one, in turns; it tells itself
// when it began. Prints JSON.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import {
  createSandboxFixture,
  type SandboxFixture,
} from '../../../test/support/sandbox-fixture.ts';

/** Milliseconds, one entry per round. */
export interface SandboxStarts {
  readonly measured: readonly number[];
  readonly bare: readonly number[];
}

const TELL_TIME = 'date +%s%N';
/** The first start also brings the sandbox's own program files into memory. */
const ROUNDS_IGNORED = 2;
const REST_MS = 200;

const rounds = Number(process.argv[2]);
const fixture = await createSandboxFixture();
try {
  const measured: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < rounds + ROUNDS_IGNORED; round += 1) {
    // As in a deploy, where the last start was a build ago.
    await fixture.rested();
    await sleep(REST_MS);
    measured.push(await sandboxedStartMs(fixture));
    bare.push(await bareStartMs());
  }
  const starts: SandboxStarts = {
    measured: measured.slice(ROUNDS_IGNORED),
    bare: bare.slice(ROUNDS_IGNORED),
  };
  console.log(JSON.stringify(starts));
} finally {
  await fixture.close();
}

async function sandboxedStartMs(from: SandboxFixture): Promise<number> {
  const spec = from.spec(TELL_TIME, { network: from.addresses() });
  const beganMs = nowMs();
  const process = await from.sandbox.start(spec);
  // Waiting for a sandbox does not keep Node alive by itself.
  const alive = setInterval(() => undefined, 1_000);
  await process.exited;
  clearInterval(alive);
  await process.remove();
  return toldMs(await readFile(spec.logPath, 'utf8')) - beganMs;
}

async function bareStartMs(): Promise<number> {
  const beganMs = nowMs();
  const { stdout } = await promisify(execFile)('/bin/sh', ['-c', TELL_TIME]);
  return toldMs(stdout) - beganMs;
}

/** Nanoseconds since the epoch, the last word of the output. */
function toldMs(output: string): number {
  const nanoseconds = /(\d{19})\s*$/.exec(output)?.[1];
  if (nanoseconds === undefined) throw new Error(`no time in "${output}"`);
  return Number(BigInt(nanoseconds) / 1_000n) / 1_000;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
