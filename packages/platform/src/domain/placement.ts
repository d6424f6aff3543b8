// Where a process may run, and why. With one node there is one answer; with several, an app that has a
// volume runs where the volume is, and a count that does not fit there is refused with this reason.
import type { BuiltImage } from './release.ts';

/** For people, as `tandem ps --why` shows it. Undefined: any node would do. */
export function placementReason(
  node: string,
  image: Pick<BuiltImage, 'volume'> | undefined,
): string | undefined {
  return image?.volume === undefined ? undefined : `${node} holds the volume of the app`;
}
