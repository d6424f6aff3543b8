// Detection with the interpreters of this node, and with one that is fetched when none of them fits.
import { TandemError } from '@tandem/protocol';
import type { BuilderOptions } from './collaborators.ts';
import { detect, type Detection } from './detect/detect.ts';
import { specifierOfPoetry } from './detect/dependencies/poetry-constraint.ts';
import { PythonUnavailable } from './detect/python/python-unavailable.ts';
import type { SourceTree } from './detect/source-tree.ts';

export type InterpreterChoice = Pick<BuilderOptions, 'interpreters' | 'fetchInterpreter'>;

export async function detectOnNode(
  { interpreters, fetchInterpreter }: InterpreterChoice,
  tree: SourceTree,
  config: Readonly<Record<string, string>>,
): Promise<Detection> {
  const known = interpreters.map(({ version }) => version);
  try {
    return detect(tree, { pythonVersions: known, config });
  } catch (error) {
    if (!(error instanceof PythonUnavailable) || fetchInterpreter === undefined) throw error;
    const { specifier } = error;
    if (specifier === undefined) throw error;
    const fetched = await fetchInterpreter(pep440(specifier)).catch((failure: unknown) => {
      throw afterAttempt(error, failure);
    });
    return detect(tree, { pythonVersions: [...new Set([...known, fetched.version])], config });
  }
}

/** `3.14` stays: it means the newest of its patches. */
function pep440(specifier: string): string {
  return /^\d/.test(specifier) ? specifier : specifierOfPoetry(specifier);
}

function afterAttempt(error: TandemError, failure: unknown): TandemError {
  const why = failure instanceof Error ? failure.message : String(failure);
  return new TandemError('PYTHON_UNAVAILABLE', `${error.message} ${why}`, {
    where: error.where,
    hint: [error.hint, failure instanceof TandemError ? failure.hint : undefined]
      .filter((line) => line !== undefined)
      .join('\n'),
    cause: failure,
  });
}
