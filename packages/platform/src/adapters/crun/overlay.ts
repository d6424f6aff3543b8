// A read-only root from a stack of layers: overlayfs without an upper directory.
import { readFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { COMMAND_ENV, runCommand, runToExit } from '../../lib/run-command.ts';

/** The kernel takes one page of mount options, and overlayfs 500 layers. */
const OPTION_BYTES_MAX = 4_095;
/**
 * The call mount(2): that which mount(8) of util-linux 2.39 and later prefers takes no option of more
 * than 256 characters, and the names of four layers are more.
 */
const MOUNT_ENV = { ...COMMAND_ENV, LIBMOUNT_FORCE_MOUNT2: 'always' };
const UNMOUNT_ATTEMPTS_MAX = 5;
const TIMEOUT_MS = 10_000;

/** `directories`: topmost first, at least two. */
export async function mountOverlay(directories: readonly string[], target: string): Promise<void> {
  const { cwd, lowerdir } = lowerDirectories(directories);
  const options = `ro,nosuid,nodev,lowerdir=${lowerdir}`;
  if (options.length > OPTION_BYTES_MAX) {
    throw new TandemError('SANDBOX_FAILED', `too many layers: ${directories.length}`, {
      hint: 'use fewer layers: the kernel takes about sixty',
    });
  }
  const argv = ['mount', '-t', 'overlay', '-o', options, 'tandem', target] as const;
  await runCommand([...argv], {
    timeoutMs: TIMEOUT_MS,
    env: MOUNT_ENV,
    ...(cwd === undefined ? {} : { cwd }),
  });
}

/** No error when nothing is mounted there. */
export async function unmountAll(target: string): Promise<void> {
  for (let attempt = 0; await isMounted(target); attempt += 1) {
    // Lazy when somebody looks into it: it goes when they leave.
    const how = attempt === 0 ? [] : ['--lazy'];
    const result = await runToExit(['umount', ...how, target], { timeoutMs: TIMEOUT_MS });
    if (result.exitCode !== 0 && attempt > UNMOUNT_ATTEMPTS_MAX) {
      throw new Error(`${target} cannot be unmounted: ${result.stderr.trim()}`);
    }
  }
}

/**
 * Layers that lie side by side are named relative to their directory, which is given to mount(8) as
 * its working directory: names of 64 digits instead of whole paths, so more of them fit.
 */
export function lowerDirectories(directories: readonly string[]): {
  cwd: string | undefined;
  lowerdir: string;
} {
  const unusable = directories.find((path) => /[:,\\\s]/.test(path));
  if (unusable !== undefined) {
    throw new TandemError('SANDBOX_FAILED', `overlayfs cannot name the directory ${unusable}`);
  }
  const cwd = dirname(directories.at(-1) ?? '/');
  const names = directories.map((path) => (dirname(path) === cwd ? basename(path) : path));
  return { cwd, lowerdir: names.join(':') };
}

async function isMounted(path: string): Promise<boolean> {
  const mounts = await readFile('/proc/self/mountinfo', 'utf8');
  return mounts.split('\n').some((line) => line.split(' ')[4] === path);
}
