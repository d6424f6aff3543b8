// Whether new instances fit in memory: all beside the old ones, one pair after the other (the new
// one first, so that nobody notices), or not at all.

export interface InstanceRoom {
  /** `web.1`, for the reason. */
  readonly name: string;
  /** What ends for it; 0 when it is an additional one. */
  readonly oldBytes: number;
  /** What starts; 0 when it is only ended. */
  readonly newBytes: number;
}

export interface RoomQuestion {
  /** Available now, with the old instances running. */
  readonly freeBytes: number;
  /** Kept free for the platform and databases. */
  readonly reserveBytes: number;
  readonly instances: readonly InstanceRoom[];
}

export interface RoomDecision {
  readonly plan: 'beside' | 'one-by-one' | 'refuse';
  /** Names the numbers: "needs 600 MB beside the old instances, 210 MB are free". */
  readonly reason: string;
}

export function decideRoom({ freeBytes, reserveBytes, instances }: RoomQuestion): RoomDecision {
  const roomBytes = Math.max(0, freeBytes - reserveBytes);
  const neededBytes = sum(instances.map(({ newBytes }) => newBytes));
  const free = `${megabytes(roomBytes)} are free`;
  const beside = `needs ${megabytes(neededBytes)} beside the old instances, ${free}`;
  if (neededBytes <= roomBytes) return { plan: 'beside', reason: beside };
  const tight = firstThatDoesNotFit(roomBytes, instances);
  if (tight === undefined) return { plan: 'one-by-one', reason: beside };
  const { name, newBytes, leftBytes } = tight;
  const left = leftBytes === roomBytes ? free : `${megabytes(leftBytes)} are left for it`;
  return { plan: 'refuse', reason: `${name} needs ${megabytes(newBytes)}, ${left}` };
}

/** Instances that only end go first: their memory is the others' room. */
function firstThatDoesNotFit(
  roomBytes: number,
  instances: readonly InstanceRoom[],
): (InstanceRoom & { readonly leftBytes: number }) | undefined {
  const ended = instances.filter(({ newBytes }) => newBytes === 0);
  let leftBytes = roomBytes + sum(ended.map(({ oldBytes }) => oldBytes));
  for (const instance of instances.filter(({ newBytes }) => newBytes > 0)) {
    if (instance.newBytes > leftBytes) return { ...instance, leftBytes };
    leftBytes += instance.oldBytes - instance.newBytes;
  }
  return undefined;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`;
}
