// The directory for files that the old system promised: `~/data` beside the code, `.data` in it here,
// so that one path serves symlinks, static mappings and `bundle_config`.
import type { Finding } from '../../../domain/release.ts';
import { finding } from '../evidence.ts';

/** Relative to the top of the source. */
export const DATA_DIRECTORY = '.data';

/** `evidence` is where the project asks for it; undefined when it does not. */
export function dataDirectoryFindings(evidence: string | undefined): Finding[] {
  if (evidence === undefined) return [];
  const why = 'no volume holds it: what is written there is gone with the instance';
  return [finding('data_directory', '/tmp/data', why, evidence)];
}
