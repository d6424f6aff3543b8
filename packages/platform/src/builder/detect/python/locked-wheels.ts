// Which Pythons the wheels of a lock were built for: a lock names its files, so no table is needed.
import { isTable, parseToml } from '../tandem-toml.ts';
import { lineOfName } from '../dependencies/dependency-source.ts';
import type { SourceTree } from '../source-tree.ts';
import type { DependencySource } from '../dependency-files.ts';
import { normalizeName } from '../requirements-file.ts';
import type { NewestPython } from './newest-python.ts';

/** Of a wheel for one CPython on Linux with glibc. */
const WHEEL = /-cp3(\d+)-(?:cp3\d+m?|abi3)-[\w.]*manylinux[\w.]*_(?:x86_64|aarch64)[\w.]*\.whl/;
const PORTABLE = /-(?:py[\d.py]*|cp3\d+)-(?:none|abi3)-/;

export function newestPythonOfLock(
  tree: SourceTree,
  source: DependencySource,
): NewestPython | undefined {
  const [path = ''] = source.files;
  if (source.kind !== 'uv-lock' && source.kind !== 'poetry-lock') return undefined;
  const text = tree.read(path) ?? '';
  const table = parseToml(text, path, 'REQUIREMENTS_INVALID');
  const metadata = isTable(table['metadata']) ? table['metadata']['files'] : undefined;
  const packages = Array.isArray(table['package']) ? table['package'] : [];
  const limits = packages.flatMap((one: unknown) => {
    if (!isTable(one) || typeof one['name'] !== 'string') return [];
    const older = isTable(metadata) ? metadata[one['name']] : undefined;
    const minor = newestMinor([one['wheels'], one['files'], older].flat().flatMap(fileName));
    const requirement = `${one['name']}==${String(one['version'])}`;
    return minor === undefined ? [] : [{ minor, requirement, name: normalizeName(one['name']) }];
  });
  const strictest = limits.toSorted((one, other) => one.minor - other.minor)[0];
  if (strictest === undefined) return undefined;
  const { minor, requirement, name } = strictest;
  const line = lineOfName(text, name);
  return { minor, requirement, why: 'is locked with wheels up to', evidence: `${path}:${line}` };
}

/** Undefined when it runs everywhere, or must be built anyway. */
function newestMinor(names: readonly string[]): number | undefined {
  if (names.some((name) => PORTABLE.test(name) && name.endsWith('.whl'))) return undefined;
  const minors = names.flatMap((name) => WHEEL.exec(name)?.[1] ?? []).map(Number);
  return minors.length === 0 ? undefined : Math.max(...minors);
}

function fileName(file: unknown): string[] {
  if (!isTable(file)) return [];
  const name = file['url'] ?? file['file'] ?? file['filename'];
  return typeof name === 'string' ? [name] : [];
}
