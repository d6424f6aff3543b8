// Whether a directory belongs to the hierarchy of cgroup v2, as opposed to one of v1.
import { statfsSync } from 'node:fs';

/** statfs(2) */
const CGROUP2_MAGIC = 0x63677270;

export function isCgroup2(path: string): boolean {
  try {
    return statfsSync(path).type === CGROUP2_MAGIC;
  } catch {
    return false;
  }
}
