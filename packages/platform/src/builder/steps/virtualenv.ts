// The skeleton of /venv, written by hand: a virtualenv is a file and three links, and making it so
// costs no process.
import { chown, lchown, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Toolchain } from './toolchain.ts';

export async function layOutVirtualenv(
  directory: string,
  toolchain: Toolchain,
  uid: number,
): Promise<string> {
  const { interpreter, minor } = toolchain;
  const bin = join(directory, 'bin');
  const library = join(directory, 'lib', `python${minor}`);
  const sitePackages = join(library, 'site-packages');
  await mkdir(bin, { recursive: true });
  await mkdir(sitePackages, { recursive: true });
  const configuration = [
    `home = ${dirname(interpreter.executable)}`,
    'include-system-site-packages = false',
    `version = ${interpreter.version}`,
    '',
  ].join('\n');
  await writeFile(join(directory, 'pyvenv.cfg'), configuration);
  await symlink(interpreter.executable, join(bin, 'python'));
  for (const name of ['python3', `python${minor}`]) await symlink('python', join(bin, name));
  for (const path of [directory, bin, join(directory, 'lib'), library, sitePackages]) {
    await chown(path, uid, uid);
  }
  for (const name of ['python', 'python3', `python${minor}`])
    await lchown(join(bin, name), uid, uid);
  return sitePackages;
}
