// Whether the project itself must be installed like one of its dependencies: only when it would not
// work from its source alone, because an install can fail where a source that lies there cannot.
import { escapeRegexp } from '../../../lib/escape-regexp.ts';
import { firstLine, under, walkFiles, type SourceTree } from '../source-tree.ts';
import { isTable, parsePyproject } from '../tandem-toml.ts';
import { groupLookedUp } from './entry-point-use.ts';
import { isProductionPath } from './production-names.ts';
import { projectMetadata, type ProjectMetadata } from './project-metadata.ts';
import { tableIn } from './pyproject-requirements.ts';

export interface InstallReason {
  readonly name: string;
  readonly why: string;
  readonly evidence?: string;
}

const COMMAND_FILES = ['Procfile', 'tandem.toml', 'pyproject.toml'];
const DEPTH_MAX = 4;
const FILES_MAX = 2_000;
const READS_METADATA =
  /importlib[._]metadata|\bfrom importlib import [^\n]*\bmetadata\b|pkg_resources/;

export interface InstallQuestion {
  /** Of the dependency files. */
  readonly directory: string;
  /** Of the app. */
  readonly root: string;
  /** Names of distributions. */
  readonly dependencies: readonly string[];
}

export function reasonToInstall(
  tree: SourceTree,
  { directory, root, dependencies }: InstallQuestion,
): InstallReason | undefined {
  const project = projectMetadata(tree, directory);
  if (project === undefined) return undefined;
  const { name, file, entryPointGroups } = project;
  const source = under(directory, 'src');
  const isOnPath = root === source || root.startsWith(`${source}/`);
  const inSource = packageIn(tree, source);
  if (inSource !== undefined && !isOnPath) {
    return { name, why: 'its packages lie in src', evidence: inSource };
  }
  const group = groupLookedUp(tree, directory, entryPointGroups, dependencies);
  if (group !== undefined) {
    return { name, why: `its entry points "${group}" are looked up`, evidence: file };
  }
  return usedScript(tree, project) ?? ownMetadata(tree, directory, name);
}

/** Undefined also where `src` is itself a package: then it is imported by that name. */
function packageIn(tree: SourceTree, source: string): string | undefined {
  const files = walkFiles(tree, source, 1).filter((path) => path.endsWith('/__init__.py'));
  return files.includes(under(source, '__init__.py')) ? undefined : files[0];
}

/** A process or release command that only exists once the project is installed. */
function usedScript(
  tree: SourceTree,
  { name, scripts }: ProjectMetadata,
): InstallReason | undefined {
  for (const path of COMMAND_FILES) {
    const lines = (tree.read(path) ?? '').split('\n');
    for (const [index, line] of lines.entries()) {
      const isCommand = path === 'Procfile' || isTandemCommand(tree, path, line);
      const command = line.replace(/^[\w-]+\s*[:=]/, '');
      const used = scripts.find((script) =>
        new RegExp(`(^|[\\s"'&;|/])${escapeRegexp(script)}($|[\\s"'&;|])`).test(command),
      );
      if (isCommand && used !== undefined) {
        return { name, why: `its script ${used} is run`, evidence: `${path}:${index + 1}` };
      }
    }
  }
  return undefined;
}

/** In TOML: a value of [tool.tandem], not the line that defines the script. */
function isTandemCommand(tree: SourceTree, path: string, line: string): boolean {
  if (path === 'tandem.toml') return true;
  const tandem = tableIn(tableIn(parsePyproject(tree.read(path) ?? '', path), 'tool'), 'tandem');
  const value = /=\s*\[?\s*["'](.*)["']/.exec(line)?.[1];
  if (tandem === undefined || value === undefined) return false;
  const processes = isTable(tandem['processes']) ? Object.values(tandem['processes']) : [];
  return [...processes, tandem['release']].flat().includes(value);
}

/** Asks for its own version, which only an installed distribution has; not where it can go without. */
function ownMetadata(tree: SourceTree, directory: string, name: string): InstallReason | undefined {
  const spelled = `["']${name.split('-').map(escapeRegexp).join('[-_.]+')}["']`;
  const asks = new RegExp(
    String.raw`\b(?:version|metadata|distribution|get_distribution|requires|files|require)\(\s*(?:${spelled}|__name__|__package__)\s*\)`,
    'i',
  );
  // By a function of its own in another file: `package_version("shop")`.
  const asksOther = new RegExp(String.raw`\b\w+_version\(\s*${spelled}\s*\)`, 'i');
  const files = walkFiles(tree, directory, DEPTH_MAX).filter((path) => path.endsWith('.py'));
  const texts = files
    .slice(0, FILES_MAX)
    .filter(isProductionPath)
    .map((path) => ({ path, text: tree.read(path) ?? '' }));
  const readers = texts.filter(({ text }) => READS_METADATA.test(text));
  const canGoWithout = /PackageNotFoundError|DistributionNotFound|except ImportError/;
  const strict = readers.filter(({ text }) => !canGoWithout.test(text));
  const isByOther = strict.some(({ text }) => /\bdef \w+_version\(/.test(text));
  const pathsOf = (all: typeof texts): string[] => all.map(({ path }) => path);
  const own =
    firstLine(tree, pathsOf(strict), asks) ??
    (isByOther ? firstLine(tree, pathsOf(texts), asksOther) : undefined);
  return own === undefined ? undefined : { name, why: 'reads its own metadata', evidence: own };
}
