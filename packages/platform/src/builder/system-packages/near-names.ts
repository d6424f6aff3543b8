// Names of packages that come near one that does not exist: another version of the same library
// first, then slips of the keyboard. Pure.

const NEAR_MAX = 3;
const DISTANCE_MAX = 2;

export function nearNames(wanted: string, names: readonly string[]): string[] {
  const stem = stemOf(wanted);
  const scored = names.flatMap((name) => {
    const score = scoreOf(name, wanted, stem);
    return score === undefined ? [] : [{ name, score }];
  });
  return scored
    .sort((one, other) => one.score - other.score || (one.name < other.name ? -1 : 1))
    .slice(0, NEAR_MAX)
    .map(({ name }) => name);
}

/** Lower is nearer. */
function scoreOf(name: string, wanted: string, stem: string): number | undefined {
  if (name === wanted) return undefined;
  if (stem.length >= 4 && stemOf(name) === stem) return Math.abs(name.length - wanted.length) / 100;
  const distance = distanceUpTo(DISTANCE_MAX, name, wanted);
  if (distance !== undefined) return distance;
  if (name === `lib${wanted}` || name === `python3-${wanted}`) return DISTANCE_MAX + 1;
  return undefined;
}

/** `libgdal` of libgdal30, libgdal-3.2 of a t64 name: what stays between releases of Debian. */
function stemOf(name: string): string {
  return name.replace(/(t64)?$/, '').replace(/[-.]?\d[\d.]*([a-z]?\d*)?$/, '');
}

/** Of Levenshtein; undefined when it is more than `max`. */
function distanceUpTo(max: number, one: string, other: string): number | undefined {
  if (Math.abs(one.length - other.length) > max) return undefined;
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (one[i - 1] === other[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    if (Math.min(...next) > max) return undefined;
    row = next;
  }
  const distance = row[other.length] ?? 0;
  return distance <= max ? distance : undefined;
}
