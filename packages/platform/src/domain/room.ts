// Whether new instances fit in memory: beside the old ones, so that nobody notices; in their place,
// so that the old ones must end first; or not at all.

export interface RoomQuestion {
  /** Available now, with the old instances running. */
  readonly freeBytes: number;
  /** Kept free for the platform and databases. */
  readonly reserveBytes: number;
  /** What each instance that ends gives back. */
  readonly oldBytes: readonly number[];
  /** What each instance that starts may take. */
  readonly newBytes: readonly number[];
}

export interface RoomDecision {
  readonly plan: 'beside' | 'one-by-one' | 'refuse';
  /** Names the numbers: "the new instances need 600 MB, 210 MB are free". */
  readonly reason: string;
}

export function decideRoom(question: RoomQuestion): RoomDecision {
  const roomBytes = Math.max(0, question.freeBytes - question.reserveBytes);
  const oldBytes = sum(question.oldBytes);
  const newBytes = sum(question.newBytes);
  const numbers = `the new instances need ${megabytes(newBytes)}, ${megabytes(roomBytes)} are free`;
  if (newBytes <= roomBytes) return { plan: 'beside', reason: numbers };
  if (newBytes <= roomBytes + oldBytes) {
    const reason = `${numbers}: the old ones (${megabytes(oldBytes)}) end first`;
    return { plan: 'one-by-one', reason };
  }
  if (oldBytes === 0) return { plan: 'refuse', reason: numbers };
  const reason = `${numbers} and the old ones give back ${megabytes(oldBytes)}`;
  return { plan: 'refuse', reason };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`;
}
