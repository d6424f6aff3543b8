// Which settings module a Django project is deployed with. wsgi.py knows better than manage.py,
// which is the developer's; a module named for development gives way to a production sibling.
import { TandemError } from '@tandem/protocol';
import { detected, finding, type Detected } from './evidence.ts';
import { logicalLines } from './python-source.ts';
import { hasFile, under, walkFiles, type SourceTree } from './source-tree.ts';

const DEVELOPMENT = /^(dev|devel|development|local|debug|test|tests|testing|ci|build)$/;
const PRODUCTION = ['production', 'prod', 'live', 'deploy'];
const ASSIGNS =
  /environ(\.setdefault\(|\[)\s*["']DJANGO_SETTINGS_MODULE["']\]?\s*[,=]\s*["']([\w.]+)["']/;

export interface SettingsModule {
  readonly name: string;
  readonly file: string;
  /** Settings classes of django-configurations: the overlay cannot wrap them. */
  readonly configurations: boolean;
}

interface Candidate {
  readonly name: string;
  readonly evidence: string;
  readonly why: string;
}

export interface SettingsRequest {
  readonly root: string;
  readonly manageFile: string;
  /** From tandem.toml or the app's config. */
  readonly configured?: Candidate;
}

export function detectSettingsModule(
  tree: SourceTree,
  request: SettingsRequest,
): Detected<SettingsModule> {
  const manage = tree.read(request.manageFile) ?? '';
  const configurations = /\bconfigurations\b/.test(manage);
  const candidates = request.configured
    ? [request.configured]
    : [...productionFirst(tree, request.root, named(tree, request))];
  for (const candidate of candidates) {
    const file = moduleFile(tree, request.root, candidate.name);
    if (file === undefined) continue;
    const value = { name: candidate.name, file, configurations };
    return detected(value, finding('settings', value.name, candidate.why, candidate.evidence));
  }
  throw nothingUsable(candidates, request);
}

/** What the entry points name, in order of trust, then settings files found by name. */
function named(tree: SourceTree, request: SettingsRequest): Candidate[] {
  const files = walkFiles(tree, request.root, 3);
  const entries = ['wsgi.py', 'asgi.py'].flatMap((name) =>
    files.filter((path) => path.endsWith(`/${name}`) || path === name),
  );
  const byEntry = [...entries, request.manageFile].flatMap((path) => {
    const name = namedIn(tree.read(path));
    if (name === undefined) return [];
    return [{ name: name.module, evidence: `${path}:${name.line}`, why: `named by ${path}` }];
  });
  return [...byEntry, ...byFileName(files, request.root)];
}

function namedIn(source: string | undefined): { module: string; line: number } | undefined {
  for (const line of logicalLines(source ?? '')) {
    const module = ASSIGNS.exec(line.text)?.[2];
    if (module !== undefined) return { module, line: line.line };
  }
  return undefined;
}

function byFileName(files: readonly string[], root: string): Candidate[] {
  return files
    .filter((path) => /(^|\/)settings(\.py|\/__init__\.py)$/.test(path))
    .map((path) => ({
      name: moduleName(path, root),
      evidence: path,
      why: 'the only settings found',
    }));
}

/** A sibling such as `x.settings.production` goes before `x.settings.dev`. */
function* productionFirst(
  tree: SourceTree,
  root: string,
  candidates: readonly Candidate[],
): Generator<Candidate> {
  const usable = candidates.filter((one) => moduleFile(tree, root, one.name) !== undefined);
  yield* usable.filter((one) => !isDevelopment(one.name)).slice(0, 1);
  for (const candidate of usable.filter((one) => isDevelopment(one.name))) {
    const parent = candidate.name.slice(0, candidate.name.lastIndexOf('.'));
    for (const sibling of PRODUCTION.map((word) => `${parent}.${word}`)) {
      const file = moduleFile(tree, root, sibling);
      if (file === undefined) continue;
      const why = `for production; not ${candidate.name} (${candidate.why})`;
      yield { name: sibling, evidence: file, why };
    }
  }
  yield* candidates;
}

function isDevelopment(module: string): boolean {
  return DEVELOPMENT.test(module.slice(module.lastIndexOf('.') + 1));
}

/** The file of a module that exists and holds any code. */
function moduleFile(tree: SourceTree, root: string, module: string): string | undefined {
  const path = under(root, module.replaceAll('.', '/'));
  return [`${path}.py`, `${path}/__init__.py`].find(
    (file) => hasFile(tree, file) && logicalLines(tree.read(file) ?? '').length > 0,
  );
}

function moduleName(path: string, root: string): string {
  const relative = root === '' ? path : path.slice(root.length + 1);
  return relative.replace(/(\/__init__)?\.py$/, '').replaceAll('/', '.');
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
