// Whether code of the project imports `bundle_config`, which on the old system said where database,
// Redis and files were. By text; a module of that name in the project itself is the project's own.
import type { Finding } from '../../../domain/release.ts';
import { finding } from '../evidence.ts';
import { findCode } from '../python-source.ts';
import { hasFile, under, walkFiles, type SourceTree } from '../source-tree.ts';
import { EPIO_INI } from './invalid.ts';

const MODULE = 'bundle_config';
const IMPORT = /^(?:from bundle_config import\b|import (?:[\w., ]+, )?bundle_config\b)/;
const DATA_DIRECTORY_KEY = /["']data_directory["']/;
const DEPTH_MAX = 4;

export interface BundleConfigUse {
  readonly findings: readonly Finding[];
  /** `file:line` that asks for the directory for files. */
  readonly dataDirectory?: string;
}

/** Undefined when the project has nothing to do with it. */
export function bundleConfigUse(tree: SourceTree, root: string): BundleConfigUse | undefined {
  if (hasFile(tree, under(root, `${MODULE}.py`))) return undefined;
  const uses = walkFiles(tree, root, DEPTH_MAX)
    .filter((path) => path.endsWith('.py'))
    .flatMap((path) => useIn(tree, path) ?? []);
  const [first] = uses;
  if (first === undefined && !hasFile(tree, EPIO_INI)) return undefined;
  const why = first ? 'the project imports it' : `the project has an ${EPIO_INI}`;
  const dataDirectory = uses.flatMap((use) => use.dataDirectory ?? [])[0];
  return {
    findings: [finding(MODULE, 'provided', why, first?.place ?? EPIO_INI)],
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
  };
}

function useIn(
  tree: SourceTree,
  path: string,
): { place: string; dataDirectory?: string } | undefined {
  const source = tree.read(path);
  if (source?.includes(MODULE) !== true) return undefined;
  const line = findCode(source, IMPORT)?.line;
  if (line === undefined) return undefined;
  const place = `${path}:${line}`;
  const asked = source.split('\n').findIndex((text) => DATA_DIRECTORY_KEY.test(text)) + 1;
  return asked === 0 ? { place } : { place, dataDirectory: `${path}:${asked}` };
}
