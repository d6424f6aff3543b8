// The files that the resolver reads, made anew from the source: in UTF-8, in its own dialect, and with
// what we add. Written before any code of the project has run, so nothing lies in the way.
import { chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { BuildSession } from '../build-session.ts';
import type { DependencySource } from '../detect/dependency-files.ts';
import { under, type SourceTree } from '../detect/source-tree.ts';
import { forResolver } from './pip-dialect.ts';
import type { PrivateIndexes } from './private-indexes.ts';

const INSIDE = '/build/input';

/** Arguments that name them, as they are called inside. */
export async function writeResolverInput(
  session: BuildSession,
  source: DependencySource,
  tree: SourceTree,
  indexes: PrivateIndexes,
): Promise<string[]> {
  const root = join(session.disk.work, 'input');
  const write = async (path: string, text: string): Promise<string> => {
    await mkdir(join(root, dirname(path)), { recursive: true });
    await writeFile(join(root, path), text, { mode: 0o644 });
    return join(INSIDE, path);
  };
  if (source.preferred !== undefined) await writeOutput(session, source.preferred);
  const more: string[] = [];
  if (indexes.lines.length > 0) {
    more.push(await write('tandem-indexes.in', `${indexes.lines.join('\n')}\n`));
  }
  const file = source.files[0] ?? '';
  // Its tables are found beside it.
  if (source.kind === 'pyproject') return [under('/app', file), ...more];
  const generated = generatedText(source);
  const included = generated === undefined || /^-r /m.test(generated) ? source.files : [];
  for (const path of included) {
    const text = tree.read(path);
    if (text !== undefined) await write(path, forResolver(text));
  }
  if (generated === undefined) return [join(INSIDE, file), ...more];
  return [await write(under(source.directory, 'tandem.in'), forResolver(generated)), ...more];
}

/** Undefined when the first file says it all. */
export function generatedText(source: DependencySource): string | undefined {
  const { requirements, installProject, directory, files } = source;
  const file = (files[0] ?? '').slice(directory === '' ? 0 : directory.length + 1);
  const text = requirements ?? (installProject ? `-r ${file}\n` : undefined);
  if (text === undefined || !installProject || /^-e \.(\[|$)/m.test(text)) return text;
  return `${text}-e .\n`;
}

/** The resolver keeps the versions that its output file already names, where it can. */
async function writeOutput(session: BuildSession, text: string): Promise<void> {
  const path = join(session.disk.work, 'lock.txt');
  await writeFile(path, text, { mode: 0o644 });
  const { buildUid } = session.request;
  await chown(path, buildUid, buildUid);
}
