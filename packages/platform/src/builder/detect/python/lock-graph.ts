// Which packages of a lock an app gets, and up to which Python: those of developers are not reached
// from what it asks for, and an edge may hold for old Pythons only.
import { pyprojectRequirements } from '../dependencies/pyproject-requirements.ts';
import { extrasIn, markerIn, normalizeName, requirementName } from '../requirements-file.ts';
import { isTable, parsePyproject } from '../tandem-toml.ts';
import { markerEndsAt } from './python-marker.ts';

interface Edge {
  readonly name: string;
  readonly endsAt: number;
  readonly hasExtras: boolean;
}

/**
 * Name -> first minor version for which it is not needed any more (Infinity: always needed).
 * Undefined when the roots are not known. `packages` is `[[package]]` of uv or Poetry.
 */
export function lockReach(
  packages: readonly unknown[],
  pyprojectText: string,
  wished: readonly string[] = [],
): ReadonlyMap<string, number> | undefined {
  const pyproject = parsePyproject(pyprojectText, 'pyproject.toml');
  const roots = pyprojectRequirements(pyproject, wished)?.requirements ?? [];
  if (roots.length === 0) return undefined;
  const graph = edgesByName(packages);
  const reached = new Map<string, number>();
  const pending = roots.map(({ name, extras, text }): Edge => {
    return {
      name: normalizeName(name),
      endsAt: markerEndsAt(markerIn(text)),
      hasExtras: extras.length > 0,
    };
  });
  for (let edge = pending.pop(); edge !== undefined; edge = pending.pop()) {
    const { name, endsAt, hasExtras } = edge;
    const visit = hasExtras ? `${name}[]` : name;
    if ((reached.get(visit) ?? -1) >= endsAt) continue;
    reached.set(visit, endsAt);
    reached.set(name, Math.max(endsAt, reached.get(name) ?? 0));
    for (const next of graph.get(name)?.(hasExtras) ?? []) {
      pending.push({ ...next, endsAt: Math.min(next.endsAt, endsAt) });
    }
  }
  return reached;
}

/** Of one name there may be several versions. */
function edgesByName(packages: readonly unknown[]) {
  const tables = new Map<string, Record<string, unknown>[]>();
  for (const one of packages) {
    if (!isTable(one) || typeof one['name'] !== 'string') continue;
    const name = normalizeName(one['name']);
    tables.set(name, [...(tables.get(name) ?? []), one]);
  }
  const edges = [...tables].map(
    ([name, all]) =>
      [name, (extras: boolean) => all.flatMap((table) => edgesOf(table, extras))] as const,
  );
  return new Map(edges);
}

/** uv lists tables, PDM texts; Poetry has a table of names, with optional ones among them. */
function edgesOf(table: Record<string, unknown>, withExtras: boolean): Edge[] {
  const { dependencies } = table;
  const optional = isTable(table['optional-dependencies']) ? table['optional-dependencies'] : {};
  if (Array.isArray(dependencies) || dependencies === undefined) {
    const more = withExtras ? Object.values(optional) : [];
    return [dependencies ?? [], ...more].flat().flatMap((one: unknown) => edgeOf(one));
  }
  if (!isTable(dependencies)) return [];
  return Object.entries(dependencies).flatMap(([name, specs]) =>
    [specs].flat().flatMap((spec: unknown) => {
      const described = isTable(spec) ? spec : {};
      if (described['optional'] === true && !withExtras) return [];
      return edgeOf({ ...described, name, marker: described['markers'] });
    }),
  );
}

function edgeOf(one: unknown): Edge[] {
  if (typeof one === 'string') {
    const name = requirementName(one);
    const endsAt = markerEndsAt(markerIn(one));
    return name === undefined ? [] : [{ name, endsAt, hasExtras: extrasIn(one).length > 0 }];
  }
  if (!isTable(one) || typeof one['name'] !== 'string') return [];
  const { marker } = one;
  const extras = one['extra'] ?? one['extras'];
  return [
    {
      name: normalizeName(one['name']),
      endsAt: markerEndsAt(typeof marker === 'string' ? marker : undefined),
      hasExtras: Array.isArray(extras) && extras.length > 0,
    },
  ];
}
