// The disk of the platform itself runs full in the middle of a build: the deploy fails and says so,
// what serves goes on, and the next deploy works once there is room again.
import { randomBytes } from 'node:crypto';
import { mkdir, rm, statfs, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import {
  createInstallation,
  destroyInstallation,
  TestInstallation,
} from '../support/installation.ts';
import { StandingSite } from '../support/standing-site.ts';
import { TINY_DJANGO } from '../support/tiny-projects.ts';

const MIB = 1024 * 1024;
const DISK_BYTES = 900 * MIB;
const LEFT_BYTES = 40 * MIB;

it('a disk that fills up in a build', async () => {
  await withSmallDisk(async (directory) => {
    const place = await createInstallation([], directory);
    try {
      const t = await TestInstallation.open(place);
      const site = await StandingSite.deploy(t, 'cramped', TINY_DJANGO);
      const ballast = join(directory, 'ballast');
      await fill(ballast, LEFT_BYTES);
      await site.refuses(
        { 'site_one/settings.py': `${TINY_DJANGO['site_one/settings.py']}${WRITES_MUCH}` },
        {
          code: 'DISK_FULL',
          what: /disk of the platform is full: \d+ MiB are left/,
          where: directory,
          fix: /tandem apps/,
        },
      );
      await rm(ballast);
      await site.deployGood();
      expect((await t.client.status()).healthy).toBe(true);
      await site.destroy();
    } finally {
      await destroyInstallation(place);
    }
  });
});

const WRITES_MUCH = `
import os

with open("/app/much", "wb") as much:
    for _ in range(200):
        much.write(os.urandom(2**20))
    os.fsync(much.fileno())
`;

async function withSmallDisk(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = `/var/tmp/td-${randomBytes(3).toString('hex')}`;
  const image = `${directory}.img`;
  await mkdir(directory);
  await writeFile(image, '');
  await truncate(image, DISK_BYTES);
  const timeoutMs = 60_000;
  try {
    await runCommand(['mkfs.ext4', '-q', image], { timeoutMs });
    await runCommand(['mount', '-o', 'loop', image, directory], { timeoutMs });
    try {
      await work(directory);
    } finally {
      await runCommand(['umount', directory], { timeoutMs });
    }
  } finally {
    await rm(directory, { recursive: true });
    await rm(image);
  }
}

/** Leaves that much to root. */
async function fill(path: string, leftBytes: number): Promise<void> {
  const { bfree, bsize } = await statfs(join(path, '..'));
  const sizeBytes = String(bfree * bsize - leftBytes);
  await runCommand(['fallocate', '-l', sizeBytes, path], { timeoutMs: 60_000 });
}
