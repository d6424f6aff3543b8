// Locks that a project brings in a form that pip does not read, as requirements with their hashes.
import { requirementsOfPipfileLock } from '../detect/dependencies/pipfile.ts';
import type { DependencySource } from '../detect/dependency-files.ts';
import type { SourceTree } from '../detect/source-tree.ts';
import { requirementsOfPdmLock } from './pdm-lock.ts';
import { forResolver } from './pip-dialect.ts';
import { requirementsOfPoetryLock } from './poetry-lock.ts';
import { requirementsOfPylock } from './pylock.ts';

/** Options that decide where packages come from; the others say how pip should behave. */
const KEPT_OPTION =
  /^(-i|--index-url|--extra-index-url|-f|--find-links|--no-binary|--only-binary)\b/;

/** Undefined when something must be resolved, or uv reads the lock itself. */
export function projectLock(source: DependencySource, tree: SourceTree): string | undefined {
  const [path = '', origin = ''] = source.files;
  const text = tree.read(path) ?? '';
  const { kind, wished } = source;
  if (kind === 'poetry-lock') {
    const prefix = source.directory === '' ? '' : `${source.directory}/`;
    const requirements = requirementsOfPoetryLock(text, tree.read(origin) ?? '', wished);
    // Its paths are relative to its own directory.
    return requirements.replaceAll('file:///app/', `file:///app/${prefix}`);
  }
  if (kind === 'pdm-lock') return requirementsOfPdmLock(text, tree.read(origin) ?? '', wished);
  if (kind === 'pylock') return requirementsOfPylock(text, path, source);
  if (kind === 'pipfile-lock') return requirementsOfPipfileLock(text, path);
  return kind === 'hashed-requirements' ? hashedRequirements(source) : undefined;
}

function hashedRequirements({ lines }: DependencySource): string {
  const kept = lines.filter(({ text }) => !text.startsWith('-') || KEPT_OPTION.test(text));
  return forResolver(kept.map(({ text }) => `${text}\n`).join(''));
}
