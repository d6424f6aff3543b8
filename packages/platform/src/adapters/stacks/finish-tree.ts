// Turns a fresh Debian tree into the root of a sandbox: mount points, no leftovers, bytecode that
// is valid in an image whose times are all zero.
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
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

export async function finishTree(tree: string, recipe: Recipe, signal: AbortSignal): Promise<void> {
  for (const path of recipe.remove) await remove(tree, path);
  await removeLlvm(tree);
  // Devices and sockets: the sandbox makes its own /dev, /run and /tmp.
  for (const path of ['dev', 'run', 'tmp', 'var/tmp']) await remove(tree, path);
  for (const path of MOUNT_POINTS) await mkdir(join(tree, path), { recursive: true, mode: 0o755 });
  for (const path of EMPTY_FILES) {
    await remove(tree, path);
    await writeFile(join(tree, path), '', { mode: 0o644 });
  }
  await writeFile(join(tree, 'etc/timezone'), 'Etc/UTC\n');
  await compileStandardLibrary(tree, signal);
}

async function remove(tree: string, path: string): Promise<void> {
  await rm(join(tree, path), { recursive: true, force: true });
}

/** Comes with PostgreSQL for just-in-time compilation, which the recipe drops. */
async function removeLlvm(tree: string): Promise<void> {
  const libraries = join(tree, 'usr/lib');
  for (const triplet of await readdir(libraries)) {
    if (!triplet.endsWith('-linux-gnu')) continue;
    const names = await readdir(join(libraries, triplet));
    for (const name of names) {
      if (/^lib(LLVM|z3)\b/.test(name)) await remove(libraries, join(triplet, name));
    }
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
