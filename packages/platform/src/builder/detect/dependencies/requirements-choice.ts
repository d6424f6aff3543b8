// Which of the requirements files of one directory: for production before the general one, both when
// the production file only adds to it, a developer's only when there is nothing else.
import { hasCode } from '@tandem/protocol';
import { readRequirements, type RequirementsFile } from '../requirements-file.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { sourceOf, type Candidate } from './dependency-source.ts';
import { classify, rank, type NameClass } from './production-names.ts';

const NAME = /^(?:(.*)[-_.])?(?:requirements?|reqs|requires)(?:[-_.](.*))?\.(txt|in|pip)$/i;
const INSIDE = /^(.+)\.(txt|in|pip)$/i;
const DIRECTORIES = ['requirements', 'reqs', 'requirement'];

interface Listed {
  readonly path: string;
  /** What its name says beside "requirements": `prod`; '' for nothing. */
  readonly purpose: string;
}

interface Readable extends Listed {
  readonly class: NameClass;
  /** Undefined when it cannot be read: that matters once it is chosen. */
  readonly file?: RequirementsFile;
}

export function requirementsIn(tree: SourceTree, directory: string): Candidate | undefined {
  const readable = listed(tree, directory).map((one) => read(tree, one));
  const filled = readable.filter(({ file }) => file === undefined || asksForSomething(file));
  const best = (wanted: NameClass): Readable | undefined =>
    filled
      .filter((one) => one.class === wanted)
      .toSorted((one, other) => rank(one.purpose) - rank(other.purpose))[0];
  const [production, base] = [best('production'), best('base')];
  if (production !== undefined) {
    // A general file that leads to the one for production is meant as the whole.
    const leads = ({ file, path }: Readable): boolean =>
      path !== production.path && (file?.files.includes(production.path) ?? false);
    const whole = filled.find((one) => one.class === 'base' && leads(one));
    if (whole === undefined) return forProduction(tree, directory, production, base);
    const why = `includes ${production.path}`;
    return { source: requirementsSource(tree, [whole.path]), why };
  }
  const general = base ?? best('other');
  if (general !== undefined) return { source: requirementsSource(tree, [general.path]) };
  const developers = best('development');
  if (developers !== undefined) {
    const source = requirementsSource(tree, [developers.path]);
    return { source, isDevelopment: true, why: 'there is no file for production' };
  }
  const [empty] = readable;
  if (empty === undefined) return undefined;
  return { source: requirementsSource(tree, [empty.path]), isEmpty: true };
}

function forProduction(
  tree: SourceTree,
  directory: string,
  production: Readable,
  base: Readable | undefined,
): Candidate {
  if (base?.file === undefined || !onlyAdds(production.file, base.file)) {
    const why = base === undefined ? undefined : `for production; ${base.path} is not`;
    const source = requirementsSource(tree, [production.path]);
    return { source, ...(why === undefined ? {} : { why }) };
  }
  const source = requirementsSource(tree, [base.path, production.path], directory);
  return { source, why: `${production.path} adds to it for production` };
}

/**
 * It neither includes the general file nor repeats it. Two that were compiled apart may share what
 * their packages need, at one version.
 */
function onlyAdds(production: RequirementsFile | undefined, base: RequirementsFile): boolean {
  if (production === undefined || production.files.includes(base.path)) return false;
  const general = pinsOf(base);
  const shared = [...pinsOf(production)].filter(([name]) => general.has(name));
  const agrees = shared.every(([name, pin]) => pin !== undefined && pin === general.get(name));
  return agrees && shared.length * 2 < general.size;
}

/** Name -> version, where one is fixed. */
function pinsOf({ lines }: RequirementsFile): Map<string, string | undefined> {
  return new Map(
    lines.flatMap(({ name, text }) =>
      name === undefined ? [] : [[name, /==\s*([\w.!+-]+)/.exec(text)?.[1]] as const],
    ),
  );
}

/** Files that only a developer installs from. */
export function developmentFiles(tree: SourceTree, directory: string): string[] {
  const all = listed(tree, directory).filter(({ purpose }) => classify(purpose) === 'development');
  return all.map(({ path }) => path);
}

/** From one file, or from several that are read as one. */
export function requirementsSource(
  tree: SourceTree,
  paths: readonly string[],
  directory = directoryFor(paths[0] ?? ''),
) {
  const read = paths.map((path) => readRequirements(tree, path));
  const lines = read.flatMap((one) => one.lines);
  const from = (path: string): string => path.slice(directory === '' ? 0 : directory.length + 1);
  const together = paths.map((path) => `-r ${from(path)}\n`).join('');
  const isLocked = lines.length > 0 && lines.every(({ text }) => isHashed(text) || isOption(text));
  return sourceOf(isLocked && paths.length === 1 ? 'hashed-requirements' : 'requirements', {
    directory,
    files: [...new Set(read.flatMap((one) => one.files))],
    lines,
    constraints: read.flatMap((one) => one.constraints),
    namesPaths: read.some((one) => one.namesPaths),
    ...(paths.length > 1 ? { requirements: together } : {}),
  });
}

/** Paths in a requirements file are meant from where pip is started: beside `requirements/`. */
function directoryFor(path: string): string {
  const parts = path.split('/').slice(0, -1);
  if (DIRECTORIES.includes(parts.at(-1) ?? '')) parts.pop();
  return parts.join('/');
}

/** Every requirements file of the directory, whatever it is for. */
function listed(tree: SourceTree, directory: string): Listed[] {
  const inside = DIRECTORIES.map((name) => under(directory, name)).flatMap((path) =>
    files(tree, path).flatMap((name) => listedAs(under(path, name), INSIDE.exec(name), 1)),
  );
  const here = files(tree, directory).flatMap((name) => {
    const match = NAME.exec(name);
    return listedAs(under(directory, name), match, 2);
  });
  const all = [...here, ...inside];
  const compiled = (path: string): string => path.replace(/\.in$/, '.txt');
  return all.filter(
    ({ path }) => !path.endsWith('.in') || !all.some((one) => one.path === compiled(path)),
  );
}

function listedAs(path: string, match: RegExpExecArray | null, groups: number): Listed[] {
  if (match === null || /constraint/i.test(path)) return [];
  const purpose = match.slice(1, groups + 1).filter((part) => part !== undefined);
  return [{ path, purpose: purpose.join('-') }];
}

function files(tree: SourceTree, directory: string): string[] {
  return tree.list(directory).flatMap(({ name, kind }) => (kind === 'file' ? [name] : []));
}

function read(tree: SourceTree, listed: Listed): Readable {
  const { path, purpose } = listed;
  try {
    const file = readRequirements(tree, path);
    return { ...listed, file, class: classOf(file, purpose) };
  } catch (error) {
    if (!hasCode(error, 'REQUIREMENTS_INVALID')) throw error;
    return { ...listed, class: classify(purpose) };
  }
}

/** One that includes a developer's file is a developer's, whatever it is called. */
function classOf(file: RequirementsFile, purpose: string): NameClass {
  const own = classify(purpose);
  if (own === 'production') return own;
  const others = file.files.slice(1).map((path) => path.split('/').at(-1) ?? '');
  const classes = others.map((name) => classify(name.replace(/\.\w+$/, '')));
  if (classes.includes('development')) return 'development';
  return own;
}

function asksForSomething({ lines }: RequirementsFile): boolean {
  return lines.some(({ text }) => !isOption(text));
}

function isOption(text: string): boolean {
  return text.startsWith('-') && !/^(-e|--editable)\b/.test(text);
}

/** As pip-compile writes it: one version, its hashes. */
function isHashed(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]*(\[[^\]]*\])?\s*==/.test(text) && text.includes('--hash=');
}
