// Packages of 2018 are built by a setuptools of 2018: what they ask of it has been taken out since
// (use_2to3 in version 58, names that nobody promised later). Pure but for the file.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const CONSTRAINT = 'setuptools<58\nwheel<0.38\n';
const FILE = 'build-constraints.txt';
const GONE =
  /cannot import name '\w+' from 'setuptools|use_2to3 is invalid|has no attribute '(Feature|_namespace_packages)'|error in .* setup command: .*(tests_require|extras_require)|No module named 'setuptools\.(_distutils|extern|command\.test)|invalid command 'bdist_wheel'/;

export function wantsOldSetuptools(log: string): boolean {
  return GONE.test(log);
}

/** Into the work directory of a step, /build inside; resolves to the environment that names it. */
export async function oldSetuptools(work: string): Promise<Record<string, string>> {
  await writeFile(join(work, FILE), CONSTRAINT, { mode: 0o644 });
  return { UV_BUILD_CONSTRAINT: `/build/${FILE}` };
}
