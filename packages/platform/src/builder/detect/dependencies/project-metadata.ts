// What a project says of itself as something that can be installed: its name, its scripts, its entry
// points. From pyproject.toml, setup.py and setup.cfg, as far as text shows.
import { requirementName } from '../requirements-file.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { parsePyproject } from '../tandem-toml.ts';
import { readIni } from './ini-file.ts';
import { tableIn } from './pyproject-requirements.ts';
import { setupName } from './setup-files.ts';
import { setupScript } from './setup-script.ts';

export interface ProjectMetadata {
  readonly name: string;
  /** Console scripts, by name. */
  readonly scripts: readonly string[];
  /** Groups of entry points for other code to look up. */
  readonly entryPointGroups: readonly string[];
  readonly file: string;
}

const SCRIPT_GROUPS = new Set(['console_scripts', 'gui_scripts']);

/** Undefined when it cannot be installed, or does not want to be. */
export function projectMetadata(tree: SourceTree, directory: string): ProjectMetadata | undefined {
  const file = under(directory, 'pyproject.toml');
  const pyproject = parsePyproject(tree.read(file) ?? '', file);
  const tool = tableIn(pyproject, 'tool');
  const poetry = tableIn(tool, 'poetry');
  const project = tableIn(pyproject, 'project');
  const named = project?.['name'] ?? poetry?.['name'];
  if (pyproject['build-system'] === undefined || typeof named !== 'string') {
    return ofSetup(tree, directory);
  }
  if (poetry?.['package-mode'] === false || tableIn(tool, 'uv')?.['package'] === false) {
    return undefined;
  }
  const scripts = { ...tableIn(project, 'scripts'), ...tableIn(poetry, 'scripts') };
  const points = { ...tableIn(project, 'entry-points'), ...tableIn(poetry, 'plugins') };
  return {
    name: requirementName(named) ?? named,
    scripts: Object.keys(scripts),
    entryPointGroups: Object.keys(points),
    file,
  };
}

function ofSetup(tree: SourceTree, directory: string): ProjectMetadata | undefined {
  const name = setupName(tree, directory);
  if (name === undefined) return undefined;
  const script = setupScript(tree, directory);
  const configuration = readIni(tree.read(under(directory, 'setup.cfg')) ?? '');
  const configured = configuration['options.entry_points'] ?? {};
  // A keyword with a dictionary, or with INI text.
  const literal = valueOf('entry_points', script ?? '');
  const written = [...literal.matchAll(/["']([\w.]+)["']\s*:|^\s*\[([\w.]+)\]/gm)];
  const groups = [
    ...Object.keys(configured),
    ...written.map(([, one, other]) => one ?? other ?? ''),
  ];
  const lines = [
    configured['console_scripts'] ?? '',
    groups.includes('console_scripts') ? literal : '',
  ];
  const scripts = [...lines.join('\n').matchAll(/["'\n]?\s*([\w.-]+)\s*=\s*[\w.]+\s*:\s*\w+/g)];
  return {
    name,
    scripts: scripts.map(([, one = '']) => one),
    entryPointGroups: groups.filter((group) => !SCRIPT_GROUPS.has(group)),
    file: under(directory, script === undefined ? 'setup.cfg' : 'setup.py'),
  };
}

/** The dictionary or text behind a keyword, up to where it ends; '' for anything else. */
function valueOf(keyword: string, script: string): string {
  const found = new RegExp(String.raw`\b${keyword}\s*=\s*(\{|"""|'''|"|')`).exec(script);
  if (found === null) return '';
  const [, opening = ''] = found;
  const start = found.index + found[0].length;
  const end = opening === '{' ? closingBrace(script, start) : script.indexOf(opening, start);
  return script.slice(start, end < 0 ? undefined : end);
}

function closingBrace(text: string, start: number): number {
  for (let at = start, depth = 1; at < text.length; at += 1) {
    if (text[at] === '{') depth += 1;
    if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}
