// Whether new instances fit in memory: beside the old ones, in their place (balancers hold requests
// meanwhile), or not at all.

export interface RoomQuestion {
  /** Available now, with the old instances running. */
  readonly freeBytes: number;
  /** Kept free for the platform and databases. */
  readonly reserveBytes: number;
  /** What the old instances use and give back when they end. */
  readonly oldBytes: readonly number[];
  /** The size of each new instance. */
  readonly newBytes: readonly number[];
}

export interface RoomDecision {
  readonly plan: 'beside' | 'swap' | 'refuse';
  /** Names the numbers: "needs 600 MB beside the old instances, 210 MB are free". */
  readonly reason: string;
}

export function decideRoom(question: RoomQuestion): RoomDecision {
  const roomBytes = Math.max(0, question.freeBytes - question.reserveBytes);
  const neededBytes = sum(question.newBytes);
  const freedBytes = sum(question.oldBytes);
  const needs = `needs ${megabytes(neededBytes)}`;
  const beside = `${needs} beside the old instances, ${megabytes(roomBytes)} are free`;
  if (neededBytes <= roomBytes) return { plan: 'beside', reason: beside };
  if (freedBytes > 0 && neededBytes <= roomBytes + freedBytes) {
    return { plan: 'swap', reason: `${beside}: requests wait while the old ones make room` };
  }
  const most = `${megabytes(roomBytes + freedBytes)} can be had`;
  return { plan: 'refuse', reason: `${needs}, ${most}` };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`;
}
