// What the contract suites of Sandbox share: the adapter under test, and bounded waits.
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sandbox, SandboxRecord, SandboxSpec } from './sandbox.ts';

export interface SandboxUnderTest {
  readonly sandbox: Sandbox;
  /** As the next agent of the same installation would have it. */
  openSandbox(): Promise<Sandbox>;
  /** A spec with a fresh id that runs `sh -c script`. */
  spec(script: string, changes?: Partial<SandboxSpec>): SandboxSpec;
  /** Removes everything; throws when something is left in the kernel. */
  close(): Promise<void>;
}

const WAIT_MS = 15_000;

export function throughJson(record: SandboxRecord): SandboxRecord {
  return JSON.parse(JSON.stringify(record)) as SandboxRecord;
}

/** What was said, without the k8s-file prefix of time, stream and tag; '' without a log. */
export async function logText(path: string): Promise<string> {
  const content = await readFile(path, 'utf8').catch(() => '');
  return content.replace(/^\S+ std(?:out|err) ([FP]) (.*\n)/gm, (_, tag: string, line: string) =>
    tag === 'P' ? line.slice(0, -1) : line,
  );
}

export async function eventually(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${WAIT_MS} ms`);
    await sleep(20);
  }
}

export async function within<T>(promise: Promise<T>): Promise<T> {
  const late = sleep(WAIT_MS).then(() => {
    throw new Error(`not within ${WAIT_MS} ms`);
  });
  return await Promise.race([promise, late]);
}
