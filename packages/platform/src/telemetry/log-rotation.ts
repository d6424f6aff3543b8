// Keeps the logs of an app within bounds: a large file is renamed and its writer opens a new one; the
// oldest files that nobody writes go. The decision is apart from its effect.
import { rename, rm } from 'node:fs/promises';
import { LIMITS } from '../domain/limits.ts';
import { groupBySeries, listLogFiles, type LogFile } from './log-files.ts';

export type RotationLimits = Readonly<
  Record<'rotateBytes' | 'bytesPerAppMax' | 'filesPerAppMax', number>
>;

export interface Rotation {
  readonly rename: readonly { readonly from: string; readonly to: string }[];
  /** Ids of writers whose file has no name of its own any more: they must open it again. */
  readonly reopen: readonly string[];
  /** Paths, oldest first. */
  readonly remove: readonly string[];
}

/** Tells whether the instance, job or build of this id still runs. */
export type IsWriting = (id: string) => boolean;

export function decideRotation(
  files: readonly LogFile[],
  isWriting: IsWriting,
  limits: RotationLimits = LIMITS.logs,
): Rotation {
  const series = [...groupBySeries(files).values()];
  const isLarge = ({ part, sizeBytes }: LogFile): boolean =>
    part === undefined && sizeBytes >= limits.rotateBytes;
  const large = files.filter((file) => isLarge(file) && isWriting(file.id));
  // Also files that an agent renamed before it was killed: their writers still have no other.
  const nameless = series
    .flatMap((parts) => parts.at(-1) ?? [])
    .filter((youngest) => youngest.part !== undefined && isWriting(youngest.id));
  const written = new Set(series.flatMap((parts) => parts.at(-1) ?? []));
  const closed = files.filter((file) => !written.has(file) || !isWriting(file.id));
  return {
    rename: large.map(({ path, ...file }) => ({
      from: path,
      to: `${path}.${nextPart(file.series, files)}`,
    })),
    reopen: [...new Set([...large, ...nameless].map(({ id }) => id))],
    remove: surplus(files, closed, limits).map(({ path }) => path),
  };
}

/**
 * `reopen` makes the writer of this id open its file again (conmon's control FIFO); it does nothing
 * for an id that writes no more. Killed at any point, the next call goes on.
 */
export async function rotateLogs(
  directory: string,
  reopen: (id: string) => Promise<void>,
  isWriting: IsWriting = () => true,
): Promise<void> {
  const rotation = decideRotation(await listLogFiles(directory), isWriting);
  for (const { from, to } of rotation.rename) await rename(from, to);
  const reopened = await Promise.allSettled(rotation.reopen.map((id) => reopen(id)));
  for (const path of rotation.remove) await rm(path, { force: true });
  const failed = reopened.filter((result) => result.status === 'rejected');
  if (failed.length > 0) {
    throw new AggregateError(
      failed.map((result): unknown => result.reason),
      `${directory}: ${failed.length} writers did not open their log again`,
    );
  }
}

function nextPart(series: string, files: readonly LogFile[]): number {
  const parts = files.filter((file) => file.series === series).map(({ part }) => part ?? 0);
  return Math.max(...parts) + 1;
}

/** The oldest closed files, until the rest is within the limits or nothing closed is left. */
function surplus(
  files: readonly LogFile[],
  closed: readonly LogFile[],
  { bytesPerAppMax, filesPerAppMax }: RotationLimits,
): LogFile[] {
  let totalBytes = files.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  let count = files.length;
  return closed
    .toSorted((a, b) => a.modifiedAtMs - b.modifiedAtMs)
    .filter(({ sizeBytes }) => {
      if (totalBytes <= bytesPerAppMax && count <= filesPerAppMax) return false;
      totalBytes -= sizeBytes;
      count -= 1;
      return true;
    });
}
