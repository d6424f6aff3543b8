// TERM (or INT) to the main process, its grace, then KILL.
import type { Clock } from '../ports/clock.ts';
import type { InstanceSpec } from '../ports/runner.ts';
import type { SandboxProcess } from '../ports/sandbox.ts';

const KILL_WAIT_MS = 5_000;

/** Resolves when the process has ended, or was killed and did not go within a bound. */
export async function stopProcess(
  process: SandboxProcess,
  spec: Pick<InstanceSpec, 'stopSignal' | 'stopGraceMs'>,
  clock: Clock,
): Promise<void> {
  if (await endsWithin(process, 0, clock)) return;
  await process.signal(spec.stopSignal);
  if (await endsWithin(process, spec.stopGraceMs, clock)) return;
  await process.signal('SIGKILL');
  await endsWithin(process, KILL_WAIT_MS, clock);
}

async function endsWithin(process: SandboxProcess, ms: number, clock: Clock): Promise<boolean> {
  const waiting = new AbortController();
  const timeout = clock.sleep(ms, waiting.signal).then(
    () => false,
    () => false,
  );
  const ended = await Promise.race([process.exited.then(() => true), timeout]);
  waiting.abort();
  return ended;
}
