// How a rule says what it found.
import type { Confidence, Finding } from '../../domain/release.ts';

/** A value together with the findings that explain it. */
export interface Detected<T> {
  readonly value: T;
  readonly findings: readonly Finding[];
}

export function finding(
  rule: string,
  value: string,
  why: string,
  evidence?: string,
  confidence: Confidence = 'certain',
): Finding {
  return {
    rule,
    value,
    why,
    ...(evidence === undefined ? {} : { evidence }),
    ...(confidence === 'certain' ? {} : { confidence }),
  };
}

export function detected<T>(value: T, ...findings: Finding[]): Detected<T> {
  return { value, findings };
}
