// Below which Python an environment marker can hold, as far as text shows.

const CLAUSE = /python_(?:full_)?version\s*(<=|<|===|==|~=)\s*["'](\d+)(?:\.(\d+))?(?:\.(\d+))?/g;

/** 9 for `python_version < "3.9"`: it holds for no minor version of Python 3 from there on. */
export function markerEndsAt(marker: string | undefined): number {
  if (marker === undefined) return Infinity;
  // Any one of several alternatives is enough.
  return Math.max(...marker.split(/\bor\b/).map(endOfClauses));
}

function endOfClauses(text: string): number {
  const ends = [...text.matchAll(CLAUSE)].map(([, operator = '', major, minor, patch]) => {
    if (major !== '3') return Number(major) < 3 ? 0 : Infinity;
    if (minor === undefined) return operator === '<' ? 0 : Infinity;
    const isWhole = operator === '<' && Number(patch ?? 0) === 0;
    return Number(minor) + (isWhole ? 0 : 1);
  });
  return Math.min(Infinity, ...ends);
}
