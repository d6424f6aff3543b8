// Keeps the logs of an app within bounds: a large file is renamed and its writer opens a new one; the
// oldest files that nobody writes go. The decision is apart from its effect.
import { rename, rm } from 'node:fs/promises';
import { LIMITS } from '../domain/limits.ts';
import type { Clock } from '../ports/clock.ts';
import { groupBySeries, listLogFiles, type LogFile } from './log-files.ts';

/** How long a writer may take to open its file anew before it is asked again. */
const PATIENCE_MS = 30_000;

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

/** `reopen` makes the writer of this id open its file again; nothing for an id that writes no more. */
export interface LogWriters {
  readonly isWriting: IsWriting;
  readonly reopen: (id: string) => Promise<void>;
}

/** Killed at any point, the rotator of the next agent goes on. */
export class LogRotator {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #limits: RotationLimits;
  /** Writers without a file of their own name: when they were asked, or first seen so. */
  readonly #askedAtMs = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>, limits: RotationLimits = LIMITS.logs) {
    this.#clock = clock;
    this.#limits = limits;
  }

  async rotate(directory: string, { reopen, isWriting }: LogWriters): Promise<void> {
    const files = await listLogFiles(directory);
    const rotation = decideRotation(files, isWriting, this.#limits);
    for (const { from, to } of rotation.rename) await rename(from, to);
    const renamed = new Set(rotation.rename.map(({ from }) => from));
    const large = files.filter(({ path }) => renamed.has(path)).map(({ id }) => id);
    const asked = rotation.reopen.filter((id) => this.#isDue(id, large.includes(id)));
    const reopened = await Promise.allSettled(asked.map((id) => reopen(id)));
    for (const path of rotation.remove) await rm(path, { force: true });
    const failed = reopened.filter((result) => result.status === 'rejected');
    if (failed.length > 0) {
      throw new AggregateError(
        failed.map((result): unknown => result.reason),
        `${directory}: ${failed.length} writers did not open their log again`,
      );
    }
  }

  /**
   * conmon puts a new file in the place of the one that has the name. Were it asked twice before it
   * gets to the first, the second would throw away what it wrote in between.
   */
  #isDue(id: string, isRenamedNow: boolean): boolean {
    const nowMs = this.#clock.monotonicMs();
    const askedAtMs = this.#askedAtMs.get(id);
    const isDue = isRenamedNow || (askedAtMs !== undefined && nowMs - askedAtMs >= PATIENCE_MS);
    if (isDue || askedAtMs === undefined) this.#remember(id, nowMs);
    return isDue;
  }

  #remember(id: string, nowMs: number): void {
    for (const [known, atMs] of this.#askedAtMs) {
      if (nowMs - atMs > 2 * PATIENCE_MS) this.#askedAtMs.delete(known);
    }
    this.#askedAtMs.set(id, nowMs);
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
