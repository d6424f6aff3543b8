// The directory for files that the old system promised: `~/data` beside the code, on the volume here.
// One path serves static mappings, variables and `bundle_config`.
import type { VolumeCandidate } from '../volume-paths.ts';

/** Inside the sandbox, beside the code. */
export const DATA_DIRECTORY = '/data';

/** `evidence` is where the project asks for it; undefined when it does not. */
export function dataDirectoryCandidates(evidence: string | undefined): VolumeCandidate[] {
  if (evidence === undefined) return [];
  const why = 'the directory for files of the ep.io system';
  return [{ path: DATA_DIRECTORY, kind: 'directory', isSure: true, why, evidence }];
}
