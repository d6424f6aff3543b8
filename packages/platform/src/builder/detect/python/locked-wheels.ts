// Which Pythons the wheels of a lock were built for: a lock names its files, so no table is needed.
import { isTable, parseToml } from '../tandem-toml.ts';
import { lineOfName } from '../dependencies/dependency-source.ts';
import type { SourceTree } from '../source-tree.ts';
import type { DependencySource } from '../dependency-files.ts';
import { normalizeName, type RequirementLine } from '../requirements-file.ts';
import { lockReach } from './lock-graph.ts';
import { newestPython, type NewestPython } from './newest-python.ts';

/** Of a wheel for one CPython on Linux with glibc. */
const WHEEL = /-cp3(\d+)-(?:cp3\d+m?|abi3)-[\w.]*manylinux[\w.]*_(?:x86_64|aarch64)[\w.]*\.whl/;
const TOML_LOCKS = ['uv-lock', 'poetry-lock', 'pdm-lock', 'pylock'];
const PORTABLE = /-(?:py[\d.py]*|cp3\d+)-(?:none|abi3)-/;

interface LockTable {
  readonly text: string;
  readonly path: string;
  readonly packages: readonly unknown[];
  /** Of older Poetry: files by package. */
  readonly files: Readonly<Record<string, unknown>>;
  /** Undefined: not known, so each counts. */
  readonly reach: ReadonlyMap<string, number> | undefined;
}

/** What the pinned packages work on: by their wheels where a lock lists them, by what is known else. */
export function newestPythonOf(
  tree: SourceTree,
  source: DependencySource,
): NewestPython | undefined {
  const lock = lockTable(tree, source);
  if (lock === undefined) return newestPython([...source.lines, ...source.constraints]);
  const isNeeded = ({ name }: RequirementLine): boolean =>
    lock.reach === undefined || lock.reach.get(name ?? '') === Infinity;
  const known = newestPython(source.lines.filter(isNeeded));
  const limits = [known, byWheels(lock)].filter((one) => one !== undefined);
  return limits.toSorted((one, other) => one.minor - other.minor)[0];
}

function lockTable(tree: SourceTree, source: DependencySource): LockTable | undefined {
  const [path = '', origin = ''] = source.files;
  if (!TOML_LOCKS.includes(source.kind)) return undefined;
  const text = tree.read(path) ?? '';
  const table = parseToml(text, path, 'REQUIREMENTS_INVALID');
  const listed = table['package'] ?? table['packages'];
  const packages: readonly unknown[] = Array.isArray(listed) ? listed : [];
  const metadata = isTable(table['metadata']) ? table['metadata']['files'] : undefined;
  const files = isTable(metadata) ? metadata : {};
  // A pylock.toml says by markers what it is for.
  const isGraph = source.kind !== 'pylock';
  const reach = isGraph ? lockReach(packages, tree.read(origin) ?? '', source.wished) : undefined;
  return { text, path, packages, files, reach };
}

function byWheels(lock: LockTable): NewestPython | undefined {
  const limits = new Map<string, { minor: number; requirement: string }>();
  for (const one of lock.packages) {
    if (!isTable(one) || typeof one['name'] !== 'string') continue;
    const name = normalizeName(one['name']);
    const names = [one['wheels'], one['files'], lock.files[one['name']]].flat().flatMap(fileName);
    const minor = newestMinor(names);
    // Of several versions each is for other Pythons.
    if (minor < (limits.get(name)?.minor ?? -1)) continue;
    limits.set(name, { minor, requirement: `${one['name']}==${String(one['version'])}` });
  }
  const counting = [...limits].filter(([name, { minor }]) => setsLimit(lock, name, minor));
  const [strictest] = counting.toSorted(([, one], [, other]) => one.minor - other.minor);
  if (strictest === undefined) return undefined;
  const [name, limit] = strictest;
  const evidence = `${lock.path}:${lineOfName(lock.text, name)}`;
  return { ...limit, why: 'is locked with wheels up to', evidence };
}

/** Not when nothing newer asks for it: a backport ends where what it brings begins. */
function setsLimit({ reach }: LockTable, name: string, minor: number): boolean {
  if (minor === Infinity || name.startsWith('backports-')) return false;
  return reach === undefined || (reach.get(name) ?? 0) > minor + 1;
}

/** Infinity when it runs everywhere, or must be built anyway. */
function newestMinor(names: readonly string[]): number {
  if (names.some((name) => PORTABLE.test(name) && name.endsWith('.whl'))) return Infinity;
  const minors = names.flatMap((name) => WHEEL.exec(name)?.[1] ?? []).map(Number);
  return minors.length === 0 ? Infinity : Math.max(...minors);
}

function fileName(file: unknown): string[] {
  if (!isTable(file)) return [];
  const name = file['url'] ?? file['file'] ?? file['filename'] ?? file['name'];
  return typeof name === 'string' ? [name] : [];
}
