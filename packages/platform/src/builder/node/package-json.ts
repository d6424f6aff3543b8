// package.json as far as a build needs it. Written by people and tools: nothing in it is taken for
// what it should be.
import { TandemError } from '@tandem/protocol';
import { under, type SourceTree } from '../detect/source-tree.ts';

export interface PackageJson {
  readonly path: string;
  /** '' for the top of the source. */
  readonly directory: string;
  readonly text: string;
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
  readonly main: string | undefined;
  /** `pnpm@9.1.0+sha512...` */
  readonly packageManager: string | undefined;
  readonly voltaNode: string | undefined;
  readonly hasWorkspaces: boolean;
}

export function readPackageJson(tree: SourceTree, directory: string): PackageJson | undefined {
  const path = under(directory, 'package.json');
  const text = tree.read(path);
  if (text === undefined) return undefined;
  const json = parse(text, path);
  const string = (value: unknown): string | undefined =>
    typeof value === 'string' && value !== '' ? value : undefined;
  return {
    path,
    directory,
    text,
    scripts: strings(json['scripts']),
    dependencies: strings(json['dependencies']),
    devDependencies: strings(json['devDependencies']),
    optionalDependencies: strings(json['optionalDependencies']),
    engines: strings(json['engines']),
    main: string(json['main']),
    packageManager: string(json['packageManager']),
    voltaNode: strings(json['volta'])['node'],
    hasWorkspaces: json['workspaces'] !== undefined,
  };
}

/** Of a directory where the file may be a fixture or a template of something else. */
export function readSoundPackageJson(tree: SourceTree, directory: string): PackageJson | undefined {
  try {
    return readPackageJson(tree, directory);
  } catch {
    return undefined;
  }
}

/** `package.json:LINE` of a key, for findings. */
export function lineOfKey({ text, path }: PackageJson, key: string): string {
  const needle = JSON.stringify(key);
  const index = text.split('\n').findIndex((line) => line.trimStart().startsWith(needle));
  return index < 0 ? path : `${path}:${index + 1}`;
}

export function allDependencies(one: PackageJson): Record<string, string> {
  return { ...one.optionalDependencies, ...one.devDependencies, ...one.dependencies };
}

function parse(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    if (isTable(value)) return value;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw invalid(path, said);
  }
  throw invalid(path, 'it holds no object');
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function strings(value: unknown): Record<string, string> {
  if (!isTable(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

function invalid(path: string, said: string): TandemError {
  return new TandemError('PACKAGE_JSON_INVALID', `${path}: ${said}`, {
    where: path,
    hint: `see what is wrong with it: node -p "JSON.parse(fs.readFileSync('${path}', 'utf8'))"`,
  });
}
