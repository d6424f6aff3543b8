// One line of the table: what the platform takes, what the same work takes by hand in the same run,
// and the target that joins the two.
import { median } from '../median.ts';

export interface Figure {
  readonly name: string;
  readonly unit: 'ms' | 'MiB' | 'layers';
  readonly target: string;
  /** One entry per round. */
  readonly measured: readonly number[];
  /** The bare counterpart, round by round; absent where the target is absolute. */
  readonly bare?: readonly number[];
  /** The most that `measured` may be, given the medians. */
  readonly allowed: number;
  /** Where the time goes: medians of parts, in the unit of the figure. */
  readonly parts?: Readonly<Record<string, number>>;
}

/** Medians of each key over the rounds in which it occurs. */
export function medianParts(rounds: readonly Readonly<Record<string, number>>[]) {
  const keys = new Set(rounds.flatMap((round) => Object.keys(round)));
  return Object.fromEntries(
    [...keys].map((key) => [
      key,
      median(rounds.flatMap((round) => (round[key] === undefined ? [] : [round[key]]))),
    ]),
  );
}

export function isMet(figure: Figure): boolean {
  return median(figure.measured) <= figure.allowed;
}

export async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; value: T }> {
  const beganMs = performance.now();
  const value = await work();
  return { ms: performance.now() - beganMs, value };
}
