// setup.py and setup.cfg: the project says its dependencies when it is built, so it is installed.
import { normalizeName, requirementName } from '../requirements-file.ts';
import { hasFile, under, type SourceTree } from '../source-tree.ts';
import { linesFrom, sourceOf, type Candidate } from './dependency-source.ts';
import { readIni } from './ini-file.ts';
import { isForProduction } from './production-names.ts';
import { setupScript } from './setup-script.ts';

/** Its dependencies are asked for by `-e .`, so that they and the project come together. */
export function setupIn(
  tree: SourceTree,
  directory: string,
  wished: readonly string[],
): Candidate | undefined {
  const script = setupScript(tree, directory) === undefined ? [] : [under(directory, 'setup.py')];
  const configuration = [under(directory, 'setup.cfg')].filter((path) => hasFile(tree, path));
  const files = [...script, ...configuration];
  // A setup.cfg that only configures tools describes no project.
  if (script.length === 0 && setupName(tree, directory) === undefined) return undefined;
  const requirements = setupRequirements(tree, directory);
  const extras = setupExtras(tree, directory, wished);
  const own = extras.length === 0 ? '-e .' : `-e .[${extras.join(',')}]`;
  const source = sourceOf('requirements', {
    directory,
    files,
    lines: files.flatMap((path) => {
      const text = tree.read(path) ?? '';
      return linesFrom(
        text,
        path,
        requirements.filter(({ file }) => file === path).map((one) => one.text),
      );
    }),
    requirements: `${own}\n`,
    wished,
    namesPaths: true,
    installProject: true,
  });
  return { source, why: 'the project itself is installed' };
}

interface SetupRequirement {
  readonly file: string;
  readonly text: string;
}

/** As far as text shows: what `install_requires` lists literally. */
function setupRequirements(tree: SourceTree, directory: string): SetupRequirement[] {
  const script = under(directory, 'setup.py');
  const list =
    /install_requires\s*=\s*[[(]([^\])]*)/.exec(setupScript(tree, directory) ?? '')?.[1] ?? '';
  const literal = [...list.matchAll(/(["'])(.*?)\1/g)].map(([, , text = '']) => text);
  const configuration = under(directory, 'setup.cfg');
  const options = readIni(tree.read(configuration) ?? '')['options'] ?? {};
  const listed = (options['install_requires'] ?? '').split(/[\n;]/).map((line) => line.trim());
  return [
    ...literal.map((text) => ({ file: script, text })),
    ...listed.map((text) => ({ file: configuration, text })),
  ].filter(({ text }) => requirementName(text) !== undefined);
}

export function setupName(tree: SourceTree, directory: string): string | undefined {
  const configured = readIni(tree.read(under(directory, 'setup.cfg')) ?? '')['metadata']?.['name'];
  const script = setupScript(tree, directory) ?? '';
  const name = configured ?? /\bname\s*=\s*["']([\w.-]+)["']/.exec(script)?.[1];
  return name === undefined ? undefined : normalizeName(name.trim());
}

function setupExtras(tree: SourceTree, directory: string, wished: readonly string[]): string[] {
  const configuration = readIni(tree.read(under(directory, 'setup.cfg')) ?? '');
  const listed = Object.keys(configuration['options.extras_require'] ?? {});
  const script = setupScript(tree, directory) ?? '';
  const table = /extras_require\s*=\s*\{([^}]*)\}/.exec(script);
  const literal = [...(table?.[1] ?? '').matchAll(/["']([\w.-]+)["']\s*:/g)];
  return [...listed, ...literal.map(([, name = '']) => name)].filter((name) =>
    isForProduction(name, wished),
  );
}
