// The scan directory on disk. s6-svscan may look at any time, so a service directory appears whole:
// it is made under a hidden name and renamed.
import { chmod, mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { ServiceFile } from './service-directory.ts';

/** `down` keeps a fresh service from starting before its turn; the supervisor removes it then. */
export const DOWN_FILE: ServiceFile = { path: 'down', content: '', executable: false };

export type Installed = 'new' | 'changed' | 'same';

export async function installService(
  scanDirectory: string,
  name: string,
  files: readonly ServiceFile[],
): Promise<Installed> {
  const directory = join(scanDirectory, name);
  const changed = await filterAsync(files, async (file) => {
    const path = join(directory, file.path);
    return (await readFile(path, 'utf8').catch(() => undefined)) !== file.content;
  });
  if (changed.length === 0) return 'same';
  if (await exists(directory)) {
    // In place, for s6-supervise may live in the directory.
    await writeFiles(directory, changed);
    return 'changed';
  }
  const draft = join(scanDirectory, `.${name}.new`);
  await rm(draft, { recursive: true, force: true });
  await writeFiles(draft, [...files, DOWN_FILE]);
  await rename(draft, directory);
  return 'new';
}

async function writeFiles(directory: string, files: readonly ServiceFile[]): Promise<void> {
  for (const file of files) {
    const path = join(directory, file.path);
    await mkdir(dirname(path), { recursive: true });
    await writeFileAtomic(path, file.content, file.executable ? 0o755 : 0o644);
    // Past the umask of whoever called us.
    await chmod(path, file.executable ? 0o755 : 0o644);
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}

async function filterAsync<T>(
  items: readonly T[],
  keep: (item: T) => Promise<boolean>,
): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_, index) => kept[index]);
}
