// Control groups of an installation, whatever the layout (v1, hybrid, v2) of this machine.
import { readdir, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Mark } from './mark.ts';

/** Groups of every hierarchy, children before parents. */
export async function findCgroups({ cgroup, daemonCgroup }: Mark): Promise<string[]> {
  const root = '/sys/fs/cgroup';
  const names = await readdir(root).catch(() => []);
  const hierarchies = [root, ...names.map((name) => join(root, name))];
  const groups = hierarchies.flatMap((each) => [join(each, cgroup), join(each, daemonCgroup)]);
  const found = await Promise.all(groups.map(descendants));
  return found.flat();
}

export async function removeCgroups(mark: Mark): Promise<void> {
  for (const group of await findCgroups(mark)) await rmdir(group).catch(() => undefined);
}

async function descendants(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => undefined);
  if (entries === undefined) return [];
  const children = entries.filter((entry) => entry.isDirectory());
  const below = await Promise.all(children.map(({ name }) => descendants(join(directory, name))));
  return [...below.flat(), directory];
}
