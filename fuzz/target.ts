// Something that takes bytes and must hold its promises whatever they are.

export interface FuzzTarget {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  /** Words of its language. */
  readonly words: readonly string[];
  /** Throws when a promise is broken. The same bytes always take the same way. */
  run(input: Buffer): void | Promise<void>;
  close?(): Promise<void>;
}

/** A promise that was broken. */
export function claim(
  holds: boolean,
  promise: string,
  ...facts: readonly unknown[]
): asserts holds {
  if (!holds) throw new Error([promise, ...facts.map((fact) => JSON.stringify(fact))].join('\n  '));
}

export const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1');
