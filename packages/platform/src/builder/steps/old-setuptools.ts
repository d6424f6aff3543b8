// Packages of 2018 are built by a setuptools of 2018: what they ask of it has been taken out since
// (use_2to3 in version 58, names that nobody promised later). Pure but for the file.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const CONSTRAINT = 'setuptools<58\nwheel<0.38\n';
/** Version 46 took this out, which a few packages of 2017 import. */
const OLDER_CONSTRAINT = 'setuptools<46\nwheel<0.38\n';
const OLDER_GONE = /cannot import name 'Feature' from 'setuptools|has no attribute 'Feature'/;
const FILE = 'build-constraints.txt';
const GONE =
  /cannot import name '\w+' from 'setuptools|use_2to3 is invalid|has no attribute '(Feature|_namespace_packages)'|error in .* setup command: .*(tests_require|extras_require)|No module named 'setuptools\.(_distutils|extern|command\.test)|invalid command 'bdist_wheel'/;

export function wantsOldSetuptools(log: string): boolean {
  return GONE.test(log);
}

/** Into the work directory of a step, /build inside; resolves to the environment that names it. */
export async function oldSetuptools(work: string, log: string): Promise<Record<string, string>> {
  await writeFile(join(work, FILE), constraintFor(log), { mode: 0o644 });
  return { UV_BUILD_CONSTRAINT: `/build/${FILE}` };
}

export function constraintFor(log: string): string {
  return OLDER_GONE.test(log) ? OLDER_CONSTRAINT : CONSTRAINT;
}
