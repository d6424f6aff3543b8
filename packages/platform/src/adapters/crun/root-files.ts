// The topmost layer of a sandbox's root: the files of /etc that are ours, and every mount point.
// Being a layer, it needs no mount of its own and no cooperation of the layers below.
import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { SandboxMount, SandboxSpec } from '../../ports/sandbox.ts';
import { safeJoin } from '../../lib/safe-join.ts';

export const HOME = '/home/app';

/** Where programs look for the bundle of certificate authorities (Debian's place). */
const CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** Libraries for numbers read how many CPUs there are. */
export const CPU_TOPOLOGY = '/sys/devices/system/cpu';
export const INIT = '/run/tandem/init';

const DIRECTORIES = ['/proc', CPU_TOPOLOGY, '/dev', '/tmp', '/run/tandem', HOME];

export interface RootFilesOptions {
  /** DNS servers: the gateway of the installation. */
  readonly nameservers: readonly string[];
  readonly caBundlePath: string;
}

export async function writeRootFiles(
  root: string,
  spec: SandboxSpec,
  options: RootFilesOptions,
): Promise<void> {
  for (const path of [dirname(CA_BUNDLE), ...DIRECTORIES]) {
    await mkdir(safeJoin(root, path), { recursive: true });
  }
  const files = Object.entries(etcFiles(spec, options.nameservers));
  await Promise.all([
    ...files.map(([path, content]) => writeFile(safeJoin(root, path), content)),
    ...spec.mounts.map((mount) => makeMountPoint(root, mount)),
    writeFile(safeJoin(root, INIT), ''),
    copyFile(options.caBundlePath, safeJoin(root, CA_BUNDLE)),
  ]);
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
