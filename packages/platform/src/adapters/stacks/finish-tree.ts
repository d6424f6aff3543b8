// Turns a fresh Debian tree into the root of a sandbox: mount points, no leftovers, bytecode that
// is valid in an image whose times are all zero.
import { constants } from 'node:fs';
import { appendFile, glob, mkdir, readdir, realpath, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../../lib/run-command.ts';
import { CONTAINED } from './mmdebstrap.ts';
import type { Recipe } from './recipe.ts';

/** A sandbox sees its root read-only, so whatever is mounted inside must be there already. */
export const MOUNT_POINTS = [
  'app',
  'build',
  'data',
  'dev',
  'home/app',
  'opt/python',
  'opt/tandem/additions',
  'opt/tandem/overlay',
  'opt/tandem/runtime',
  'proc',
  'run/postgresql',
  'run/tandem',
  'static',
  'sys',
  'tmp',
  'var/tmp',
  'venv',
] as const;

/** Files that others are bound over. They say what this machine looks like until then: emptied. */
const EMPTY_FILES = ['etc/hosts', 'etc/hostname', 'etc/resolv.conf', 'run/tandem/result'] as const;

const COMPILE_TIMEOUT_MS = 180_000;

export async function finishTree(
  treePath: string,
  recipe: Recipe,
  signal: AbortSignal,
): Promise<void> {
  const tree = await realpath(treePath);
  for (const pattern of recipe.remove) await remove(tree, pattern);
  for (const [path, text] of Object.entries(recipe.append ?? {})) {
    await appendFile(join(tree, path), text, { flag: constants.O_WRONLY | constants.O_APPEND });
  }
  // Devices and sockets: the sandbox makes its own /dev, /run and /tmp.
  for (const path of ['dev', 'run', 'tmp', 'var/tmp']) await remove(tree, path);
  for (const path of MOUNT_POINTS) await mkdir(join(tree, path), { recursive: true, mode: 0o755 });
  for (const path of EMPTY_FILES) {
    await rm(join(tree, path), { force: true });
    await writeFile(join(tree, path), '', { mode: 0o644, flag: 'wx' });
  }
  await writeFile(join(tree, 'etc/timezone'), 'Etc/UTC\n');
  await compileStandardLibrary(tree, signal);
}

/** A link in the tree may point at this machine's own files: nothing is removed through one. */
async function remove(tree: string, pattern: string): Promise<void> {
  for await (const path of glob(pattern, { cwd: tree })) {
    const parent = join(tree, dirname(path));
    if ((await realpath(parent)) !== parent) continue;
    await rm(join(tree, path), { recursive: true, force: true });
  }
}

/** Debian's bytecode records the time of its source, which packing sets to zero. */
async function compileStandardLibrary(tree: string, signal: AbortSignal): Promise<void> {
  const names = await readdir(join(tree, 'usr/bin'));
  const python = names.find((name) => /^python3\.\d+$/.test(name));
  if (python === undefined) return;
  const argv = ['chroot', tree, python, '-m', 'compileall', '-q', '-f'];
  argv.push('--invalidation-mode', 'unchecked-hash', `/usr/lib/${python}`, '/usr/lib/python3');
  await runCommand([...CONTAINED, ...argv] as [string, ...string[]], {
    timeoutMs: COMPILE_TIMEOUT_MS,
    signal,
  });
}
