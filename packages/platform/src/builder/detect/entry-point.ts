// The WSGI or ASGI application of a project without Django, by the shape of its text: known classes,
// factories, plain callables, and names that an entry file imports.
import { posix } from 'node:path';
import { TandemError } from '@tandem/protocol';
import type { ServedApplication } from './containers/served-application.ts';
import { wrappedEntry } from './entry-wrapper.ts';
import { detected, finding, type Detected } from './evidence.ts';
import { moduleBelow, moduleName } from './import-graph.ts';
import { logicalLines, unclosedBracket, type LogicalLine } from './python-source.ts';
import type { MadeFile } from './settings-hook.ts';
import { under, walkFiles, type SourceTree } from './source-tree.ts';

export interface EntryPoint {
  readonly module: string;
  readonly attribute: string;
  readonly kind: 'wsgi' | 'asgi';
  readonly framework: 'flask' | 'fastapi' | 'starlette' | 'wsgi' | 'asgi';
  /** `attribute` is called to get the application. */
  readonly factory: boolean;
  /** Directory that must be on the path, relative to the root of the source. */
  readonly pathEntry: string;
  /** A module that must be made for it, see entry-wrapper.ts. */
  readonly made?: MadeFile;
}

/** `shop:app`, `shop:create_app()`: as Flask and people write it. */
export function targetOf(entry: Pick<EntryPoint, 'module' | 'attribute' | 'factory'>): string {
  return `${entry.module}:${entry.attribute}${entry.factory ? '()' : ''}`;
}

export interface ConfiguredEntry {
  /** `package.module:attribute` */
  readonly entry: string;
  readonly setIn: string;
  /** Directories on Python's path, beside the root. */
  readonly paths: readonly string[];
}

type Shape = Pick<EntryPoint, 'attribute' | 'kind' | 'framework' | 'factory'> & {
  readonly line: number;
  readonly why: string;
};

const CLASSES: Readonly<Record<string, Pick<EntryPoint, 'kind' | 'framework'>>> = {
  Flask: { kind: 'wsgi', framework: 'flask' },
  APIFlask: { kind: 'wsgi', framework: 'flask' },
  FastAPI: { kind: 'asgi', framework: 'fastapi' },
  Starlette: { kind: 'asgi', framework: 'starlette' },
  Litestar: { kind: 'asgi', framework: 'asgi' },
  Quart: { kind: 'asgi', framework: 'asgi' },
  Sanic: { kind: 'asgi', framework: 'asgi' },
  BlackSheep: { kind: 'asgi', framework: 'asgi' },
  Bottle: { kind: 'wsgi', framework: 'wsgi' },
  'falcon.App': { kind: 'wsgi', framework: 'wsgi' },
  'falcon.asgi.App': { kind: 'asgi', framework: 'asgi' },
};
const DEPTH_MAX = 3;
/** Where nothing lies higher: `src/py/shop/server/asgi.py`. */
const DEPTH_DEEP = 6;
/** File names in order of trust. */
const FILES = ['wsgi', 'asgi', 'app', 'main', 'application', 'server', 'api', 'run', '__init__'];
const CLASS_NAMES = Object.keys(CLASSES).map((name) => name.replace('.', '\\.'));
const INSTANCE = new RegExp(`^(\\w+)\\s*(?::[^=]+)?=\\s*(?:\\w+\\.)?(${CLASS_NAMES.join('|')})\\(`);
const MADE = new RegExp(`\\b(${CLASS_NAMES.join('|')})\\(`);
const FACTORY = /^(?:async )?def (create_app|make_app|get_app|build_app|create_application)\(/;
const FACTORY_CALL =
  /^(app|application)\s*(?::[^=]+)?=\s*(?:\w+\.)?(?:create|make|get|build)_\w+\(/;
const WSGI_FUNCTION = /^def (app|application|wsgi|simple_app)\(\s*(environ|env|_environ)\b\s*[:,]/;
const ASGI_FUNCTION = /^async def (app|application|asgi)\(\s*scope\b/;
const IMPORTED = /^from ([\w.]+) import (?:.*\b(?:as)\s+)?(app|application)\b/;
const ASSIGNED = /^(application)\s*=\s*\S/;

export interface EntryRequest {
  /** From a configuration file. */
  readonly configured?: ConfiguredEntry | undefined;
  /** The web command that the project names: it knows its application. */
  readonly webCommand?: string | undefined;
  /** What its containers serve: asked where the source shows several or none. */
  readonly contained?: readonly ServedApplication[];
}

export function detectEntryPoint(
  tree: SourceTree,
  root: string,
  { configured, webCommand, contained = [] }: EntryRequest = {},
): Detected<EntryPoint> {
  const files = candidates(tree, root);
  if (configured !== undefined) return configuredEntry(tree, root, files, configured);
  const served = webCommand === undefined ? undefined : servedEntry(tree, root, files, webCommand);
  if (served !== undefined) return served;
  const inContainer = containedEntry(tree, files, contained);
  if (inContainer !== undefined) return inContainer;
  const shown = shownEntry(tree, files, () => root);
  if (shown !== undefined) return shown;
  const wrapped = wrappedEntry(tree, root, files);
  if (wrapped === undefined) {
    const deep = candidates(tree, root, DEPTH_DEEP).filter((path) => !files.includes(path));
    const below = shownEntry(tree, deep, (path) => importedFrom(tree, path));
    if (below !== undefined) return below;
    throw unreadable(files, tree) ?? nothingFound([...files, ...deep]);
  }
  const { entry, why, evidence } = wrapped;
  return detected(
    entry,
    finding('framework', entry.framework, why, evidence),
    finding('entry', `${entry.module}:${entry.attribute}, made`, why, evidence),
  );
}

/** The first file whose text shows an application; `baseOf` says from where it is imported. */
function shownEntry(
  tree: SourceTree,
  files: readonly string[],
  baseOf: (path: string) => string,
): Detected<EntryPoint> | undefined {
  for (const path of files) {
    const shape = shapeOf(tree.read(path) ?? '', usesOf(files, tree));
    if (shape === undefined) continue;
    const value = entryOf(path, baseOf(path), shape);
    const evidence = `${path}:${shape.line}`;
    return detected(
      value,
      finding('framework', value.framework, shape.why, evidence),
      finding('entry', targetOf(value), shape.why, evidence),
    );
  }
  return undefined;
}

/** The directory above the outermost package that holds the file. */
function importedFrom(tree: SourceTree, path: string): string {
  const directory = posix.dirname(path);
  if (directory === '.') return '';
  const isPackage = tree.list(directory).some(({ name }) => name === '__init__.py');
  return isPackage ? importedFrom(tree, directory) : directory;
}

/** Shallow files first, within a level by how their name is trusted. */
function candidates(tree: SourceTree, root: string, depthMax = DEPTH_MAX): string[] {
  const rank = (path: string): number => {
    const name = path.slice(path.lastIndexOf('/') + 1, -'.py'.length);
    const known = FILES.indexOf(name);
    return (
      (path.split('/').length + (name === '__init__' ? -0.5 : 0)) * 100 + (known < 0 ? 50 : known)
    );
  };
  return walkFiles(tree, root, depthMax)
    .filter((path) => path.endsWith('.py') && !isAside(path))
    .sort((one, other) => rank(one) - rank(other));
}

function isAside(path: string): boolean {
  return /(^|\/)(tests?|docs?|examples?|migrations|alembic|scripts|setup\.py|conftest\.py|test_[^/]*|\w*(celery|worker|tasks|cron)\w*\.py)(\/|$)/.test(
    path,
  );
}

/** An entry file often imports the application; its kind is that of the class made elsewhere. */
function usesOf(files: readonly string[], tree: SourceTree): () => Shape | undefined {
  return () => {
    for (const path of files) {
      const made = logicalLines(tree.read(path) ?? '').find((line) =>
        /\b(Flask|FastAPI|Starlette)\(/.test(line.code),
      );
      const name = /\b(Flask|FastAPI|Starlette)\(/.exec(made?.code ?? '')?.[1];
      const known = name === undefined ? undefined : CLASSES[name];
      if (known)
        return { ...known, attribute: 'app', factory: false, line: made?.line ?? 1, why: '' };
    }
    return undefined;
  };
}

function shapeOf(source: string, elsewhere: () => Shape | undefined): Shape | undefined {
  const lines = logicalLines(source);
  const top = lines.filter((line) => line.indent === 0);
  return (
    firstShape(top, instance) ??
    firstShape(top, callable) ??
    firstShape(top, (line) => called(line, elsewhere)) ??
    firstShape(top, (line) => factory(line, lines))
  );
}

function firstShape(
  lines: readonly LogicalLine[],
  read: (line: LogicalLine) => Omit<Shape, 'line'> | undefined,
): Shape | undefined {
  for (const line of lines) {
    const shape = read(line);
    if (shape !== undefined) return { ...shape, line: line.line };
  }
  return undefined;
}

function instance(line: LogicalLine): Omit<Shape, 'line'> | undefined {
  const [, attribute, name] = INSTANCE.exec(line.code) ?? [];
  const known = name === undefined ? undefined : CLASSES[name];
  if (attribute === undefined || known === undefined) return undefined;
  return { ...known, attribute, factory: false, why: `${attribute} = ${name}(...)` };
}

function callable(line: LogicalLine): Omit<Shape, 'line'> | undefined {
  for (const [pattern, kind] of [
    [WSGI_FUNCTION, 'wsgi'],
    [ASGI_FUNCTION, 'asgi'],
  ] as const) {
    const attribute = pattern.exec(line.code)?.[1];
    if (attribute === undefined) continue;
    return {
      attribute,
      kind,
      framework: kind,
      factory: false,
      why: `a plain ${kind.toUpperCase()} callable`,
    };
  }
  return undefined;
}

/** `app = create_app()`, `from package import app`, `application = Something(...)`. */
function called(
  line: LogicalLine,
  elsewhere: () => Shape | undefined,
): Omit<Shape, 'line'> | undefined {
  const attribute =
    FACTORY_CALL.exec(line.code)?.[1] ??
    IMPORTED.exec(line.code)?.[2] ??
    ASSIGNED.exec(line.code)?.[1];
  if (attribute === undefined) return undefined;
  const { kind, framework } = elsewhere() ?? { kind: 'wsgi', framework: 'wsgi' };
  return { attribute, kind, framework, factory: false, why: line.text.slice(0, 60) };
}

function factory(line: LogicalLine, all: readonly LogicalLine[]): Omit<Shape, 'line'> | undefined {
  const attribute = FACTORY.exec(line.code)?.[1];
  if (attribute === undefined) return undefined;
  const made = all.map((one) => MADE.exec(one.code)?.[1]).find(Boolean);
  const known = made === undefined ? undefined : CLASSES[made];
  if (known === undefined) return undefined;
  return { ...known, attribute, factory: true, why: `the factory ${attribute}()` };
}

function entryOf(path: string, root: string, shape: Shape): EntryPoint {
  const source = under(root, 'src');
  const pathEntry = path.startsWith(`${source}/`) ? source : root;
  const module = moduleName(path, pathEntry);
  const { attribute, kind, framework, factory: isFactory } = shape;
  return { module, attribute, kind, framework, factory: isFactory, pathEntry };
}

function configuredEntry(
  tree: SourceTree,
  root: string,
  files: readonly string[],
  { entry, setIn, paths }: ConfiguredEntry,
): Detected<EntryPoint> {
  const [module = '', attribute = ''] = entry.split(':');
  const isModule = (base: string) => (file: string) =>
    entryOf(file, base, NO_SHAPE).module === module;
  const base = [root, ...paths].find((one) => filesUnder(files, one).some(isModule(one)));
  const path = base === undefined ? undefined : filesUnder(files, base).find(isModule(base));
  if (base === undefined || path === undefined) throw noSuchModule(module, setIn);
  const shape = shapeOf(tree.read(path) ?? '', usesOf(files, tree)) ?? NO_SHAPE;
  const value = entryOf(path, base, {
    ...shape,
    attribute,
    factory: shape.factory && shape.attribute === attribute,
  });
  return detected(
    value,
    finding('framework', value.framework, 'by the file of the entry', path),
    finding('entry', entry, `set in ${setIn}`, setIn),
  );
}

function filesUnder(files: readonly string[], directory: string): string[] {
  return files.filter((path) => directory === '' || path.startsWith(`${directory}/`));
}

function noSuchModule(module: string, setIn: string): TandemError {
  const isToml = setIn.endsWith('.toml');
  return new TandemError(
    isToml ? 'TANDEM_TOML_INVALID' : 'EPIO_INI_INVALID',
    `entry: module "${module}" is not in the source.`,
    {
      where: setIn,
      hint: isToml ? 'entry = "PACKAGE.MODULE:ATTRIBUTE"' : 'entrypoint = PACKAGE.MODULE:CALLABLE',
    },
  );
}

/** `gunicorn -w 2 shop.app:create_app()` */
function servedEntry(
  tree: SourceTree,
  root: string,
  files: readonly string[],
  command: string,
): Detected<EntryPoint> | undefined {
  if (!/\b(gunicorn|uvicorn|hypercorn|granian|daphne|waitress-serve)\b/.test(command))
    return undefined;
  const [, module, attribute, call] =
    /(?:^|[\s"'])([A-Za-z_][\w.]*):([A-Za-z_]\w*)(\(\))?(?=$|[\s"'])/.exec(command) ?? [];
  const path = files.find((file) => entryOf(file, root, NO_SHAPE).module === module);
  if (path === undefined || attribute === undefined) return undefined;
  const shape = shapeOf(tree.read(path) ?? '', usesOf(files, tree)) ?? NO_SHAPE;
  const factory = call !== undefined || /--factory\b/.test(command);
  const value = entryOf(path, root, { ...shape, attribute, factory });
  const why = `served by "${command.slice(0, 60)}"`;
  return detected(
    value,
    finding('framework', value.framework, 'by the file of the entry', path),
    finding('entry', targetOf(value), why, path),
  );
}

function containedEntry(
  tree: SourceTree,
  files: readonly string[],
  contained: readonly ServedApplication[],
): Detected<EntryPoint> | undefined {
  if (contained.length === 0) return undefined;
  const uses = usesOf(files, tree);
  const shown = files.filter((path) => shapeOf(tree.read(path) ?? '', uses) !== undefined);
  if (shown.length === 1) return undefined;
  for (const one of contained) {
    const places = one.modules.flatMap((module) =>
      one.directories.map((base) => ({
        base,
        path: files.find((file) => moduleBelow(file, base) === module),
      })),
    );
    const { base, path } = places.find((place) => place.path !== undefined) ?? {};
    if (base === undefined || path === undefined) continue;
    const shape = shapeOf(tree.read(path) ?? '', uses);
    const attribute = one.attribute ?? shape?.attribute;
    if (attribute === undefined) continue;
    const factory = one.factory || (shape?.factory === true && shape.attribute === attribute);
    const kind = shape?.kind ?? one.kind ?? 'wsgi';
    const known = shape ?? { ...NO_SHAPE, kind, framework: kind };
    const value = { ...entryOf(path, base, { ...known, attribute, factory }), pathEntry: base };
    const entry = targetOf({ ...value, attribute, factory });
    const why = `its container runs "${one.command.slice(0, 60)}"`;
    return detected(
      value,
      finding('framework', value.framework, 'by the file of the entry', path),
      finding('entry', entry, why, one.evidence, 'likely'),
    );
  }
  return undefined;
}

const NO_SHAPE: Shape = {
  attribute: 'application',
  kind: 'wsgi',
  framework: 'wsgi',
  factory: false,
  line: 1,
  why: '',
};

/** A file that no Python could read may be the one that holds it. */
function unreadable(files: readonly string[], tree: SourceTree): TandemError | undefined {
  for (const path of files) {
    const source = tree.read(path) ?? '';
    const line = unclosedBracket(source);
    if (line === undefined) continue;
    const text = source.split('\n')[line - 1]?.trim() ?? '';
    return new TandemError('IMPORT_FAILED', `SyntaxError in ${path}: a bracket is never closed.`, {
      where: `${path}:${line} ${text}`,
      hint: 'mend the line and deploy again',
    });
  }
  return undefined;
}

function nothingFound(files: readonly string[]): TandemError {
  const count =
    files.length === 1 ? 'The one Python file holds' : `${files.length} Python files hold`;
  const looked = files.length === 0 ? 'There is no Python file' : `${count} no application`;
  return new TandemError(
    'NO_APP_DETECTED',
    `${looked}: no manage.py of Django, no Flask, FastAPI or Starlette, no "app" or "application".`,
    {
      hint: 'name it in tandem.toml: entry = "PACKAGE.MODULE:ATTRIBUTE"\nor add a Procfile: web: COMMAND that listens on $PORT',
    },
  );
}
