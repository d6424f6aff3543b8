// A pdm.lock as requirements with hashes: only what the dependencies of the project reach.
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { pyprojectRequirements } from '../detect/dependencies/pyproject-requirements.ts';
import { extrasIn, markerIn, normalizeName, requirementName } from '../detect/requirements-file.ts';
import { parsePyproject, parseToml } from '../detect/tandem-toml.ts';
import { markerSuffix, reachFrom, type LockEdge } from './lock-reach.ts';

const Files = v.array(v.object({ hash: v.string() }));
const Package = v.object({
  name: v.string(),
  version: v.optional(v.string(), ''),
  /** Set for an entry that only says what the extras add. */
  extras: v.optional(v.array(v.string()), []),
  dependencies: v.optional(v.array(v.string()), []),
  files: v.optional(Files, []),
  git: v.optional(v.string()),
  revision: v.optional(v.string()),
  subdirectory: v.optional(v.string()),
  url: v.optional(v.string()),
  path: v.optional(v.string()),
  editable: v.optional(v.boolean(), false),
});
type Package = v.InferOutput<typeof Package>;
const PdmLock = v.object({
  package: v.optional(v.array(Package), []),
  metadata: v.optional(v.object({ files: v.optional(v.record(v.string(), Files), {}) }), {
    files: {},
  }),
});

export function requirementsOfPdmLock(
  lockText: string,
  pyprojectText: string,
  wished: readonly string[] = [],
): string {
  const table = parseToml(lockText, 'pdm.lock', 'REQUIREMENTS_INVALID');
  const parsed = v.safeParse(PdmLock, table);
  if (!parsed.success) throw invalid(v.getDotPath(parsed.issues[0]) ?? 'it');
  const { package: entries, metadata } = parsed.output;
  const packages = new Map<string, Package[]>();
  for (const one of entries) {
    const name = normalizeName(one.name);
    packages.set(name, [...(packages.get(name) ?? []), one]);
  }
  const reached = reachFrom(roots(pyprojectText, wished), (name, extras) =>
    packages.get(name)?.flatMap((one) => (isWanted(one, extras) ? edgesOf(one) : [])),
  );
  return [...reached]
    .flatMap(([name, markers]) =>
      (packages.get(name) ?? []).filter(isWhole).map((one) => {
        // Older locks list the files of all packages in one table.
        const files = metadata.files[`${one.name} ${one.version}`] ?? one.files;
        return lineOf(one, markerSuffix(markers), files);
      }),
    )
    .sort()
    .join('');
}

/** An entry for extras stands beside that of the package, with the same files. */
function isWhole({ extras }: Package): boolean {
  return extras.length === 0;
}

function isWanted({ extras }: Package, wanted: readonly string[]): boolean {
  return extras.length === 0 || extras.some((extra) => wanted.includes(extra));
}

function roots(pyprojectText: string, wished: readonly string[]): LockEdge[] {
  const pyproject = parsePyproject(pyprojectText, 'pyproject.toml');
  const requirements = pyprojectRequirements(pyproject, wished)?.requirements ?? [];
  return requirements.map(({ text }) => edgeOf(text));
}

function edgesOf({ dependencies }: Package): LockEdge[] {
  return dependencies.map(edgeOf);
}

function edgeOf(text: string): LockEdge {
  return {
    name: requirementName(text) ?? '',
    marker: markerIn(text),
    extras: extrasIn(text),
  };
}

function lineOf(one: Package, marker: string, files: readonly { hash: string }[]): string {
  const part = one.subdirectory === undefined ? '' : `#subdirectory=${one.subdirectory}`;
  if (one.path !== undefined) return `${one.editable ? '-e ' : ''}${one.path}${marker}\n`;
  if (one.git !== undefined) {
    const revision = one.revision === undefined ? '' : `@${one.revision}`;
    return `${one.name} @ git+${one.git.replace(/^git\+/, '')}${revision}${part}${marker}\n`;
  }
  if (one.url !== undefined) return `${one.name} @ ${one.url}${part}${marker}\n`;
  const hashes = files.map(({ hash }) => ` --hash=${hash}`).join('');
  return `${one.name}==${one.version}${marker}${hashes}\n`;
}

function invalid(path: string): TandemError {
  return new TandemError('REQUIREMENTS_INVALID', `pdm.lock: ${path} is not as expected.`, {
    where: 'pdm.lock',
    hint: 'make it again: pdm lock',
  });
}
