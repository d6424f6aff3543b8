// Files that detection makes in the source, such as a settings file that git ignores. The tree is the
// project's: nothing in it is followed or overwritten.
import { constants } from 'node:fs';
import { chown, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { MadeFile } from '../detect/settings-hook.ts';

const NEW_FILE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

export async function makeFiles(
  source: string,
  files: readonly MadeFile[],
  uid: number,
): Promise<void> {
  for (const { path, text } of files) {
    const target = join(source, path);
    const directory = dirname(target);
    if ((await realpath(directory)) !== directory) continue;
    const file = await open(target, NEW_FILE, 0o644);
    try {
      await file.writeFile(text);
    } finally {
      await file.close();
    }
    await chown(target, uid, uid);
  }
}
