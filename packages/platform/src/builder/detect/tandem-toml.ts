// tandem.toml, or [tool.tandem] in pyproject.toml: what the user says overrides what we detect.
// Strict: an unknown key is refused by name and line, because a typo would silently do nothing.
import { TandemError, type ErrorCode } from '@tandem/protocol';
import { parse, TomlError } from 'smol-toml';
import * as v from 'valibot';
import type { SourceTree } from './source-tree.ts';

/** The platform's own: another value would break the app in ways hard to see. */
export const RESERVED_VARIABLE = /^(?:PORT|HOME|PATH|VIRTUAL_ENV|TANDEM_\w*)$/;
const Command = v.pipe(v.string(), v.trim(), v.nonEmpty('must not be empty'));
const ProcessName = v.pipe(
  v.string(),
  v.regex(/^[a-z][a-z0-9-]{0,29}$/, 'must be lower-case letters, digits and dashes'),
);
const RelativePath = v.pipe(
  v.string(),
  v.transform((path) => path.replace(/^\.(?:\/|$)|\/+$/g, '')),
  v.check((path) => !/^\/|(?:^|\/)\.\.(?:\/|$)/.test(path), 'must lie in the source'),
);
const VariableName = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of a variable'),
  v.check((name) => !RESERVED_VARIABLE.test(name), 'is set by the platform'),
);

const Schema = v.strictObject({
  /** Directory of the app, relative to the top of the source. */
  root: v.optional(v.string()),
  /** Python version or specifier: "3.12", ">=3.11". */
  python: v.optional(v.string()),
  /** Django settings module. */
  settings: v.optional(v.pipe(v.string(), v.regex(/^[\w.]+$/, 'must be a dotted module name'))),
  /** `package.module:attribute` of the WSGI or ASGI application. */
  entry: v.optional(v.pipe(v.string(), v.regex(/^[\w.]+:[\w.]+$/, 'must be MODULE:ATTRIBUTE'))),
  /** Requirements file, relative to the top of the source. */
  requirements: v.optional(v.string()),
  /** Dependency groups and extras to install beside those for production. */
  groups: v.optional(v.array(v.pipe(v.string(), v.regex(/^[\w.-]+$/, 'must be names of groups')))),
  /** Directories put on Python's path, relative to the top of the source; "" is the top. */
  pythonpath: v.optional(v.array(RelativePath)),
  /** Variables of the app; its config (`tandem config set`) goes before them. */
  env: v.optional(v.record(VariableName, v.string())),
  /** False: no settings overlay. */
  overlay: v.optional(v.boolean()),
  /** False: no collectstatic. A table: URLs that the static server answers. */
  static: v.optional(
    v.union([
      v.boolean(),
      v.record(
        v.string(),
        v.union([
          v.string(),
          v.strictObject({ path: v.string(), expires: v.optional(v.string()) }),
        ]),
      ),
    ]),
  ),
  /** Whether the app gets a PostgreSQL database. */
  database: v.optional(v.boolean()),
  /** Whether the app gets a Redis. */
  redis: v.optional(v.boolean()),
  /** Front end: false builds none; true builds one whose need cannot be seen. */
  node: v.optional(
    v.union([
      v.boolean(),
      v.strictObject({
        /** Of package.json, relative to the top of the source. */
        directory: v.optional(v.string()),
        /** Scripts of package.json, in order. */
        build: v.optional(v.union([Command, v.array(Command)])),
        /** Node.js version or range: "22", ">=20". */
        version: v.optional(v.string()),
      }),
    ]),
  ),
  packages: v.optional(
    v.strictObject({
      /** Debian packages: "libmagic1", "gdal-bin>=3", "libpq5=15.*". */
      apt: v.optional(v.array(v.pipe(v.string(), v.trim(), v.nonEmpty('must not be empty')))),
      /** False: only those, not what the Python packages are known to need. */
      automatic: v.optional(v.boolean()),
    }),
  ),
  /** Commands that make what the source lacks, before static files are collected. */
  build: v.optional(v.array(Command)),
  /** Commands of the release phase, instead of the detected ones. */
  release: v.optional(v.array(Command)),
  processes: v.optional(v.record(ProcessName, Command)),
  /** What must outlive releases; `detect = false`: nothing but `paths`. */
  volume: v.optional(
    v.strictObject({
      size: v.optional(v.string()),
      paths: v.optional(v.array(v.string())),
      detect: v.optional(v.boolean()),
    }),
  ),
});
export const TANDEM_KEYS: readonly string[] = Object.keys(Schema.entries);
export type TandemConfig = Readonly<v.InferOutput<typeof Schema>>;

export interface ConfigurationFile {
  readonly config: TandemConfig;
  readonly file: string;
}

/** Where each key is set: a file, or `file:line`. */
export type Origins = Readonly<Partial<Record<keyof TandemConfig, string>>>;

export function readTandemToml(tree: SourceTree): ConfigurationFile {
  const own = tree.read('tandem.toml');
  if (own !== undefined) {
    const table = parseToml(own, 'tandem.toml', 'TANDEM_TOML_INVALID');
    return { config: check(table, own, 'tandem.toml'), file: 'tandem.toml' };
  }
  const project = tree.read('pyproject.toml');
  const tool = project === undefined ? {} : parsePyproject(project, 'pyproject.toml').tool;
  const table = isTable(tool) ? tool['tandem'] : undefined;
  if (table === undefined) return { config: {}, file: 'tandem.toml' };
  return { config: check(table, project ?? '', 'pyproject.toml'), file: 'pyproject.toml' };
}

export function parsePyproject(text: string, file: string): Record<string, unknown> {
  return parseToml(text, file, 'PYPROJECT_INVALID');
}

export function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function parseToml(text: string, file: string, code: ErrorCode): Record<string, unknown> {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const reason = error.message.split('\n')[0]?.replace('Invalid TOML document: ', '') ?? '';
    const line = text.split('\n')[error.line - 1]?.trim() ?? '';
    throw new TandemError(code, `${file}:${error.line}: ${reason}.`, {
      where: `${file}:${error.line} ${line}`.trimEnd(),
      hint: `mend line ${error.line}; texts stand in quotes: KEY = "VALUE"`,
    });
  }
}

function check(table: unknown, text: string, file: string): TandemConfig {
  const result = v.safeParse(Schema, table);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const key = v.getDotPath(issue) ?? '';
  const where = `${file}:${lineOfKey(text, key)}`;
  const unknown = issue.type === 'strict_object' && issue.expected === 'never';
  const message = unknown ? `unknown key "${key}"` : `"${key}": ${issue.message}`;
  throw new TandemError('TANDEM_TOML_INVALID', `${where}: ${message}.`, {
    where,
    hint: `known keys: ${Object.keys(Schema.entries).join(', ')}`,
  });
}

/** The parser gives no positions of keys, so the last part of the path is looked for. */
function lineOfKey(text: string, path: string): number {
  const name = path.split('.').at(-1) ?? '';
  const escaped = name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const pattern = new RegExp(`^\\s*(\\[.*)?["']?${escaped}["']?\\s*[=\\]]`);
  const index = text.split('\n').findIndex((line) => pattern.test(line));
  return index + 1 || 1;
}
