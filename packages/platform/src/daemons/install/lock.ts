// `up` and `down` of one installation take turns.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { FileLockTimeout, withFileLock } from '../../lib/file-lock.ts';

const DIRECTORY = '/run/tandem-machine';
const TIMEOUT_MS = 15 * 60_000;

export async function withInstallationLock<T>(
  name: string,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  await mkdir(DIRECTORY, { recursive: true, mode: 0o755 });
  const options = {
    timeoutMs: TIMEOUT_MS,
    onWait: () => say(`Waiting for another up or down of "${name}"`),
  };
  try {
    return await withFileLock(join(DIRECTORY, `${name}.lock`), options, work);
  } catch (error) {
    if (!(error instanceof FileLockTimeout)) throw error;
    throw new TandemError('MACHINE_UNFIT', error.message, { cause: error });
  }
}
