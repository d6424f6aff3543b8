// Without a root of its own, a process sees the host's paths. What a spec names by its path inside
// (command, directory, environment) is looked up in mounts and layers and named by its host path.
import { access } from 'node:fs/promises';
import type { SandboxMount } from '../../ports/sandbox.ts';
import { safeJoin } from '../../lib/safe-join.ts';

export interface PathMap {
  readonly mounts: readonly SandboxMount[];
  /** Directories of the layers, topmost first. */
  readonly layers: readonly string[];
  /** Stands for /tmp. */
  readonly scratch: string;
}

/** `/venv/bin:/usr/bin` or one path; anything else stays as it is. */
export async function onHost(value: string, map: PathMap): Promise<string> {
  const parts = value
    .split(':')
    .map(async (part) => (part.startsWith('/') ? await locate(part, map) : part));
  return (await Promise.all(parts)).join(':');
}

async function locate(path: string, { mounts, layers, scratch }: PathMap): Promise<string> {
  const all = [...mounts, { source: scratch, target: '/tmp' }];
  const below = all.find(({ target }) => path === target || path.startsWith(`${target}/`));
  if (below !== undefined) return safeJoin(below.source, path.slice(below.target.length));
  for (const layer of layers) {
    const candidate = safeJoin(layer, path);
    if (path !== '/' && (await exists(candidate))) return candidate;
  }
  return path;
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
