// A project whose build imports the project itself, and with it what it depends on: alone, as builds
// run, it fails. So its dependencies are resolved from what its files list, installed first, and then
// the project, with them in reach.
import type { DependencySource } from '../detect/dependency-files.ts';
import { under, type SourceTree } from '../detect/source-tree.ts';
import { parsePyproject } from '../detect/tandem-toml.ts';
import { tableIn, texts } from '../detect/dependencies/pyproject-requirements.ts';

const PATH_LINE = /^((-e|--editable)[\s=]+)?(\.|\/|file:)|^[\w.-]+\s*(\[[^\]]*\])?\s*@\s*file:/;
const DEFAULT_BACKEND = ['setuptools', 'wheel'];

/** Whether the build of something of the source stopped at a module that is not there. */
export function buildNeedsModule(log: string): boolean {
  const named = /Failed to (?:download and )?build `([^`]+)`/.exec(log)?.[1];
  const isOfSource = named === undefined || /^file:|@\s*file:/.test(named);
  return (
    isOfSource &&
    (named !== undefined || log.includes('The build backend returned an error')) &&
    /(ModuleNotFoundError|ImportError): No module named/.test(log)
  );
}

/** Whether it is the project itself that could not be built, and no other path of the source. */
export function failedItself(log: string, paths: string): boolean {
  const isItself = /^-e \.(\[[^\]]*\])?\s*$/.test(paths);
  const named = /Failed to (?:download and )?build `([^`]+)`/.exec(log)?.[1];
  if (named !== undefined) return isItself && /^file:|@\s*file:/.test(named);
  return isItself && log.includes('The build backend returned an error');
}

/** The same without the project itself; undefined when no file lists what it needs. */
export function withoutItself(source: DependencySource): DependencySource | undefined {
  const lines = source.lines.filter(({ text }) => !PATH_LINE.test(text));
  if (lines.length === 0) return undefined;
  const requirements = lines.map(({ text }) => `${text}\n`).join('');
  return { ...source, kind: 'requirements', requirements, installProject: false };
}

/** A lock in two: paths of the source, and what they may import while they are built. */
export function apart(lock: string): { readonly paths: string; readonly rest: string } {
  const lines = lock.replace(/\\\r?\n/g, ' ').split(/\r?\n/);
  const joined = (wanted: boolean): string =>
    lines
      .filter((line) => PATH_LINE.test(line.trim()) === wanted)
      .map((line) => `${line}\n`)
      .join('');
  return { paths: joined(true), rest: joined(false) };
}

/** What the project is built with. */
export function buildRequirements(tree: SourceTree, directory: string): readonly string[] {
  const path = under(directory, 'pyproject.toml');
  const build = tableIn(parsePyproject(tree.read(path) ?? '', path), 'build-system');
  const listed = texts(build?.['requires']);
  return listed.length > 0 ? listed : DEFAULT_BACKEND;
}
