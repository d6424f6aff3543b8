// buildout.cfg: the eggs of its parts with the versions it pins. Recipes that do more than install
// eggs have no counterpart and are named.
import { requirementName } from '../requirements-file.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { linesFrom, sourceOf, type Candidate } from './dependency-source.ts';
import { readIni, type IniFile } from './ini-file.ts';
import { classify } from './production-names.ts';
import { setupName } from './setup-files.ts';

const EGG_RECIPES =
  /^(zc\.recipe\.egg|djangorecipe|collective\.recipe\.\w*wsgi\w*|zc\.recipe\.testrunner)/;
const REFERENCE = /\$\{([^:}]*):([^}]+)\}/g;
const REFERENCE_DEPTH_MAX = 10;
/** What buildout itself needs and an app does not. */
const TOOLS = ['zc-buildout', 'setuptools', 'pip', 'wheel', 'zc-recipe-egg', 'distribute'];

export function buildoutIn(tree: SourceTree, directory: string): Candidate | undefined {
  const path = under(directory, 'buildout.cfg');
  const text = tree.read(path);
  if (text === undefined) return undefined;
  const file = readIni(text);
  const parts = productionParts(file);
  const versions = file[file['buildout']?.['versions'] ?? 'versions'] ?? {};
  const own = setupName(tree, directory);
  const develop = words(file['buildout']?.['develop']).map((one) =>
    one === '.' ? '-e .' : `-e ./${one}`,
  );
  const eggs = [...new Set(parts.flatMap((part) => words(expand(file, part, 'eggs'))))];
  const requirements = eggs
    .filter((egg) => !TOOLS.includes(requirementName(egg) ?? '') && requirementName(egg) !== own)
    .map((egg) => pinned(egg, versions));
  const source = sourceOf('requirements', {
    directory,
    files: [path],
    lines: linesFrom(text, path, requirements),
    requirements: [...develop, ...requirements, ''].join('\n'),
    namesPaths: develop.length > 0,
    installProject: develop.includes('-e .'),
  });
  const notUnderstood = unknown(file, parts);
  return { source, isEmpty: requirements.length + develop.length === 0, notUnderstood };
}

function productionParts(file: IniFile): string[] {
  const named = words(expand(file, 'buildout', 'parts'));
  const parts = named.length > 0 ? named : Object.keys(file);
  return ['buildout', ...parts.filter((name) => classify(name) !== 'development')];
}

/** The value with its `${section:option}` put in. */
function expand(file: IniFile, section: string, option: string, depth = 0): string {
  const value = file[section]?.[option] ?? '';
  if (depth >= REFERENCE_DEPTH_MAX) return '';
  return value.replace(REFERENCE, (_, other: string, name: string) =>
    expand(file, other || section, name, depth + 1),
  );
}

function pinned(egg: string, versions: Readonly<Record<string, string>>): string {
  const name = requirementName(egg);
  const pin = Object.entries(versions).find(([one]) => requirementName(one) === name)?.[1];
  return pin === undefined || /[=<>]/.test(egg) ? egg : `${egg}==${pin}`;
}

function unknown(file: IniFile, parts: readonly string[]): string[] {
  const extended = words(file['buildout']?.['extends']).map((one) => `extends = ${one}`);
  const recipes = parts.flatMap((part) => {
    const recipe = file[part]?.['recipe'];
    return recipe === undefined || EGG_RECIPES.test(recipe) ? [] : [`[${part}] recipe = ${recipe}`];
  });
  return [...extended, ...recipes];
}

function words(value: string | undefined): string[] {
  return (value ?? '').split(/\s+/).filter(Boolean);
}
