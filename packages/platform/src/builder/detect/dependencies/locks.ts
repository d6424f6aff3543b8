// Lock files. One counts only while it fits what it was made from: of several the one that does, and
// one that is out of date only lends its versions.
import { normalizeName, requirementName, type RequirementLine } from '../requirements-file.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { isTable, parsePyproject, parseToml } from '../tandem-toml.ts';
import {
  sourceOf,
  type Candidate,
  type DependencyKind,
  type DependencySource,
} from './dependency-source.ts';
import { parsePipfileLock, pipfileIn } from './pipfile.ts';
import { tableIn } from './pyproject-requirements.ts';
import { pyprojectIn } from './pyproject-source.ts';

interface FoundLock {
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
  'uv-lock': /^source = \{ (editable|directory|path) = "(?!\.")/m,
  'poetry-lock': /^type = "(directory|file)"/m,
  'pipfile-lock': /"(path|file)": "\./,
};

export function lockIn(tree: SourceTree, directory: string): Candidate | undefined {
  const found = [
    ...tomlLock(tree, directory, 'uv-lock', 'uv.lock'),
    ...tomlLock(tree, directory, 'poetry-lock', 'poetry.lock'),
    ...pipfileLock(tree, directory),
  ].filter(({ origin }) => origin !== undefined);
  const fitting = found.filter((lock) => disagreement(lock) === undefined);
  const preferred = byTool(tree, directory);
  const best = fitting.find(({ kind }) => kind === preferred) ?? fitting[0];
  if (best !== undefined) {
    const others = found.filter((lock) => lock !== best).map(({ path }) => path);
    const source = lockedSource(best, directory);
    return others.length === 0
      ? { source }
      : { source, why: `fits ${best.originPath}; not used: ${others.join(', ')}` };
  }
  const [stale] = found;
  return stale === undefined ? undefined : outOfDate(stale);
}

function lockedSource(lock: FoundLock, directory: string): DependencySource {
  const { kind, path, originPath, origin, lines } = lock;
  return sourceOf(kind, {
    directory,
    files: [path, originPath],
    lines,
    extras: origin?.source.extras ?? [],
    groups: origin?.source.groups ?? [],
    namesPaths: lock.namesPaths,
  });
}

/** Its origin is resolved instead, with the versions of the lock where they are still allowed. */
function outOfDate(lock: FoundLock): Candidate | undefined {
  const { origin } = lock;
  if (origin === undefined) return undefined;
  const preferred = [...lock.pinned].map(([name, version]) => `${name}==${version}\n`).join('');
  const why = `${lock.path} is out of date: ${disagreement(lock)}`;
  return { ...origin, source: { ...origin.source, preferred }, why };
}

/** The first requirement that the lock does not hold, or holds in another version. */
function disagreement({ origin, pinned }: FoundLock): string | undefined {
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

function tomlLock(
  tree: SourceTree,
  directory: string,
  kind: 'uv-lock' | 'poetry-lock',
  name: string,
): FoundLock[] {
  const path = under(directory, name);
  const text = tree.read(path);
  const originPath = under(directory, 'pyproject.toml');
  const pyproject = tree.read(originPath);
  if (text === undefined || pyproject === undefined) return [];
  const packages = parseToml(text, path, 'REQUIREMENTS_INVALID')['package'];
  const pins = (Array.isArray(packages) ? packages : []).flatMap((one: unknown) =>
    isTable(one) && typeof one['name'] === 'string'
      ? [[normalizeName(one['name']), textOf(one['version'])] as const]
      : [],
  );
  const own = ownName(pyproject, originPath);
  const pinned = new Map(pins.filter(([each]) => each !== own));
  return [
    {
      kind,
      path,
      lines: pinnedLines(text, path, pinned),
      origin: pyprojectIn(tree, directory),
      originPath,
      pinned,
      namesPaths: namesPaths(kind, text),
    },
  ];
}

function pipfileLock(tree: SourceTree, directory: string): FoundLock[] {
  const path = under(directory, 'Pipfile.lock');
  const text = tree.read(path);
  const origin = pipfileIn(tree, directory);
  if (text === undefined || origin === undefined) return [];
  const entries = Object.entries(parsePipfileLock(text, path));
  const pins = entries.map(
    ([name, { version }]) => [normalizeName(name), (version ?? '').replace(/^==/, '')] as const,
  );
  const pinned = new Map(pins);
  const originPath = under(directory, 'Pipfile');
  const lines = pinnedLines(text, path, pinned);
  const kind = 'pipfile-lock';
  return [{ kind, path, lines, origin, originPath, pinned, namesPaths: namesPaths(kind, text) }];
}

function namesPaths(kind: DependencyKind, text: string): boolean {
  return PATHS[kind]?.test(text) ?? false;
}

/** Each with the line of its table, found in one pass over the text. */
function pinnedLines(
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

/** The lock of the tool that the project says it uses. */
function byTool(tree: SourceTree, directory: string): DependencyKind {
  const path = under(directory, 'pyproject.toml');
  const pyproject = parsePyproject(tree.read(path) ?? '', path);
  const poetry = tableIn(tableIn(pyproject, 'tool'), 'poetry');
  const backend = tableIn(pyproject, 'build-system')?.['build-backend'];
  const isPoetry = poetry !== undefined || String(backend).startsWith('poetry');
  return isPoetry ? 'poetry-lock' : 'uv-lock';
}

function ownName(text: string, path: string): string {
  const pyproject = parsePyproject(text, path);
  const project = tableIn(pyproject, 'project') ?? tableIn(tableIn(pyproject, 'tool'), 'poetry');
  return requirementName(textOf(project?.['name'])) ?? '';
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
