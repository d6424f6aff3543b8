// A lock that was found: what it pins, whether that still fits what it was made from, and the source
// that comes of it.
import { normalizeName, requirementName, type RequirementLine } from '../requirements-file.ts';
import { isTable, parsePyproject, parseToml } from '../tandem-toml.ts';
import {
  sourceOf,
  type Candidate,
  type DependencyKind,
  type DependencySource,
} from './dependency-source.ts';
import { tableIn } from './pyproject-requirements.ts';

export interface FoundLock {
  readonly kind: DependencyKind;
  readonly path: string;
  readonly lines: readonly RequirementLine[];
  /** What it was made from; undefined when that is missing. */
  readonly origin: Candidate | undefined;
  readonly originPath: string;
  readonly pinned: ReadonlyMap<string, string>;
  /** Beside the project itself: members of a workspace, packages in directories. */
  readonly namesPaths: boolean;
}

const PATHS: Readonly<Record<string, RegExp>> = {
  'pdm-lock': /^path = "(?!\.\/?")/m,
  pylock: /^directory = \{ path = "(?!\.")|^\[packages\.directory\]/m,
  'uv-lock': /^source = \{ (editable|directory|path) = "(?!\.")/m,
  'poetry-lock': /^type = "(directory|file)"/m,
  'pipfile-lock': /"(path|file)": "\./,
};

export function lockedSource(lock: FoundLock, directory: string): DependencySource {
  const { kind, path, originPath, origin, lines } = lock;
  return sourceOf(kind, {
    directory,
    files: [path, ...(origin === undefined ? [] : [originPath])],
    lines,
    extras: origin?.source.extras ?? [],
    groups: origin?.source.groups ?? [],
    wished: origin?.source.wished ?? [],
    namesPaths: lock.namesPaths,
  });
}

/** Its origin is resolved instead, with the versions of the lock where they are still allowed. */
export function outOfDate(lock: FoundLock): Candidate | undefined {
  const { origin } = lock;
  if (origin === undefined) return undefined;
  const preferred = [...lock.pinned].map(([name, version]) => `${name}==${version}\n`).join('');
  const why = `${lock.path} is out of date: ${disagreement(lock)}`;
  return { ...origin, source: { ...origin.source, preferred }, why };
}

/** The first requirement that the lock does not hold, or holds in another version. */
export function disagreement({ origin, pinned }: FoundLock): string | undefined {
  for (const { name, text } of origin?.source.lines ?? []) {
    if (name === undefined || text.includes(';')) continue;
    const version = pinned.get(name);
    if (version === undefined) return `${name} is not in it`;
    const exact = /^[^;@]*?(?<![<>!~=])==\s*([\w.!+-]+)\s*$/.exec(text)?.[1];
    if (exact !== undefined && trimmed(exact) !== trimmed(version)) {
      return `it holds ${name} ${version}, not ${exact}`;
    }
  }
  return undefined;
}

/** 3.2 and 3.2.0 are one version. */
function trimmed(version: string): string {
  return version.replace(/(\.0)+$/, '');
}

export function lockOf(
  kind: DependencyKind,
  path: string,
  text: string,
  own: string,
): Pick<FoundLock, 'kind' | 'path' | 'lines' | 'pinned' | 'namesPaths'> {
  const table = parseToml(text, path, 'REQUIREMENTS_INVALID');
  const packages = kind === 'pylock' ? table['packages'] : table['package'];
  const pins = (Array.isArray(packages) ? packages : []).flatMap((one: unknown) =>
    isTable(one) && typeof one['name'] === 'string'
      ? [[normalizeName(one['name']), textOf(one['version'])] as const]
      : [],
  );
  const pinned = new Map(pins.filter(([each]) => each !== own));
  const lines = pinnedLines(text, path, pinned);
  return { kind, path, lines, pinned, namesPaths: namesPaths(kind, text) };
}

export function namesPaths(kind: DependencyKind, text: string): boolean {
  return PATHS[kind]?.test(text) ?? false;
}

/** Each with the line of its table, found in one pass over the text. */
export function pinnedLines(
  text: string,
  path: string,
  pinned: ReadonlyMap<string, string>,
): RequirementLine[] {
  const at = new Map<string, number>();
  for (const [index, line] of text.split('\n').entries()) {
    const name = /^(?:name = "|\s+")([\w.-]+)"(?:: \{)?$/.exec(line.trimEnd())?.[1];
    if (name !== undefined && !at.has(normalizeName(name))) at.set(normalizeName(name), index + 1);
  }
  return [...pinned].map(([name, version]) => {
    const line = at.get(name);
    const evidence = line === undefined ? path : `${path}:${line}`;
    return { name, text: `${name}==${version}`, evidence };
  });
}

export function ownName(text: string, path: string): string {
  const pyproject = parsePyproject(text, path);
  const project = tableIn(pyproject, 'project') ?? tableIn(tableIn(pyproject, 'tool'), 'poetry');
  return requirementName(textOf(project?.['name'])) ?? '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
