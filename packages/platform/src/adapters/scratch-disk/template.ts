// An empty file system per size, made once: copying its few hundred kilobytes is ten times faster
// than making one.
import { access, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedMutex } from '../../lib/mutex.ts';
import { ownedName } from '../../lib/owned-name.ts';
import { runCommand } from '../../lib/run-command.ts';

/** Raise when the options of mkfs change. */
const TEMPLATE_VERSION = 1;
const MKFS_TIMEOUT_MS = 60_000;
const making = new KeyedMutex();

export async function ensureTemplate(directory: string, sizeBytes: number): Promise<string> {
  const template = join(directory, `.template-v${TEMPLATE_VERSION}-${sizeBytes}`);
  await making.run(template, async () => {
    const exists = await access(template).then(
      () => true,
      () => false,
    );
    if (!exists) await make(template, directory, sizeBytes);
  });
  return template;
}

async function make(template: string, directory: string, sizeBytes: number): Promise<void> {
  const temporary = join(directory, await ownedName('template'));
  try {
    const file = await open(temporary, 'wx', 0o600);
    await file.truncate(sizeBytes).finally(() => file.close());
    await runCommand(mkfsArgv(temporary), { timeoutMs: MKFS_TIMEOUT_MS });
    // Without lost+found: a process expects its disk empty, and may not be able to delete it.
    await runCommand(['debugfs', '-w', '-R', 'rmdir lost+found', temporary], {
      timeoutMs: MKFS_TIMEOUT_MS,
    });
    await rename(temporary, template);
  } finally {
    await rm(temporary, { force: true });
  }
}

function mkfsArgv(file: string): [string, ...string[]] {
  const features = '^has_journal,^resize_inode,uninit_bg';
  const extended = 'lazy_itable_init=1,nodiscard,root_owner=0:0';
  // -m 0: no blocks reserved for root. -b: small disks would get blocks of 1 KiB.
  return ['mkfs.ext4', '-q', '-F', '-b', '4096', '-m', '0', '-O', features, '-E', extended, file];
}
