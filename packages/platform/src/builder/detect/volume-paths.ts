// Paths that the app writes and that must survive a release, by the text of the project: upload
// folders, SQLite files, logs, Flask's instance folder, directories that the project makes.
import { posix } from 'node:path';
import { evaluatePath, type PathScope } from './path-expression.ts';
import { logicalLines, type LogicalLine } from './python-source.ts';
import { insideApp, under, walkFiles, type SourceTree } from './source-tree.ts';

export interface VolumeCandidate {
  /** Absolute, inside the sandbox. */
  readonly path: string;
  readonly kind: 'directory' | 'file';
  /** The project keeps data there; else it may also only read, or make what is there already. */
  readonly isSure: boolean;
  readonly why: string;
  readonly evidence?: string;
}

export interface VolumeRequest {
  readonly root: string;
  /** Directory that the application's module is imported from. */
  readonly pathEntry?: string;
  readonly isDjango: boolean;
  /** Normalised names. */
  readonly dependencies: readonly string[];
  /** Then a SQLite URL in the text is for development only. */
  readonly usesDatabase: boolean;
}

type Found = Omit<VolumeCandidate, 'evidence'>;
interface Place {
  readonly scope: PathScope;
  readonly request: VolumeRequest;
  readonly instance: string;
}
type Rule = (line: LogicalLine, place: Place) => readonly Found[];

const WALK_DEPTH = 5;
/** What does not run in a process of the app. */
const ASIDE =
  /(^|\/)(tests?(?:\.py)?|docs?|examples?|migrations|commands|scripts?|tools?|bin|benchmarks?|setup\.py|conftest\.py|manage\.py|tasks\.py|fabfile\.py|noxfile\.py|test_[^/]*|[^/]*_test\.py)(\/|$)/;
const WORTH_READING =
  /mkdir|makedirs|FileHandler|basicConfig|sqlite|upload|instance_|logger\.add|open\(|TinyDB|__file__|BASE_?DIR|DB_PATH|DATABASE/i;
const ASSIGNMENT = /^([A-Za-z_]\w*|\w+(?:\.\w+)*\[["']\w+["']\])\s*(?::[^=]+)?=\s*(?!=)/;
const MAKES = /(?:^|[^.\w])(?:os\.)?(?:makedirs|mkdir)\(\s*(?:name\s*=\s*)?/g;
const MAKES_SELF = /^(?:(?:if|with|for)\b.*?:\s*)?(.*?)\.mkdir\(/;
const UPLOADS =
  /\b(\w*(?:media_root|uploads?_(?:folder|dir|directory|path|root|dest)|uploaded_\w+_dest))\b["']?\]?\s*(?::\s*[\w.]+\s*)?[=:]\s*(?!=)/gi;
const HANDLERS = /\b\w*FileHandler\(\s*(?:[^()]*?\bfilename\s*=\s*)?/g;
const BASIC_CONFIG = /\bbasicConfig\(.*?\bfilename\s*=\s*/g;
const HANDLER_FILES = /["']filename["']\s*:\s*/g;
const LOGURU = /\blogger\.add\(\s*/g;
const SQLITE_URL = /[fFrR]{0,2}["']sqlite(?:\+\w+)?:\/\/\//g;
const SQLITE_FILE =
  /\b(?:(?:aio)?sqlite3?\.connect|Sqlite\w*Database|TinyDB)\(\s*(?:database\s*=\s*)?/g;
const DATABASE_NAME =
  /\b(?:DATABASE|\w*DB_(?:PATH|FILE)|DATABASE_(?:PATH|FILE))["']?\]?\s*[=:]\s*/g;
const DATABASE_SUFFIX = /\.(db|db3|sqlite|sqlite3)$/;
const WRITES = /(?:^|[^.\w])open\(\s*(?=[^)]*,\s*(?:mode\s*=\s*)?["'][wax]b?\+?["'])/g;
const INSTANCE =
  /\binstance_path\b|\binstance_relative_config\s*=\s*True|\bopen_instance_resource\b/;

export function detectVolumePaths(tree: SourceTree, request: VolumeRequest): VolumeCandidate[] {
  const files = walkFiles(tree, request.root, WALK_DEPTH)
    .filter((path) => path.endsWith('.py') && !ASIDE.test(path))
    .map((path) => ({ path, source: tree.read(path) ?? '' }))
    .filter(({ source }) => WORTH_READING.test(source))
    .map(({ path, source }) => ({ path, lines: logicalLines(source) }));
  const instance = insideApp(under(request.pathEntry ?? request.root, 'instance'));
  const shared = new Map<string, string>();
  // Twice: a name may be set in a file that is read later.
  for (const { path, lines } of [...files, ...files]) {
    const own = scopeOf(path, request, instance, shared);
    for (const line of lines) remember(line, own, shared);
  }
  const found = files.flatMap(({ path, lines }) => {
    const own = scopeOf(path, request, instance, shared);
    const place = { scope: own.scope, request, instance };
    return lines.flatMap((line) => {
      remember(line, own, shared);
      const evidence = `${path}:${line.line}`;
      return RULES.flatMap((rule) => rule(line, place)).map((one) => ({ ...one, evidence }));
    });
  });
  return found.filter(
    (one, index) =>
      found.findIndex(({ path, kind }) => path === one.path && kind === one.kind) === index,
  );
}

interface FileScope {
  readonly scope: PathScope;
  readonly names: Map<string, string>;
}

function scopeOf(
  path: string,
  { root }: VolumeRequest,
  instance: string,
  shared: ReadonlyMap<string, string>,
): FileScope {
  const file = insideApp(path);
  const names = new Map([
    ['instance_path', instance],
    ['root_path', posix.dirname(file)],
  ]);
  const lookUp = (name: string): string | undefined => names.get(name) ?? shared.get(name);
  return { names, scope: { file, directory: insideApp(root), lookUp } };
}

/** Constants are known in every file, other names in their own. */
function remember(
  { text }: LogicalLine,
  { scope, names }: FileScope,
  shared: Map<string, string>,
): void {
  const [all, target = ''] = ASSIGNMENT.exec(text) ?? [];
  if (all === undefined) return;
  const name = /\[["'](\w+)["']\]$/.exec(target)?.[1] ?? target;
  const value = evaluatePath(text.slice(all.length), scope);
  if (value === undefined || value === '') return;
  names.set(name, value);
  if (/^[A-Z][A-Z0-9_]+$|^base_?dir$/.test(name) && !shared.has(name)) shared.set(name, value);
}

const RULES: readonly Rule[] = [
  (line, place) => values(line, MAKES, place).map((path) => made(path)),
  ({ text }, { scope }) => {
    const receiver = MAKES_SELF.exec(text)?.[1];
    const path =
      receiver === undefined ? undefined : absolute(evaluatePath(receiver, scope), scope);
    return path === undefined ? [] : [made(path)];
  },
  (line, place) =>
    place.request.isDjango && /\bMEDIA_ROOT\b/.test(line.text)
      ? []
      : values(line, UPLOADS, place).map((path) => directory(path, 'uploads are kept there')),
  (line, place) =>
    [...values(line, HANDLERS, place), ...values(line, BASIC_CONFIG, place)].map(log),
  (line, place) =>
    /FileHandler/.test(line.text) ? values(line, HANDLER_FILES, place).map(log) : [],
  (line, place) =>
    values(line, LOGURU, place)
      .filter((path) => /\.(log|txt|json)$/.test(path))
      .map(log),
  sqliteUrls,
  (line, place) =>
    values(line, SQLITE_FILE, place).map((path) => file(path, 'a SQLite database or data file')),
  (line, place) =>
    values(line, DATABASE_NAME, place)
      .filter((path) => DATABASE_SUFFIX.test(path))
      .map((path) => file(path, 'a SQLite database')),
  (line, place) =>
    values(line, WRITES, place).map((path) => ({ ...file(path, 'is written'), isSure: false })),
  ({ text }, { request, instance }) =>
    !request.isDjango && INSTANCE.test(text)
      ? [directory(instance, "Flask's instance folder")]
      : [],
];

function sqliteUrls({ text }: LogicalLine, { scope, request, instance }: Place): readonly Found[] {
  if (request.usesDatabase) return [];
  return [...text.matchAll(SQLITE_URL)].flatMap(({ index }) => {
    const url = evaluatePath(text.slice(index), scope);
    const path = url?.replace(/^sqlite(?:\+\w+)?:\/\/\//, '').replace(/[?#].*$/, '');
    if (path === undefined || path === '' || path === url || path.includes(':memory:')) return [];
    const isRelative = !path.startsWith('/');
    // Since version 3 relative to the instance folder.
    if (isRelative && request.dependencies.includes('flask-sqlalchemy')) {
      return [directory(instance, 'Flask-SQLAlchemy keeps its SQLite database there')];
    }
    const at = absolute(path, scope);
    return at === undefined ? [] : [file(at, 'a SQLite database')];
  });
}

/** What follows each match, as an absolute path. */
function values({ text }: LogicalLine, pattern: RegExp, { scope }: Place): string[] {
  return [...text.matchAll(pattern)].flatMap((match) => {
    const value = evaluatePath(text.slice(match.index + match[0].length), scope);
    return absolute(value, scope) ?? [];
  });
}

function absolute(value: string | undefined, { directory: base }: PathScope): string | undefined {
  if (value === undefined || value === '' || /[:{}%*?<>\s]/.test(value)) return undefined;
  const path = posix.normalize(value.startsWith('/') ? value : `${base}/${value}`);
  return path.length > 1 ? path.replace(/\/$/, '') : path;
}

const directory = (path: string, why: string): Found => ({
  path,
  kind: 'directory',
  isSure: true,
  why,
});
const file = (path: string, why: string): Found => ({ path, kind: 'file', isSure: true, why });
const made = (path: string): Found => ({
  ...directory(path, 'the project makes this directory'),
  isSure: false,
});
const log = (path: string): Found => ({ ...file(path, 'a log is written there'), isSure: false });
