// Refuses a source over the limits before it is sent, and says which directories make it so.
import { TandemError, UPLOAD_LIMITS } from '@tandem/protocol';
import { formatSize } from '../output/quantities.ts';
import type { Source } from './collect.ts';

const NAMED_MAX = 3;
const DEPTH = 2;

export function assertWithinLimits(source: Source, limits = UPLOAD_LIMITS): void {
  if (source.files.length === 0) {
    throw new TandemError('NO_APP_DETECTED', 'The folder holds no file to deploy.', {
      where: source.root,
    });
  }
  if (source.files.length > limits.fileCountMax) {
    throw new TandemError(
      'ARCHIVE_TOO_MANY_FILES',
      `${source.files.length} files; the limit is ${limits.fileCountMax}.`,
      { where: describeBiggest(source, () => 1, String), hint: HINT },
    );
  }
  if (source.sizeBytes > limits.unpackedBytesMax) {
    throw new TandemError(
      'UPLOAD_TOO_LARGE',
      `${formatSize(source.sizeBytes)} of files; the limit is ${formatSize(limits.unpackedBytesMax)}.`,
      { where: describeBySize(source), hint: HINT },
    );
  }
}

const HINT = 'List what the app does not need in .tandemignore (same form as .gitignore).';

/** For the archive that turns out too large when it is packed. */
export function archiveTooLarge(source: Source, limitBytes: number): TandemError {
  return new TandemError(
    'UPLOAD_TOO_LARGE',
    `The source is over ${formatSize(limitBytes)}, compressed.`,
    { where: describeBySize(source), hint: HINT },
  );
}

const describeBySize = (source: Source): string =>
  describeBiggest(source, (sizeBytes) => sizeBytes, formatSize);

/** `media/photos 1.2 GB, data 300 MB, (top) 2 MB` */
function describeBiggest(
  source: Source,
  weigh: (sizeBytes: number) => number,
  format: (weight: number) => string,
): string {
  const weights = new Map<string, number>();
  for (const { path, sizeBytes } of source.files) {
    const directory = path.split('/').slice(0, -1).slice(0, DEPTH).join('/') || '(top)';
    weights.set(directory, (weights.get(directory) ?? 0) + weigh(sizeBytes));
  }
  return [...weights]
    .sort(([, a], [, b]) => b - a)
    .slice(0, NAMED_MAX)
    .map(([directory, weight]) => `${directory} ${format(weight)}`)
    .join(', ');
}
