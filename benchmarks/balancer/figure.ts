// What was measured, round by round, for everyone who took part; and what the targets make of it.
import { median } from '../median.ts';

export type Unit = 'requests/s' | 'connections/s' | 'messages/s' | 'ms' | 'MiB' | 'KiB';

export interface Reading {
  readonly value: number;
  /** Of the proxy, for one operation. */
  readonly cpuUs?: number;
  /** The share of its core that the proxy used: below 1 something else was the limit. */
  readonly busy?: number;
  /** The share that processes outside this benchmark took. */
  readonly others?: number;
}

export interface Figure {
  readonly name: string;
  readonly unit: Unit;
  /** In the order of the table; one entry a round, and the rounds belong together. */
  readonly readings: Readonly<Record<string, readonly Reading[]>>;
  readonly targets: readonly Target[];
}

export type Target = RatioTarget | AbsoluteTarget;

/** Of one's figure to that of the others: of several, the one that is hardest to match counts. */
export interface RatioTarget {
  readonly of: string;
  readonly against: readonly string[];
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface AbsoluteTarget {
  readonly of: string;
  readonly atMost: number;
}

/** Below this something else was the limit, and CPU time says more than throughput. */
const SATURATED_BUSY_MIN = 0.9;

export interface Verdict {
  /** Whom it was compared with; absent: a number of its own. */
  readonly rival?: string;
  /** Ratio of throughput, or of times; the number itself where there is no rival. */
  readonly measured: number;
  /** Ratio of operations per CPU second. */
  readonly perCpu?: number;
  readonly decidedBy: 'value' | 'CPU time';
  readonly isMet: boolean;
}

export function judge(figure: Figure, target: Target): Verdict {
  if (!('against' in target)) {
    const measured = median(valuesOf(figure, target.of));
    return { measured, decidedBy: 'value', isMet: measured <= target.atMost };
  }
  const verdicts = target.against.map((rival) => judgeAgainst(figure, target, rival));
  const toughest = verdicts.toSorted((one, other) => one.margin - other.margin)[0];
  if (!toughest) throw new Error(`${figure.name}: a target against nobody`);
  return toughest.verdict;
}

function judgeAgainst(
  figure: Figure,
  { of, atLeast = 0, atMost = Infinity }: RatioTarget,
  rival: string,
): { readonly verdict: Verdict; readonly margin: number } {
  const compared = compare(figure, of, rival);
  const deciding = compared.decidedBy === 'value' ? compared.measured : (compared.perCpu ?? NaN);
  const isMet = deciding >= atLeast && deciding <= atMost;
  return {
    verdict: { rival, ...compared, isMet },
    margin: atMost === Infinity ? deciding : -deciding,
  };
}

/** Medians of the ratios within each round: what disturbs a round disturbs both. */
export function compare(
  figure: Figure,
  one: string,
  other: string,
): Pick<Verdict, 'measured' | 'perCpu' | 'decidedBy'> {
  const measured = medianRatio(valuesOf(figure, one), valuesOf(figure, other));
  // The cheaper one does more in a CPU second.
  const [cost, otherCost] = [cpuOf(figure, one), cpuOf(figure, other)];
  if (cost.length === 0 || otherCost.length === 0) return { measured, decidedBy: 'value' };
  const perCpu = medianRatio(otherCost, cost);
  const isSaturated = [one, other].every((name) => busyOf(figure, name) >= SATURATED_BUSY_MIN);
  return { measured, perCpu, decidedBy: isSaturated ? 'value' : 'CPU time' };
}

export function valuesOf(figure: Figure, name: string): number[] {
  return readingsOf(figure, name).map(({ value }) => value);
}

export function cpuOf(figure: Figure, name: string): number[] {
  return readingsOf(figure, name).flatMap(({ cpuUs }) => (cpuUs === undefined ? [] : [cpuUs]));
}

export function busyOf(figure: Figure, name: string): number {
  return median(readingsOf(figure, name).map(({ busy = NaN }) => busy));
}

export function othersOf(figure: Figure, name: string): number {
  return median(readingsOf(figure, name).map(({ others = NaN }) => others));
}

function readingsOf(figure: Figure, name: string): readonly Reading[] {
  const readings = figure.readings[name];
  if (!readings) throw new Error(`${figure.name}: nothing was measured for ${name}`);
  return readings;
}

function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, round) => value / (others[round] ?? NaN)));
}
