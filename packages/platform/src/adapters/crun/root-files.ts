// The two topmost layers of a sandbox's root. One is common to an installation: mount points and
// authorities. One is the sandbox's own: the files of /etc that we write, mount points of its mounts,
// and links. Being layers, they need no mounts of their own and no cooperation of the layers below.
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SandboxMount, SandboxSpec } from '../../ports/sandbox.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { safeJoin } from '../../lib/safe-join.ts';

export const HOME = '/home/app';

/** Where programs look for the bundle of certificate authorities (Debian's place). */
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** Libraries for numbers read how many CPUs there are. */
export const CPU_TOPOLOGY = '/sys/devices/system/cpu';
export const INIT = '/run/tandem/init';

const DIRECTORIES = ['/proc', CPU_TOPOLOGY, '/dev', '/tmp', '/var/tmp', '/run/tandem', HOME];

/** Content that grows old (certificates) is replaced at the next start of the agent. */
export async function writeCommonFiles(root: string, caBundlePath: string): Promise<void> {
  for (const path of [dirname(CA_BUNDLE), ...DIRECTORIES]) {
    await mkdir(safeJoin(root, path), { recursive: true });
  }
  await writeFile(safeJoin(root, INIT), '');
  // By rename: running sandboxes keep the file they have.
  await writeFileAtomic(safeJoin(root, CA_BUNDLE), await readFile(caBundlePath), 0o644);
}

export async function writeRootFiles(
  root: string,
  spec: SandboxSpec,
  nameservers: readonly string[],
): Promise<void> {
  await mkdir(safeJoin(root, '/etc'), { recursive: true });
  const files = Object.entries(etcFiles(spec, nameservers));
  await Promise.all([
    ...files.map(([path, content]) => writeFile(safeJoin(root, path), content)),
    ...spec.mounts.map((mount) => makeMountPoint(root, mount)),
  ]);
  for (const [path, target] of Object.entries(spec.links ?? {})) {
    await mkdir(dirname(safeJoin(root, path)), { recursive: true });
    await symlink(target, safeJoin(root, path));
  }
}

/** Path inside -> content. */
export function etcFiles(
  spec: SandboxSpec,
  nameservers: readonly string[],
): Record<string, string> {
  const { userName, uid, hostname } = spec;
  const hosts = Object.entries(spec.hosts).map(([name, address]) => `${address} ${name}`);
  return {
    '/etc/passwd': lines([
      'root:x:0:0:root:/root:/usr/sbin/nologin',
      `${userName}:x:${uid}:${uid}::${HOME}:/bin/sh`,
      'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin',
    ]),
    '/etc/group': lines(['root:x:0:', `${userName}:x:${uid}:`, 'nogroup:x:65534:']),
    '/etc/hostname': lines([hostname]),
    '/etc/hosts': lines([
      '127.0.0.1 localhost',
      '::1 localhost ip6-localhost ip6-loopback',
      `127.0.1.1 ${hostname}`,
      ...hosts,
    ]),
    '/etc/resolv.conf': lines([
      ...nameservers.map((address) => `nameserver ${address}`),
      'options timeout:2 attempts:3',
    ]),
    '/etc/nsswitch.conf': lines(['passwd: files', 'group: files', 'hosts: files dns']),
  };
}

/** A directory for a directory, an empty file for anything else. */
async function makeMountPoint(root: string, mount: SandboxMount): Promise<void> {
  const target = safeJoin(root, mount.target);
  const source = await stat(mount.source);
  if (source.isDirectory()) {
    await mkdir(target, { recursive: true });
    return;
  }
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, '');
}

function lines(list: readonly string[]): string {
  return `${list.join('\n')}\n`;
}
