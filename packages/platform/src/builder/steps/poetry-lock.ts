// A poetry.lock as requirements with hashes. Only what the main dependencies reach: Poetry's own
// export is a plugin, and older locks do not say which group a package belongs to.
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { pyprojectRequirements } from '../detect/dependencies/pyproject-requirements.ts';
import { normalizeName, requirementName } from '../detect/requirements-file.ts';
import { isTable, parsePyproject, parseToml } from '../detect/tandem-toml.ts';
import { markerSuffix, reachFrom, type LockEdge } from './lock-reach.ts';

const Source = v.object({
  type: v.string(),
  url: v.string(),
  resolved_reference: v.optional(v.string()),
  subdirectory: v.optional(v.string()),
});
const Package = v.object({
  name: v.string(),
  version: v.string(),
  files: v.optional(v.array(v.object({ hash: v.string() })), []),
  dependencies: v.optional(v.record(v.string(), v.unknown()), {}),
  extras: v.optional(v.record(v.string(), v.array(v.string())), {}),
  source: v.optional(Source),
});
type Package = v.InferOutput<typeof Package>;
const PoetryLock = v.object({
  package: v.optional(v.array(Package), []),
  metadata: v.optional(
    v.object({ files: v.optional(v.record(v.string(), v.array(v.object({ hash: v.string() })))) }),
    {},
  ),
});

export function requirementsOfPoetryLock(
  lockText: string,
  pyprojectText: string,
  wished: readonly string[] = [],
): string {
  const table = parseToml(lockText, 'poetry.lock', 'REQUIREMENTS_INVALID');
  const parsed = v.safeParse(PoetryLock, table);
  if (!parsed.success) throw invalid(v.getDotPath(parsed.issues[0]) ?? 'it');
  const packages = new Map<string, Package[]>();
  for (const one of parsed.output.package) {
    const name = normalizeName(one.name);
    packages.set(name, [...(packages.get(name) ?? []), one]);
  }
  const reached = reachFrom(mainDependencies(pyprojectText, wished), (name, extras) =>
    packages.get(name)?.flatMap((one) => edgesOf(one, extras)),
  );
  const files = parsed.output.metadata.files ?? {};
  return [...reached]
    .flatMap(([name, markers]) =>
      (packages.get(name) ?? []).map((one) => lineOf(one, markers, files[one.name] ?? one.files)),
    )
    .sort()
    .join('');
}

function edgesOf(one: Package, extras: readonly string[]): LockEdge[] {
  const wanted = extras.flatMap((extra) => one.extras[extra] ?? []);
  const byExtra = new Set(wanted.map((text) => requirementName(text) ?? ''));
  return Object.entries(one.dependencies).flatMap(([name, specs]) =>
    [specs].flat().flatMap((spec: unknown) => {
      const table = isTable(spec) ? spec : {};
      if (table['optional'] === true && !byExtra.has(normalizeName(name))) return [];
      return [
        {
          name: normalizeName(name),
          marker: markerOf(table['markers']),
          extras: namesOf(table['extras']),
        },
      ];
    }),
  );
}

/** `extra == "x"` was decided when the edge was taken. */
function markerOf(marker: unknown): string | undefined {
  return typeof marker === 'string' && !marker.includes('extra') ? marker : undefined;
}

function namesOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function mainDependencies(pyprojectText: string, wished: readonly string[]): LockEdge[] {
  const pyproject = parsePyproject(pyprojectText, 'pyproject.toml');
  const requirements = pyprojectRequirements(pyproject, wished)?.requirements ?? [];
  return requirements.map(({ name, extras, text }) => ({
    name: normalizeName(name),
    marker: markerOf(/ ; (.*)$/.exec(text)?.[1]),
    extras,
  }));
}

function lineOf(
  one: Package,
  markers: ReadonlySet<string | undefined>,
  files: readonly { hash: string }[],
): string {
  const source = one.source;
  const marker = markerSuffix(markers);
  const remote = source !== undefined && source.type !== 'legacy';
  if (remote) return `${one.name} @ ${urlOf(source)}${marker}\n`;
  const index = source === undefined ? '' : `--extra-index-url ${source.url}\n`;
  const hashes = files.map(({ hash }) => ` --hash=${hash}`).join('');
  return `${index}${one.name}==${one.version}${marker}${hashes}\n`;
}

function urlOf(source: v.InferOutput<typeof Source>): string {
  if (source.type === 'directory' || source.type === 'file') return `file:///app/${source.url}`;
  const reference = source.resolved_reference ? `@${source.resolved_reference}` : '';
  const part = source.subdirectory ? `#subdirectory=${source.subdirectory}` : '';
  return source.type === 'git' ? `git+${source.url}${reference}${part}` : source.url;
}

function invalid(path: string): TandemError {
  return new TandemError('REQUIREMENTS_INVALID', `poetry.lock: ${path} is not as expected.`, {
    where: 'poetry.lock',
    hint: 'make it again: poetry lock',
  });
}
