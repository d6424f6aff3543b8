// The Python of a project's Dockerfile: images called python, or with the version in their tag.
import { walkFiles, type SourceTree } from '../source-tree.ts';
import { classify } from '../dependencies/production-names.ts';
import type { PythonWish } from './python-wishes.ts';

const NAME = /^(.*\.)?(Dockerfile|Containerfile)(\..*)?$/i;
const DEPTH_MAX = 3;

/** Those for production first, those for development last. */
export function dockerfileWishes(tree: SourceTree): PythonWish[] {
  const files = walkFiles(tree, '', DEPTH_MAX).filter((path) =>
    NAME.test(path.split('/').at(-1) ?? ''),
  );
  const order = ['production', 'base', 'other', 'development'];
  const place = (path: string): number => order.indexOf(classify(path.replace(/dockerfile/i, '')));
  const sorted = files.toSorted((one, other) => place(one) - place(other));
  return sorted.flatMap((path) => wishOf(path, tree.read(path) ?? '') ?? []);
}

function wishOf(path: string, text: string): PythonWish | undefined {
  const values = new Map<string, string>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const argument = /^\s*ARG\s+(\w+)=["']?([^\s"']+)/i.exec(line);
    if (argument !== null) values.set(argument[1] ?? '', argument[2] ?? '');
    const image = /^\s*FROM\s+(?:--\S+\s+)*(\S+)/i.exec(line)?.[1];
    if (image === undefined) continue;
    const version = versionOf(substituted(image, values));
    if (version !== undefined) {
      return { specifier: version, evidence: `${path}:${index + 1}`, exact: true };
    }
  }
  return undefined;
}

function substituted(image: string, values: ReadonlyMap<string, string>): string {
  return image.replace(
    /\$\{?(\w+)(?::?-([^}]*))?\}?/g,
    (_, name: string, fallback?: string) => values.get(name) ?? fallback ?? '',
  );
}

/** `python:3.9-slim`, `registry.example/uv:python3.12-bookworm`; `python:3` says nothing. */
function versionOf(image: string): string | undefined {
  const named = /(?:^|\/)python:(\d+\.\d+(?:\.\d+)?)/.exec(image)?.[1];
  return named ?? /[:-]python-?(\d+\.\d+(?:\.\d+)?)/.exec(image)?.[1];
}
