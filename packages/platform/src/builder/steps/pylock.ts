// A pylock.toml (PEP 751) as requirements with hashes, for the groups and extras that run on a server.
import { TandemError } from '@tandem/protocol';
import * as v from 'valibot';
import { classify } from '../detect/dependencies/production-names.ts';
import { parseToml } from '../detect/tandem-toml.ts';
import { decideMarker, type MarkerChoice } from './marker-choice.ts';

const File = v.object({ hashes: v.optional(v.record(v.string(), v.string()), {}) });
const Package = v.object({
  name: v.string(),
  version: v.optional(v.string()),
  marker: v.optional(v.string()),
  index: v.optional(v.string()),
  sdist: v.optional(File),
  wheels: v.optional(v.array(File), []),
  vcs: v.optional(
    v.object({
      type: v.string(),
      url: v.optional(v.string()),
      path: v.optional(v.string()),
      'commit-id': v.string(),
      subdirectory: v.optional(v.string()),
    }),
  ),
  directory: v.optional(v.object({ path: v.string(), editable: v.optional(v.boolean(), false) })),
  archive: v.optional(
    v.object({
      url: v.optional(v.string()),
      path: v.optional(v.string()),
      subdirectory: v.optional(v.string()),
    }),
  ),
});
type Package = v.InferOutput<typeof Package>;
const Pylock = v.object({
  packages: v.optional(v.array(Package), []),
  'default-groups': v.optional(v.array(v.string()), []),
});
const PUBLIC = 'https://pypi.org/simple';

export function requirementsOfPylock(text: string, path: string, wanted: MarkerChoice): string {
  const parsed = v.safeParse(Pylock, parseToml(text, path, 'REQUIREMENTS_INVALID'));
  if (!parsed.success) throw invalid(path, v.getDotPath(parsed.issues[0]) ?? 'it');
  const { packages, 'default-groups': defaults } = parsed.output;
  const byDefault = defaults.filter((name) => classify(name) !== 'development');
  const choice = { ...wanted, groups: [...wanted.groups, ...byDefault] };
  const lines = packages.flatMap((one) => {
    const decided = one.marker === undefined ? true : decideMarker(one.marker, choice);
    if (decided === false) return [];
    return lineOf(one, decided === true ? '' : ` ; ${decided}`) ?? [];
  });
  const indexes = packages.flatMap(({ index }) => index?.replace(/\/$/, '') ?? []);
  const others = [...new Set(indexes)].filter((url) => url !== PUBLIC);
  return [...others.map((url) => `--extra-index-url ${url}\n`), ...lines].join('');
}

/** Undefined for the project itself. */
function lineOf(one: Package, marker: string): string | undefined {
  const { name, version, vcs, directory, archive } = one;
  if (directory !== undefined) {
    if (/^\.?\/?$/.test(directory.path)) return undefined;
    return `${directory.editable ? '-e ' : ''}${relative(directory.path)}${marker}\n`;
  }
  if (vcs !== undefined) {
    const address = vcs.url ?? `file:///app/${vcs.path}`;
    return `${name} @ ${vcs.type}+${address}@${vcs['commit-id']}${part(vcs)}${marker}\n`;
  }
  if (archive !== undefined) {
    if (archive.url === undefined) return `${relative(archive.path ?? '')}${marker}\n`;
    return `${name} @ ${archive.url}${part(archive)}${marker}\n`;
  }
  const files = [...(one.sdist === undefined ? [] : [one.sdist]), ...one.wheels];
  const hashes = files.flatMap(({ hashes: { sha256 } }) => sha256 ?? []);
  return `${name}==${version}${marker}${hashes.map((hash) => ` --hash=sha256:${hash}`).join('')}\n`;
}

function part({ subdirectory }: { readonly subdirectory?: string | undefined }): string {
  return subdirectory === undefined ? '' : `#subdirectory=${subdirectory}`;
}

function relative(path: string): string {
  return path.startsWith('.') ? path : `./${path}`;
}

function invalid(path: string, place: string): TandemError {
  return new TandemError('REQUIREMENTS_INVALID', `${path}: ${place} is not as expected.`, {
    where: path,
    hint: 'make it again with the tool that it names: created-by',
  });
}
