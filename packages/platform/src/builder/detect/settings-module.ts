// Which settings module a Django project is deployed with. wsgi.py knows better than manage.py,
// which is the developer's; a module named for development gives way to a production sibling. What
// cannot be imported in the built environment gives way to the next of the alternatives.
import { TandemError } from '@tandem/protocol';
import { detected, finding, type Detected } from './evidence.ts';
import { moduleFile, moduleName } from './import-graph.ts';
import { logicalLines } from './python-source.ts';
import { walkFiles, type SourceTree } from './source-tree.ts';

/** Whole words of the last part of a module's name: `dev_settings`, `settings_test`. */
const DEVELOPMENT =
  /(^|_)(dev|devel|develop|development|local|debug|test|tests|testing|ci|build|docker_dev)(_|$)/;
const PRODUCTION = ['production', 'prod', 'live', 'deploy', 'deployment', 'heroku', 'server'];
const PRODUCTION_NAME = new RegExp(`(^|_)(${PRODUCTION.join('|')})(_|$)`);
/** What tells settings of Django from other files of that name. */
const HOLDS_SETTINGS = /\b(INSTALLED_APPS|ROOT_URLCONF|SECRET_KEY|DATABASES)\b|import \*/;
const ALTERNATIVES_MAX = 4;
const ASSIGNS =
  /environ(\.setdefault\(|\[)\s*["']DJANGO_SETTINGS_MODULE["']\]?\s*[,=]\s*["']([\w.]+)["']/;

export interface SettingsModule {
  readonly name: string;
  readonly file: string;
  /** Settings classes of django-configurations: the overlay cannot wrap them. */
  readonly configurations: boolean;
  /** What to try when it cannot be imported, best first. */
  readonly alternatives: readonly SettingsAlternative[];
}

export interface SettingsAlternative {
  readonly name: string;
  readonly file: string;
}

export interface Candidate {
  readonly name: string;
  readonly evidence: string;
  readonly why: string;
}

export interface SettingsRequest {
  readonly root: string;
  readonly manageFile: string;
  /** Directories that modules are looked for in. */
  readonly pythonPath: readonly string[];
  /** From tandem.toml or the app's config. */
  readonly configured?: Candidate;
  /** What the project's containers set: after what its entry points name. */
  readonly suggested?: readonly Candidate[];
}

export function detectSettingsModule(
  tree: SourceTree,
  request: SettingsRequest,
): Detected<SettingsModule> {
  const manage = tree.read(request.manageFile) ?? '';
  const configurations = /\bconfigurations\b/.test(manage);
  const candidates = request.configured ? [request.configured] : candidatesOf(tree, request);
  const usable = candidates.flatMap((candidate) => {
    const file = codeFile(tree, request.pythonPath, candidate.name);
    return file === undefined ? [] : [{ ...candidate, file }];
  });
  const [chosen] = usable;
  if (chosen === undefined) throw nothingUsable(candidates, request);
  const { name, file, why, evidence } = chosen;
  const others = usable.filter(
    (one, index) => one.name !== name && usable.findIndex((two) => two.name === one.name) === index,
  );
  // A site must not end up in development because a module for production is missing.
  const alternatives = others
    .filter((other) => isDevelopment(name) || !isDevelopment(other.name))
    .slice(0, ALTERNATIVES_MAX)
    .map((other) => ({ name: other.name, file: other.file }));
  return detected(
    { name, file, configurations, alternatives },
    finding('settings', name, why, evidence),
  );
}

/** What the entry points name, in order of trust, then settings files found by name. */
function candidatesOf(tree: SourceTree, request: SettingsRequest): Candidate[] {
  const files = walkFiles(tree, request.root, 3);
  const named = namedByEntries(tree, request, files);
  return [...productionFirst(tree, request, named), ...byFileName(tree, files, request.root)];
}

function namedByEntries(
  tree: SourceTree,
  request: SettingsRequest,
  files: readonly string[],
): Candidate[] {
  const entries = ['wsgi.py', 'asgi.py'].flatMap((name) =>
    files.filter((path) => path.endsWith(`/${name}`) || path === name),
  );
  return [...entries, request.manageFile].flatMap((path) => {
    const name = namedIn(tree.read(path));
    if (name === undefined) return [];
    return [{ name: name.module, evidence: `${path}:${name.line}`, why: `named by ${path}` }];
  });
}

function namedIn(source: string | undefined): { module: string; line: number } | undefined {
  for (const line of logicalLines(source ?? '')) {
    const module = ASSIGNS.exec(line.text)?.[2];
    if (module !== undefined) return { module, line: line.line };
  }
  return undefined;
}

/** `settings.py`, `x/settings/production.py`, `settings_live.py`, `prod_settings.py`. */
function byFileName(tree: SourceTree, files: readonly string[], root: string): Candidate[] {
  const found = files.filter((path) =>
    /(^|\/)(settings\/\w+|\w*settings(_\w+)?(\/__init__)?)\.py$/.test(path),
  );
  const rank = (path: string): number => {
    const last = lastPart(moduleName(path, root));
    return PRODUCTION_NAME.test(last) ? 0 : last === 'settings' ? 1 : isDevelopment(last) ? 3 : 2;
  };
  return found
    .filter((path) => !/(^|\/)tests?\//.test(path) && HOLDS_SETTINGS.test(tree.read(path) ?? ''))
    .sort((one, other) => rank(one) - rank(other))
    .map((path) => ({ name: moduleName(path, root), evidence: path, why: 'found by its name' }));
}

/**
 * A sibling such as `x.settings.production` goes before `x.settings.dev`, and so does what the
 * containers of the project use.
 */
function* productionFirst(
  tree: SourceTree,
  { pythonPath, suggested = [] }: SettingsRequest,
  candidates: readonly Candidate[],
): Generator<Candidate> {
  const usable = candidates.filter((one) => codeFile(tree, pythonPath, one.name) !== undefined);
  yield* usable.filter((one) => !isDevelopment(one.name)).slice(0, 1);
  for (const candidate of usable.filter((one) => isDevelopment(one.name))) {
    const parent = candidate.name.slice(0, candidate.name.lastIndexOf('.'));
    for (const sibling of PRODUCTION.map((word) => `${parent}.${word}`)) {
      const file = codeFile(tree, pythonPath, sibling);
      if (file === undefined) continue;
      const why = `for production; not ${candidate.name} (${candidate.why})`;
      yield { name: sibling, evidence: file, why };
    }
  }
  yield* suggested.filter(({ name }) => !isDevelopment(name));
  yield* candidates;
}

function isDevelopment(module: string): boolean {
  return DEVELOPMENT.test(lastPart(module));
}

function lastPart(module: string): string {
  return module.slice(module.lastIndexOf('.') + 1);
}

/** The file of a module that exists and holds any code. */
function codeFile(
  tree: SourceTree,
  pythonPath: readonly string[],
  module: string,
): string | undefined {
  const file = moduleFile(tree, pythonPath, module);
  return file !== undefined && logicalLines(tree.read(file) ?? '').length > 0 ? file : undefined;
}

function nothingUsable(candidates: readonly Candidate[], request: SettingsRequest): TandemError {
  const first = candidates[0];
  const message = first
    ? `Settings module "${first.name}" (${first.why}) does not exist or is empty.`
    : `Neither wsgi.py nor ${request.manageFile} names a settings module.`;
  return new TandemError('SETTINGS_MODULE_WRONG', message, {
    where: first?.evidence ?? request.manageFile,
    hint: 'name it in tandem.toml: settings = "PACKAGE.settings"\nor: tandem config set DJANGO_SETTINGS_MODULE=PACKAGE.settings',
  });
}
