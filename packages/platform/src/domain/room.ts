// Whether new instances fit in memory: beside the old ones, so that nobody notices; one by one, so
// that some old instance always serves; only in their place, while requests wait; or not at all.

export interface RoomInstance {
  readonly processType: string;
  /** Of an old one: what it gives back. Of a new one: what it is expected to take. */
  readonly memoryBytes: number;
}

export interface RoomQuestion {
  /** Available now, with the old instances running. */
  readonly freeBytes: number;
  /** Kept free for the platform and databases. */
  readonly reserveBytes: number;
  readonly old: readonly RoomInstance[];
  readonly new: readonly RoomInstance[];
}

/** `index` counts in the question's list. */
export type RoomStep =
  | { readonly kind: 'start'; readonly index: number }
  | { readonly kind: 'end'; readonly index: number }
  /** Requests go to the new instances from here on, so the last old ones may end. */
  | { readonly kind: 'switch' };

export interface RoomDecision {
  readonly plan: 'beside' | 'one-by-one' | 'swap' | 'refuse';
  /** Names the numbers: "the new instances need 600 MB, 210 MB are free". */
  readonly reason: string;
  /** Of `one-by-one` only: an order in which everything fits. */
  readonly steps: readonly RoomStep[];
}

/** What an old instance of the same process used says more than the limit of the new one. */
const GROWTH_FACTOR = 1.5;
const EXPECTED_BYTES_MIN = 96 * 1024 * 1024;

/** `usedBytes`: of the most hungry old instance of the same process type, when there is one. */
export function expectedMemoryBytes(limitBytes: number, usedBytes: number | undefined): number {
  if (usedBytes === undefined || usedBytes === 0) return limitBytes;
  return Math.min(limitBytes, Math.max(EXPECTED_BYTES_MIN, Math.ceil(usedBytes * GROWTH_FACTOR)));
}

export function decideRoom(question: RoomQuestion): RoomDecision {
  const roomBytes = Math.max(0, question.freeBytes - question.reserveBytes);
  const oldBytes = sum(question.old);
  const newBytes = sum(question.new);
  const numbers = `the new instances need ${megabytes(newBytes)}, ${megabytes(roomBytes)} are free`;
  if (newBytes <= roomBytes) return { plan: 'beside', reason: numbers, steps: [] };
  if (newBytes > roomBytes + oldBytes) {
    const more = oldBytes === 0 ? '' : ` and the old ones give back ${megabytes(oldBytes)}`;
    return { plan: 'refuse', reason: `${numbers}${more}`, steps: [] };
  }
  const steps = orderOneByOne(question, roomBytes);
  if (steps) return { plan: 'one-by-one', reason: `${numbers}: replaced one by one`, steps };
  const reason = `${numbers}: the old ones (${megabytes(oldBytes)}) end first`;
  return { plan: 'swap', reason, steps: [] };
}

/** Undefined when the last instance that serves would have to end before a new one is there. */
function orderOneByOne(question: RoomQuestion, roomBytesAtFirst: number): RoomStep[] | undefined {
  const steps: RoomStep[] = [];
  const waiting = question.new.map((_, index) => index);
  const left = question.old.map((_, index) => index);
  let roomBytes = roomBytesAtFirst;
  let switched = false;
  while (waiting.length > 0) {
    const fits = waiting.find((index) => sizeOf(question.new[index]) <= roomBytes);
    if (fits !== undefined) {
      steps.push({ kind: 'start', index: fits });
      waiting.splice(waiting.indexOf(fits), 1);
      roomBytes -= sizeOf(question.new[fits]);
      continue;
    }
    const ends = nextToEnd(question, left, switched);
    if (ends !== undefined) {
      steps.push({ kind: 'end', index: ends });
      left.splice(left.indexOf(ends), 1);
      roomBytes += sizeOf(question.old[ends]);
    } else if (!switched && canServe(question, waiting)) {
      steps.push({ kind: 'switch' });
      switched = true;
    } else {
      return undefined;
    }
  }
  return steps;
}

/** Workers before web instances; the last web instance only when it serves no more. */
function nextToEnd(
  { old }: RoomQuestion,
  left: readonly number[],
  switched: boolean,
): number | undefined {
  const worker = left.find((index) => old[index]?.processType !== 'web');
  if (worker !== undefined) return worker;
  return left.length > 1 || switched ? left[0] : undefined;
}

/** A new web instance has started, or none is wanted. */
function canServe(question: RoomQuestion, waiting: readonly number[]): boolean {
  const web = question.new.flatMap(({ processType }, index) =>
    processType === 'web' ? [index] : [],
  );
  return web.length === 0 || web.some((index) => !waiting.includes(index));
}

function sizeOf(instance: RoomInstance | undefined): number {
  return instance?.memoryBytes ?? 0;
}

function sum(instances: readonly RoomInstance[]): number {
  return instances.reduce((total, { memoryBytes }) => total + memoryBytes, 0);
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / (1024 * 1024))} MB`;
}
