// Joins a path that comes from elsewhere below a root, and proves that it stays there. Says nothing
// about symbolic links: for trees that others can write, open without following them.
import { join, resolve, sep } from 'node:path';

export function safeJoin(root: string, path: string): string {
  const base = resolve(root);
  const joined = join(base, path);
  const inside = joined === base || joined.startsWith(base === sep ? sep : base + sep);
  if (!inside || path.includes('\0')) {
    throw new Error(`path ${JSON.stringify(path)} leaves ${base}`);
  }
  return joined;
}
