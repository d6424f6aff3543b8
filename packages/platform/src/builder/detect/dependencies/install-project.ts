// Whether the project itself must be installed like one of its dependencies: only when it would not
// work from its source alone, because an install can fail where a source that lies there cannot.
import { requirementName } from '../requirements-file.ts';
import { hasFile, under, walkFiles, type SourceTree } from '../source-tree.ts';
import { isTable, parsePyproject } from '../tandem-toml.ts';
import { readIni } from './ini-file.ts';
import { classify } from './production-names.ts';
import { tableIn } from './pyproject-requirements.ts';
import { setupName } from './setup-files.ts';

export interface InstallReason {
  readonly name: string;
  readonly why: string;
  readonly evidence?: string;
}

interface Project {
  readonly name: string;
  /** Console scripts, by name. */
  readonly scripts: readonly string[];
  /** Groups of entry points that other code looks up. */
  readonly entryPointGroups: readonly string[];
  readonly file: string;
}

const COMMAND_FILES = ['Procfile', 'tandem.toml', 'pyproject.toml'];
const DEPTH_MAX = 4;
const FILES_MAX = 2_000;

/** `root` is the directory of the app, `directory` that of the dependency files. */
export function reasonToInstall(
  tree: SourceTree,
  directory: string,
  root: string,
): InstallReason | undefined {
  const project = projectIn(tree, directory);
  if (project === undefined) return undefined;
  const { name, file } = project;
  const source = under(directory, 'src');
  const isOnPath = root === source || root.startsWith(`${source}/`);
  const inSource = walkFiles(tree, source, 1).find((path) => path.endsWith('/__init__.py'));
  if (inSource !== undefined && !isOnPath) {
    return { name, why: 'its packages lie in src', evidence: inSource };
  }
  const [group] = project.entryPointGroups;
  if (group !== undefined) return { name, why: `has entry points "${group}"`, evidence: file };
  return usedScript(tree, project) ?? ownMetadata(tree, directory, name);
}

function projectIn(tree: SourceTree, directory: string): Project | undefined {
  const path = under(directory, 'pyproject.toml');
  const pyproject = parsePyproject(tree.read(path) ?? '', path);
  const tool = tableIn(pyproject, 'tool');
  const poetry = tableIn(tool, 'poetry');
  const project = tableIn(pyproject, 'project');
  const refused = poetry?.['package-mode'] === false || tableIn(tool, 'uv')?.['package'] === false;
  const named = project?.['name'] ?? poetry?.['name'];
  if (pyproject['build-system'] !== undefined && typeof named === 'string') {
    if (refused) return undefined;
    const scripts = { ...tableIn(project, 'scripts'), ...tableIn(poetry, 'scripts') };
    const points = { ...tableIn(project, 'entry-points'), ...tableIn(poetry, 'plugins') };
    return {
      name: requirementName(named) ?? named,
      scripts: Object.keys(scripts),
      entryPointGroups: Object.keys(points),
      file: path,
    };
  }
  return ofSetup(tree, directory);
}

function ofSetup(tree: SourceTree, directory: string): Project | undefined {
  const file = under(directory, 'setup.py');
  const name = setupName(tree, directory);
  const text = tree.read(file);
  if (name === undefined || (text === undefined && !hasBuild(tree, directory))) return undefined;
  const configured = readIni(tree.read(under(directory, 'setup.cfg')) ?? '')[
    'options.entry_points'
  ];
  const groups = Object.keys(configured ?? {});
  // A keyword with a dictionary, or with INI text.
  const literal = /entry_points\s*=\s*([{"'][\s\S]*)/.exec(text ?? '')?.[1] ?? '';
  const inScript = [...literal.matchAll(/["']([\w.]+)["']\s*:\s*\[|^\s*\[([\w.]+)\]/gm)];
  const all = [...groups, ...inScript.map(([, one, other]) => one ?? other ?? '')];
  const lines = [
    configured?.['console_scripts'] ?? '',
    all.includes('console_scripts') ? literal : '',
  ];
  const scripts = [...lines.join('\n').matchAll(/["'\n]?\s*([\w.-]+)\s*=\s*[\w.]+\s*:\s*\w+/g)];
  return {
    name,
    scripts: scripts.map(([, script = '']) => script),
    entryPointGroups: all.filter((group) => !/^(console|gui)_scripts$/.test(group)),
    file: text === undefined ? under(directory, 'setup.cfg') : file,
  };
}

function hasBuild(tree: SourceTree, directory: string): boolean {
  return (
    hasFile(tree, under(directory, 'setup.py')) || hasFile(tree, under(directory, 'setup.cfg'))
  );
}

/** A process or release command that only exists once the project is installed. */
function usedScript(tree: SourceTree, { name, scripts }: Project): InstallReason | undefined {
  for (const path of COMMAND_FILES) {
    const lines = (tree.read(path) ?? '').split('\n');
    for (const [index, line] of lines.entries()) {
      const isCommand = path === 'Procfile' || isTandemCommand(tree, path, line);
      const command = line.replace(/^[\w-]+\s*[:=]/, '');
      const used = scripts.find((script) =>
        new RegExp(`(^|[\\s"'&;|/])${escaped(script)}($|[\\s"'&;|])`).test(command),
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
  const spelled = name.split('-').map(escaped).join('[-_.]+');
  const asks = new RegExp(
    String.raw`\b(?:version|metadata|distribution|get_distribution|requires|files|require)\(\s*(?:["']${spelled}["']|__name__|__package__)\s*\)`,
    'i',
  );
  const files = walkFiles(tree, directory, DEPTH_MAX).filter((path) => path.endsWith('.py'));
  for (const path of files.slice(0, FILES_MAX).filter(isProduction)) {
    const text = tree.read(path) ?? '';
    if (!/importlib[._]metadata|pkg_resources/.test(text)) continue;
    if (/PackageNotFoundError|DistributionNotFound|except ImportError/.test(text)) continue;
    const index = text.split('\n').findIndex((line) => asks.test(line));
    if (index >= 0) {
      return { name, why: 'reads its own metadata', evidence: `${path}:${index + 1}` };
    }
  }
  return undefined;
}

function isProduction(path: string): boolean {
  return path.split('/').every((part) => classify(part.replace(/\.py$/, '')) !== 'development');
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
