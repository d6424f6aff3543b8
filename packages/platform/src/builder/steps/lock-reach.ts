// Which packages of a lock are reached from what a project asks for, and under which markers: locks
// hold what developers need as well, and older ones do not say which is which.

export interface LockEdge {
  readonly name: string;
  readonly marker: string | undefined;
  readonly extras: readonly string[];
}

/** Name -> markers of the edges that lead to it; undefined among them: needed always. */
export type Reached = ReadonlyMap<string, ReadonlySet<string | undefined>>;

/** `edgesOf` gives what a package asks for with these extras; undefined when the lock has none. */
export function reachFrom(
  roots: readonly LockEdge[],
  edgesOf: (name: string, extras: readonly string[]) => readonly LockEdge[] | undefined,
): Reached {
  const reached = new Map<string, Set<string | undefined>>();
  const seen = new Set<string>();
  const pending = [...roots];
  for (let edge = pending.pop(); edge !== undefined; edge = pending.pop()) {
    const edges = edgesOf(edge.name, edge.extras);
    if (edges === undefined) continue;
    reached.set(edge.name, (reached.get(edge.name) ?? new Set()).add(edge.marker));
    const visit = `${edge.name}[${[...edge.extras].sort().join(',')}]`;
    const visitUnder = `${visit} ; ${edge.marker ?? ''}`;
    // Needed always: what some marker adds is reached already.
    if (seen.has(visit) || seen.has(visitUnder)) continue;
    seen.add(edge.marker === undefined ? visit : visitUnder);
    pending.push(...edges.map((next) => under(edge.marker, next)));
  }
  return reached;
}

/** What only one platform needs, needs its own dependencies there only. */
function under(marker: string | undefined, edge: LockEdge): LockEdge {
  if (marker === undefined) return edge;
  // Once each, or packages that need each other would never come to an end.
  const isSaid = edge.marker === undefined || marker.includes(edge.marker);
  return { ...edge, marker: isSaid ? marker : `(${marker}) and (${edge.marker})` };
}

/** ` ; (a) or (b)`, or nothing when it is needed always. */
export function markerSuffix(markers: ReadonlySet<string | undefined>): string {
  if (markers.has(undefined)) return '';
  return ` ; ${[...markers].map((each) => `(${each})`).join(' or ')}`;
}
