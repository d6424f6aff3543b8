// No space was left: for a step of the build, or on the platform's own disk below it.
import { statfs } from 'node:fs/promises';
import { TandemError, hasCode, type ErrorBody } from '@tandem/protocol';
import { LIMITS } from '../../domain/limits.ts';
import { isDiskFull } from '../../lib/disk-full.ts';
import type { InstallFailure } from './evidence.ts';

const MIB = 1024 * 1024;
/** With less than this, it is the platform's disk. */
const FREE_BYTES_MIN = 64 * MIB;
const NO_SPACE = /No space left on device|os error 28\b|Errno 28\b/;

export function saysDiskFull(text: string): boolean {
  return NO_SPACE.test(text);
}

export function buildDiskFull(): TandemError {
  return new TandemError('DISK_FULL', 'A disk of the build is full.', {
    hint: `write less there: the project may grow to ${LIMITS.build.diskBytes / MIB / 1024} GiB, /tmp holds ${LIMITS.instance.tmpBytes / MIB} MiB`,
  });
}

export function installDiskFull({ logTail }: InstallFailure): ErrorBody | undefined {
  return saysDiskFull(logTail) ? buildDiskFull().toBody() : undefined;
}

/** Must be asked while the disk of the build is still there. Any other error comes back as it is. */
export async function namingTheFullDisk(error: unknown, dataDirectory: string): Promise<unknown> {
  if (!hasCode(error, 'DISK_FULL') && !isDiskFull(error)) return error;
  const { bavail, bsize } = await statfs(dataDirectory);
  if (bavail * bsize >= FREE_BYTES_MIN)
    return hasCode(error, 'DISK_FULL') ? error : buildDiskFull();
  const left = Math.floor((bavail * bsize) / MIB);
  return new TandemError('DISK_FULL', `The disk of the platform is full: ${left} MiB are left.`, {
    where: dataDirectory,
    hint: 'tandem apps     (destroy what is not needed any more, or enlarge the disk)',
    cause: error,
  });
}
