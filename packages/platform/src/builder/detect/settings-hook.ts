// A settings file that each developer makes and git ignores (`local_settings.py`), imported without
// a net. It is made from the example that the project carries; where a star import wants nothing in
// particular, it may be empty.
import { dirname } from 'node:path/posix';
import type { Finding } from '../../domain/release.ts';
import { finding } from './evidence.ts';
import { importsOf, moduleFile } from './import-graph.ts';
import { hasFile, under, type SourceTree } from './source-tree.ts';

/** Names of files that only override: a missing `base.py` is a mistake. */
const OVERRIDES =
  /(local|secret|private|overrid|custom|personal|machine|host|credential|password|site_settings|user)\w*\.py$/;

export interface MadeFile {
  /** Relative to the top of the source. */
  readonly path: string;
  readonly text: string;
}

export interface SettingsHooks {
  readonly files: readonly MadeFile[];
  readonly findings: readonly Finding[];
}

/** `settingsFiles`: the settings module and what it imports. */
export function detectSettingsHooks(
  tree: SourceTree,
  pythonPath: readonly string[],
  settingsFiles: readonly string[],
): SettingsHooks {
  const files: MadeFile[] = [];
  const findings: Finding[] = [];
  for (const file of settingsFiles) {
    for (const { path, evidence, wantsNames } of missingModules(tree, pythonPath, file)) {
      if (files.some((one) => one.path === path)) continue;
      const example = exampleOf(tree, path);
      if (example === undefined && (wantsNames || !OVERRIDES.test(path))) continue;
      files.push({ path, text: example === undefined ? '' : (tree.read(example) ?? '') });
      const value = example === undefined ? `${path}, empty` : `${path} from ${example}`;
      findings.push(finding('settings', value, 'imported, and not in the source', evidence));
    }
  }
  return { files, findings };
}

function missingModules(tree: SourceTree, pythonPath: readonly string[], file: string) {
  return importsOf(tree, pythonPath, file).flatMap(({ module, names, form, evidence, certain }) => {
    const siblings = form === 'siblings' ? names.map((name) => `${module}.${name}`) : [];
    const wantsNames = form === 'names' || form === 'module';
    return [module, ...siblings].flatMap((one) => {
      const path = placeOf(tree, pythonPath, one);
      return certain && path !== undefined ? [{ path, evidence, wantsNames }] : [];
    });
  });
}

/** Where a module would lie whose package the project holds, or whose example does. */
function placeOf(
  tree: SourceTree,
  pythonPath: readonly string[],
  module: string,
): string | undefined {
  if (module === '' || moduleFile(tree, pythonPath, module) !== undefined) return undefined;
  for (const root of pythonPath) {
    const path = `${under(root, module.replaceAll('.', '/'))}.py`;
    const directory = dirname(path) === '.' ? '' : dirname(path);
    if (hasFile(tree, path.slice(0, -'.py'.length))) return undefined;
    const isOwn = module.includes('.') && tree.list(directory).length > 0;
    if (tree.list(path.slice(0, -'.py'.length)).length > 0) return undefined;
    if (isOwn || exampleOf(tree, path) !== undefined) return path;
  }
  return undefined;
}

/** `local.example.py`, `local.py.dist`, `local_example.py`, `example_local.py` ... beside it. */
function exampleOf(tree: SourceTree, path: string): string | undefined {
  const directory = dirname(path) === '.' ? '' : dirname(path);
  const stem = path.slice(directory === '' ? 0 : directory.length + 1, -'.py'.length);
  const word = '(example|sample|dist|template|tmpl|default|skel|skeleton)';
  const escaped = stem.replace(/\W/g, '\\$&');
  const pattern = new RegExp(
    `^(${escaped}([._-]${word})?\\.py([._-]${word})?|${word}[._-]${escaped}\\.py)$`,
  );
  const found = tree
    .list(directory)
    .find(({ name, kind }) => kind === 'file' && pattern.test(name));
  return found && under(directory, found.name);
}
