// Programs that Tandem calls, and the Debian packages that bring them.
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { COMMAND_ENV } from '../../lib/run-command.ts';
import { failed, ok, type Check } from './check.ts';

const PACKAGES: Readonly<Record<string, string>> = {
  crun: 'crun',
  conmon: 'conmon',
  'tini-static': 'tini',
  nft: 'nftables',
  ip: 'iproute2',
  dnsmasq: 'dnsmasq-base',
  mksquashfs: 'squashfs-tools',
  mmdebstrap: 'mmdebstrap',
  'mkfs.ext4': 'e2fsprogs',
  nginx: 'nginx-light',
  's6-svscan': 's6',
  setpriv: 'util-linux',
};

/** uv is not in Debian; `script/bootstrap` brings it. */
const OTHERS: Readonly<Record<string, string>> = { uv: 'script/bootstrap' };

const SECCOMP_PROFILE = '/usr/share/containers/seccomp.json';

export async function checkPrograms(searchPath = COMMAND_ENV['PATH'] ?? ''): Promise<Check[]> {
  const names = [...Object.keys(PACKAGES), ...Object.keys(OTHERS)];
  const found = await Promise.all(names.map((name) => find(name, searchPath)));
  const missing = names.filter((_, index) => found[index] === undefined);
  const present = names.length - missing.length;
  return [
    ...(missing.length === 0 ? [ok('programs', `all ${present} found`)] : []),
    ...missing.map((name) => failed(name, 'not found', fixOf(name))),
    await checkSeccompProfile(),
  ];
}

async function checkSeccompProfile(): Promise<Check> {
  const readable = await access(SECCOMP_PROFILE).then(
    () => true,
    () => false,
  );
  if (readable) return ok('seccomp profile', SECCOMP_PROFILE);
  const fix = 'apt-get install --no-install-recommends golang-github-containers-common';
  return failed('seccomp profile', `${SECCOMP_PROFILE} is missing`, fix);
}

function fixOf(name: string): string {
  const debianPackage = PACKAGES[name];
  return debianPackage ? `apt-get install ${debianPackage}` : (OTHERS[name] ?? 'script/bootstrap');
}

async function find(name: string, searchPath: string): Promise<string | undefined> {
  for (const directory of searchPath.split(':').filter((part) => part.startsWith('/'))) {
    const path = join(directory, name);
    const executable = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return path;
  }
  return undefined;
}
