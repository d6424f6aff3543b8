// environment.yml of conda: its pip section, and what of its packages is a Python distribution that
// we know. The rest belongs to conda and is named.
import { readRequirements, requirementName } from '../requirements-file.ts';
import { under, type SourceTree } from '../source-tree.ts';
import { linesFrom, sourceOf, type Candidate } from './dependency-source.ts';
import { isKnownDistribution } from './imported-distributions.ts';

const FILES = ['environment.yml', 'environment.yaml'];

export function condaIn(tree: SourceTree, directory: string): Candidate | undefined {
  for (const path of FILES.map((name) => under(directory, name))) {
    const text = tree.read(path);
    if (text === undefined) continue;
    const { packages, pip } = environmentOf(text);
    const known = packages.filter((one) => isKnownDistribution(nameOf(one)));
    const requirements = [...known.map(requirementOfConda), ...pip];
    const included = pip.flatMap((one) => {
      const name = /^(?:-r\s*|--requirement[\s=]+)(\S+)/.exec(one)?.[1];
      return name === undefined ? [] : [readRequirements(tree, under(directory, name))];
    });
    const source = sourceOf('requirements', {
      directory,
      files: [path, ...included.flatMap((one) => one.files)],
      lines: [
        ...linesFrom(
          text,
          path,
          requirements.filter((one) => !one.startsWith('-')),
        ),
        ...included.flatMap((one) => one.lines),
      ],
      requirements: [...requirements, ''].join('\n'),
    });
    const ignored = packages.filter((one) => !known.includes(one));
    const notUnderstood = ignored.filter((one) => !/^(python|pip)\b/.test(one));
    return { source, isEmpty: requirements.length === 0, notUnderstood };
  }
  return undefined;
}

/** Only the two lists: a line for each item, the one of pip indented deeper. */
function environmentOf(text: string): { packages: string[]; pip: string[] } {
  const packages: string[] = [];
  const pip: string[] = [];
  let inside = false;
  let pipIndent = Infinity;
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.replace(/(^|\s)#.*$/, '');
    if (/^\S/.test(line) && !line.startsWith('-')) inside = line.startsWith('dependencies:');
    const [, indent = '', item] = /^(\s*)-\s+(.+)$/.exec(line) ?? [];
    if (!inside || item === undefined) continue;
    const value = item.trim().replace(/^(["'])(.*)\1$/, '$2');
    if (value === 'pip:') pipIndent = indent.length;
    else if (indent.length > pipIndent) pip.push(value);
    else packages.push(value.replace(/^[\w-]+::/, ''));
  }
  return { packages, pip };
}

function nameOf(item: string): string {
  return requirementName(item.replace(/=.*$/, '').trim()) ?? '';
}

/** `django=3.2` and `django=3.2.5=py39_0` mean 3.2.* and 3.2.5.* */
function requirementOfConda(item: string): string {
  const [, name = '', version] = /^([\w.-]+)\s*=\s*([\w.]+)/.exec(item) ?? [];
  return version === undefined ? item : `${name}==${version}.*`;
}
