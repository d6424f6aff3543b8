// New TLS connections, one after the other in a few processes of OpenSSL's, none of a session before.
import { LOAD_CORE, type PinnedProcesses } from '../pinned-processes.ts';
import type { LoadResult } from './load-result.ts';

const CLIENTS = 4;
const GRACE_MS = 15_000;

export async function runHandshakes(
  processes: PinnedProcesses,
  { port, seconds }: { readonly port: number; readonly seconds: number },
): Promise<LoadResult> {
  const where = ['-connect', `127.0.0.1:${port}`] as const;
  const argv = [
    'openssl',
    's_time',
    ...where,
    '-new',
    '-tls1_3',
    '-time',
    String(seconds),
  ] as const;
  const outputs = await Promise.all(
    Array.from({ length: CLIENTS }, () =>
      processes.run({ core: LOAD_CORE, argv }, seconds * 1_000 + GRACE_MS),
    ),
  );
  const results = outputs.map(parseHandshakes);
  return {
    operations: results.reduce((sum, { operations }) => sum + operations, 0),
    seconds: Math.max(...results.map((result) => result.seconds)),
  };
}

/** Throws when there was none. It stops at whole seconds, so it says up to one more than it took. */
export function parseHandshakes(output: string): LoadResult {
  const [, operations, seconds] = /(\d+) connections in (\d+) real seconds/.exec(output) ?? [];
  if (operations === undefined || operations === '0' || seconds === undefined)
    throw new Error(`openssl did not say what it did:\n${output}`);
  return { operations: Number(operations), seconds: Number(seconds) };
}
