// The kernel forwards packets while an installation of this machine needs it. What was set before is
// kept and put back when the last one goes. Shared by all installations, hence the lock.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { withFileLock } from '../../lib/file-lock.ts';

const LOCK_TIMEOUT_MS = 10_000;
const IPV4_FORWARD = 'net/ipv4/ip_forward';
const IPV6_FORWARD = 'net/ipv6/conf/all/forwarding';

export interface ForwardingPlaces {
  /** On tmpfs: a reboot resets the settings, so it must forget them too. */
  readonly stateDirectory: string;
  readonly sysctlDirectory: string;
}

export const FORWARDING_PLACES: ForwardingPlaces = {
  stateDirectory: '/run/tandem-machine/forwarding',
  sysctlDirectory: '/proc/sys',
};

/**
 * `uplinks`: interfaces whose IPv6 default route was learnt from router advertisements. A kernel
 * that forwards ignores those (and loses the route) unless accept_ra is 2.
 */
export async function enableForwarding(
  installationId: string,
  uplinks: readonly string[],
  places = FORWARDING_PLACES,
): Promise<void> {
  const wanted = new Map([
    ...uplinks.map((name) => [`net/ipv6/conf/${name}/accept_ra`, '2'] as const),
    [IPV4_FORWARD, '1'],
    [IPV6_FORWARD, '1'],
  ]);
  await locked(places, async (files) => {
    await writeFile(join(files.users, installationId), '');
    const saved = await readSaved(files.saved);
    for (const [key, value] of wanted) {
      const path = join(places.sysctlDirectory, key);
      const before = (await readFile(path, 'utf8')).trim();
      if (before === value) continue;
      saved[key] ??= before;
      // First what was, then the change: a crash in between restores too much, never too little.
      await writeFileAtomic(files.saved, JSON.stringify(saved));
      await writeFile(path, value);
    }
  });
}

export async function disableForwarding(
  installationId: string,
  places = FORWARDING_PLACES,
): Promise<void> {
  await locked(places, async (files) => {
    await rm(join(files.users, installationId), { force: true });
    if ((await readdir(files.users)).length > 0) return;
    const saved = await readSaved(files.saved);
    for (const [key, value] of Object.entries(saved)) {
      // An interface may have gone since.
      await writeFile(join(places.sysctlDirectory, key), value).catch(() => undefined);
    }
    await rm(files.saved, { force: true });
  });
}

interface Files {
  /** One empty file per installation that needs forwarding. */
  readonly users: string;
  readonly saved: string;
}

async function locked(places: ForwardingPlaces, work: (files: Files) => Promise<void>) {
  const users = join(places.stateDirectory, 'users');
  await mkdir(users, { recursive: true, mode: 0o700 });
  const files = { users, saved: join(places.stateDirectory, 'saved.json') };
  const lock = join(places.stateDirectory, 'lock');
  await withFileLock(lock, { timeoutMs: LOCK_TIMEOUT_MS }, () => work(files));
}

async function readSaved(path: string): Promise<Record<string, string>> {
  const content = await readFile(path, 'utf8').catch(() => '{}');
  return JSON.parse(content) as Record<string, string>;
}
