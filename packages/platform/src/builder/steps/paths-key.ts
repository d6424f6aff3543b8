// What installed paths of the source add to a key. An editable install puts no code into the layer,
// only the project's metadata, so a change of code alone installs nothing again.
import type { BuildSession } from '../build-session.ts';
import { fileHash } from '../content-key.ts';
import type { DependencySource } from '../detect/dependency-files.ts';
import { hasFile, under, type SourceTree } from '../detect/source-tree.ts';

const METADATA_FILES = ['pyproject.toml', 'setup.py', 'setup.cfg', 'MANIFEST.in'];

export async function pathsKey(
  session: BuildSession,
  source: DependencySource,
  tree: SourceTree,
): Promise<unknown> {
  if (source.namesPaths && !isOnlyProject(source)) {
    return await fileHash(session.request.archivePath);
  }
  if (!source.namesPaths && !source.installProject) return undefined;
  return metadataTexts(tree, source.directory);
}

/** `-e .` alone. */
function isOnlyProject({ lines, requirements }: DependencySource): boolean {
  const own = /^(-e|--editable)[\s=]+\.\/?(\[[^\]]*\])?$/;
  const isPath = (text: string): boolean => /^(-e|--editable|\.|\/|file:)|@\s*file:/.test(text);
  const texts = [...lines.map(({ text }) => text), ...(requirements ?? '').split('\n')];
  return texts.filter(isPath).every((text) => own.test(text.trim()));
}

/** And what setup.py or pyproject.toml read: a README, the requirements, the file with the version. */
function metadataTexts(tree: SourceTree, directory: string): unknown {
  const texts = METADATA_FILES.map((name) => [name, tree.read(under(directory, name))]);
  const quoted = JSON.stringify(texts).matchAll(
    /["']([\w./-]+\.(?:txt|in|md|rst|py|cfg|toml))\\?["']/g,
  );
  const named = [...new Set([...quoted].map(([, name = '']) => name))].filter(
    (name) => !METADATA_FILES.includes(name) && hasFile(tree, under(directory, name)),
  );
  return [texts, named.map((name) => [name, tree.read(under(directory, name))])];
}
