// Numbers that look like chance and are the same for the same seed.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** The same for the same bytes, so that an input alone says all of a run. */
  static of(bytes: Uint8Array): Random {
    let hash = 0x811c9dc5;
    for (const octet of bytes) hash = Math.imul(hash ^ octet, 0x01000193);
    return new Random(hash);
  }

  /** 0 to below `bound`. */
  below(bound: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  }

  /** True once in `times`. */
  oneIn(times: number): boolean {
    return this.below(times) === 0;
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T;
  }
}

/** Cuts `bytes` into pieces of sizes from one byte up to all. */
export function piecesOf(bytes: Buffer, random: Random): Buffer[] {
  const pieces: Buffer[] = [];
  const sizeMax = random.of([1, 2, 3, 8, 40, 200]);
  for (let at = 0; at < bytes.length;) {
    const end = at + 1 + random.below(sizeMax);
    pieces.push(bytes.subarray(at, end));
    at = end;
  }
  return pieces;
}
