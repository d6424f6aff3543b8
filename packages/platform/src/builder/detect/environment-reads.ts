// Which environment variables a project reads when it is imported, and whether it can do without
// them: os.environ, django-environ, environs, python-decouple, starlette and pydantic settings.
import type { LogicalLine } from './python-source.ts';
import { logicalLines } from './python-source.ts';
import type { SourceTree } from './source-tree.ts';

export interface EnvironmentRead {
  readonly name: string;
  /** Read where an import comes by, without a default and without a question before it. */
  readonly required: boolean;
  /** Without a default, though perhaps under a condition. */
  readonly bare: boolean;
  /** `file:line` */
  readonly evidence: string;
  /** What the value becomes: the key of a dict (`HOST`) or the name assigned (`SECRET_KEY`). */
  readonly target: string | undefined;
  /** Keys of the dictionaries around it, outermost first: `default`, `HOST`. */
  readonly path: readonly string[];
  /** The setting that the whole line assigns, such as `DATABASES`; '' outside of an assignment. */
  readonly setting: string;
  /** How it is read: `list`, `bool`, `db` ...; '' when as text. */
  readonly cast: string;
}

const NAME = String.raw`\(?\s*(?:["'])([A-Za-z_]\w*)["']`;
/** Readers that raise when the variable is missing and no default is given. */
const SUBSCRIPT = /\b(?:os\.)?environ\[\s*["']([A-Za-z_]\w*)["']\s*\]/g;
const GET = new RegExp(String.raw`\b(?:os\.)?(?:environ\.get|getenv)${NAME}`, 'g');
const CALL = new RegExp(
  String.raw`\b(env|config|environ|_env|decouple\.config|get_env_variable|get_env|require_env|env_var)(?:\.(\w+))?${NAME}`,
  'g',
);
const QUIET_CASTS = new Set(['get', 'setdefault', 'pop', 'read_env', 'path', 'prefixed']);
const SCHEMA = /\b(?:environ\.)?Env\(/;

/** `called`: a factory that makes the application; what it reads itself counts. */
export function environmentReads(
  tree: SourceTree,
  files: readonly string[],
  called?: string,
): EnvironmentRead[] {
  const lines = files.flatMap((file) => importedLines(tree.read(file) ?? '', file, called));
  const answered = new Set(lines.flatMap(({ text }) => schemaNames(text)));
  const reads = lines.flatMap(readsOfLine);
  const given = { required: false, bare: false };
  return reads.map((read) => (answered.has(read.name) ? { ...read, ...given } : read));
}

interface PlacedLine extends LogicalLine {
  readonly file: string;
  /** Under an `if`, `try`, `with` ...: it may never run. */
  readonly conditional: boolean;
}

/** Lines that run at import: at the top or in the body of a class, never in a function but `called`. */
function importedLines(source: string, file: string, called: string | undefined): PlacedLine[] {
  const placed: PlacedLine[] = [];
  const blocks: { indent: number; kind: 'function' | 'class' | 'other' }[] = [];
  for (const line of logicalLines(source)) {
    while ((blocks.at(-1)?.indent ?? -1) >= line.indent) blocks.pop();
    const inFunction = blocks.some(({ kind }) => kind === 'function');
    const conditional = blocks.some(({ kind }) => kind === 'other');
    if (!inFunction) placed.push({ ...line, file, conditional });
    const [, name] = /^(?:async )?def\s+(\w+)/.exec(line.code) ?? [];
    const isCalled = name !== undefined && name === called && line.indent === 0;
    if (name !== undefined && !isCalled) blocks.push({ indent: line.indent, kind: 'function' });
    else if (isCalled || /^class\b/.test(line.code))
      blocks.push({ indent: line.indent, kind: 'class' });
    else if (line.code.endsWith(':')) blocks.push({ indent: line.indent, kind: 'other' });
  }
  return placed;
}

function readsOfLine(line: PlacedLine): EnvironmentRead[] {
  const { text, code } = line;
  if (!/environ|getenv|env|config/.test(code)) return [];
  const setting = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=[^=]/.exec(code)?.[1] ?? '';
  const isFallback = /\bif\b|\bor\b/.test(code);
  const place = (match: RegExpMatchArray) => {
    const path = keysAround(text.slice(0, match.index));
    const target = path.at(-1) ?? (setting === '' ? undefined : setting);
    return { evidence: `${line.file}:${line.line}`, path, target, setting };
  };
  const raises = !line.conditional && !isFallback;
  return [
    ...[...text.matchAll(SUBSCRIPT)]
      .filter((match) => !/^\s*=[^=]/.test(text.slice((match.index ?? 0) + match[0].length)))
      .map((match) => ({
        ...place(match),
        name: match[1] ?? '',
        required: raises,
        bare: true,
        cast: '',
      })),
    ...[...text.matchAll(GET)].map((match) => {
      const bare = isUsedAtOnce(text, match);
      return { ...place(match), name: match[1] ?? '', required: raises && bare, bare, cast: '' };
    }),
    ...[...text.matchAll(CALL)].flatMap((match) => {
      const [whole, , cast = '', name = ''] = match;
      if (QUIET_CASTS.has(cast) || !/[A-Z]/.test(name)) return [];
      const rest = argumentsAfter(text.slice((match.index ?? 0) + whole.length));
      const bare = !hasDefault(rest);
      return [
        { ...place(match), name, required: raises && bare, bare, cast: cast || castOf(rest) },
      ];
    }),
  ];
}

/** `environ.get("HOSTS").split()`, `int(getenv("SIZE"))`: None will not do. */
function isUsedAtOnce(text: string, match: RegExpMatchArray): boolean {
  const end = (match.index ?? 0) + match[0].length;
  const rest = argumentsAfter(text.slice(end));
  if (hasDefault(rest)) return false;
  const before = text.slice(0, match.index);
  return text.slice(end + rest.length).startsWith(').') || /\b(int|float)\(\s*$/.test(before);
}

/** `{'default': {'HOST': env(...)` -> default, HOST */
function keysAround(text: string): string[] {
  const keys: (string | undefined)[] = [];
  let key: string | undefined;
  for (const [token, name] of text.matchAll(/["'](\w+)["']\s*:|[{}]/g)) {
    if (name !== undefined) key = name;
    else if (token === '{') keys.push(key);
    else if (token === '}') key = keys.pop();
  }
  return [...keys.slice(1), key].filter((one) => one !== undefined);
}

/** What stands between the name and the bracket that closes the call. */
function argumentsAfter(text: string): string {
  let depth = 1;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if ('([{'.includes(character)) depth += 1;
    if (')]}'.includes(character)) depth -= 1;
    if (depth === 0) return text.slice(0, at);
  }
  return text;
}

/** A second positional argument counts as one, but not where a cast stands there alone. */
function hasDefault(rest: string): boolean {
  if (/\bdefault\s*=/.test(rest)) return true;
  const [, second = ''] = rest.split(',').map((part) => part.trim());
  return second !== '' && !/^\w+\s*=/.test(second);
}

function castOf(rest: string): string {
  return /\bcast\s*=\s*(\w+)/.exec(rest)?.[1]?.toLowerCase() ?? '';
}

/** `environ.Env(DEBUG=(bool, False))`: names with a default of their own. */
function schemaNames(text: string): string[] {
  if (!SCHEMA.test(text)) return [];
  return [...text.matchAll(/\b([A-Z]\w*)\s*=\s*\(\s*\w+\s*,/g)].map(([, name = '']) => name);
}
