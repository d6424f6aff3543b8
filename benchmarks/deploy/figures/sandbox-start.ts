// How much later a process begins because it is sandboxed: the process itself tells when it began.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import {
  createSandboxFixture,
  type SandboxFixture,
} from '../../../test/support/sandbox-fixture.ts';
import { median, type Figure } from '../figure.ts';

const TELL_TIME = 'date +%s%N';
const MS_MORE_MAX = 40;
/** The first start also brings the sandbox's own program files into memory. */
const ROUNDS_IGNORED = 2;

export async function measureSandboxStart(rounds: number): Promise<Figure> {
  const fixture = await createSandboxFixture();
  try {
    const measured: number[] = [];
    const bare: number[] = [];
    for (let round = 0; round < rounds + ROUNDS_IGNORED; round += 1) {
      measured.push(await sandboxedStartMs(fixture));
      bare.push(await bareStartMs());
    }
    const kept = { measured: measured.slice(ROUNDS_IGNORED), bare: bare.slice(ROUNDS_IGNORED) };
    return {
      name: 'sandboxed start',
      unit: 'ms',
      target: '<= bare exec + 40 ms',
      ...kept,
      allowed: median(kept.bare) + MS_MORE_MAX,
    };
  } finally {
    await fixture.close();
  }
}

async function sandboxedStartMs(fixture: SandboxFixture): Promise<number> {
  const spec = fixture.spec(TELL_TIME, { network: fixture.addresses() });
  const beganMs = nowMs();
  const process = await fixture.sandbox.start(spec);
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

const nowMs = (): number => performance.timeOrigin + performance.now();
