// What `npm run fuzz` found, each as the input that showed it: a seed of later runs, and played in every
// run of the tests.

export interface FuzzFinding {
  readonly target: string;
  /** What went wrong then. */
  readonly was: string;
  /** Latin1. */
  readonly bytes: string;
}

export const FUZZ_FINDINGS: readonly FuzzFinding[] = [
  {
    target: 'routes-file',
    was: 'the field of a mistake was told as nothing when its key was',
    bytes: '{" ":[{"":[""],"":1,"":2}]}',
  },
];
