// Starts things outside of the group of the caller: systemd ends what is left in the group of a unit
// or a login session when that ends.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isCgroup2 } from './cgroup2.ts';

const MOUNT_POINT = '/sys/fs/cgroup';

export interface CgroupLocation {
  readonly mountPoint: string;
  /** Groups of this process, from /proc/self/cgroup. */
  readonly own: string;
}

/**
 * Runs `spawn` while this process is in the group `path` of the hierarchies that systemd goes by, so
 * that its children are born there. Synchronous, lest anything else be born there too. Where the group
 * cannot be entered, children stay with this process.
 */
export function inCgroup<T>(path: string, spawn: () => T, at: CgroupLocation = here()): T {
  const own = hierarchiesOf(at);
  const entered = own.filter(({ root }) => enter(join(root, path)));
  try {
    return spawn();
  } finally {
    for (const { root, group } of entered) enter(join(root, group));
  }
}

function here(): CgroupLocation {
  return { mountPoint: MOUNT_POINT, own: readFileSync('/proc/self/cgroup', 'utf8') };
}

/** Resource controllers of v1 are left alone: being in their groups ends with nobody. */
function hierarchiesOf({ mountPoint, own }: CgroupLocation): { root: string; group: string }[] {
  const v2 = [mountPoint, join(mountPoint, 'unified')].find(isCgroup2);
  const roots = { '': v2, 'name=systemd': join(mountPoint, 'systemd') };
  return Object.entries(roots).flatMap(([name, root]) => {
    const group = new RegExp(`^\\d+:${name}:(.*)$`, 'm').exec(own)?.[1];
    return root === undefined || group === undefined ? [] : [{ root, group }];
  });
}

function enter(directory: string): boolean {
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'cgroup.procs'), String(process.pid));
    return true;
  } catch {
    return false;
  }
}
