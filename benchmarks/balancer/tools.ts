// The programs this benchmark drives, and the Debian packages that bring them.
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

const PACKAGES: Readonly<Record<string, string>> = {
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  caddy: 'caddy',
  wrk: 'wrk',
  openssl: 'openssl',
  gunicorn: 'gunicorn',
  taskset: 'util-linux',
  prlimit: 'util-linux',
};
/** Where Debian puts daemons; not on everybody's PATH. */
export const SYSTEM_PATH = `/usr/sbin:/usr/bin:/sbin:/bin${delimiter}${process.env['PATH'] ?? ''}`;

export async function requireTools(): Promise<void> {
  const found = await Promise.all(Object.keys(PACKAGES).map(isThere));
  const missing = Object.entries(PACKAGES).filter((_, index) => found[index] !== true);
  if (missing.length === 0) return;
  const names = missing.map(([tool]) => tool).join(', ');
  const packages = [...new Set(missing.map(([, name]) => name))].join(' ');
  throw new Error(`missing: ${names}. apt-get install --no-install-recommends ${packages}`);
}

async function isThere(tool: string): Promise<boolean> {
  for (const directory of SYSTEM_PATH.split(delimiter)) {
    const allowed = access(join(directory, tool), constants.X_OK);
    if (
      await allowed.then(
        () => true,
        () => false,
      )
    )
      return true;
  }
  return false;
}
