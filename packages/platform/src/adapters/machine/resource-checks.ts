// Room on the machine, its resolver, and the port that Tandem is to listen on.
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFile, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { failed, ok, warning, type Check } from './check.ts';

const GIB = 1024 ** 3;
const DISK_BYTES_MIN = GIB;
const DISK_BYTES_GOOD = 5 * GIB;
const MEMORY_BYTES_MIN = GIB / 4;
const MEMORY_BYTES_GOOD = GIB / 2;
const DNS_TIMEOUT_MS = 2_000;

export async function checkDisk(directory: string): Promise<Check> {
  const { bavail, bsize } = await statfs(directory);
  const freeBytes = bavail * bsize;
  const detail = `${gib(freeBytes)} free in ${directory}`;
  const fix = `tandem apps; du -xh ${directory} | sort -h | tail`;
  if (freeBytes < DISK_BYTES_MIN) return failed('disk', detail, fix);
  if (freeBytes < DISK_BYTES_GOOD) return warning('disk', detail, fix);
  return ok('disk', detail);
}

export async function checkMemory(): Promise<Check> {
  const content = await readFile('/proc/meminfo', 'utf8');
  const freeBytes = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(content)?.[1] ?? 0) * 1024;
  const detail = `${gib(freeBytes)} available`;
  const fix = 'tandem ps; scale apps down or add memory';
  if (freeBytes < MEMORY_BYTES_MIN) return failed('memory', detail, fix);
  if (freeBytes < MEMORY_BYTES_GOOD) return warning('memory', detail, fix);
  return ok('memory', detail);
}

/** Any answer will do, also a refusal. */
export async function checkNameservers(resolvConfPath = '/etc/resolv.conf'): Promise<Check> {
  const content = await readFile(resolvConfPath, 'utf8').catch(() => '');
  const servers = nameserversIn(content);
  const name = 'DNS';
  if (servers.length === 0) {
    const fix = `echo "nameserver 9.9.9.9" >> ${resolvConfPath}`;
    return failed(name, `${resolvConfPath} names no server: apps cannot resolve names`, fix);
  }
  const answers = await Promise.all(servers.map(doesAnswer));
  const silent = servers.filter((_, index) => !answers[index]);
  if (silent.length === 0) return ok(name, `${servers.join(', ')} answers`);
  const detail = `${silent.join(', ')} does not answer`;
  const fix = `check the nameserver lines of ${resolvConfPath}`;
  return silent.length === servers.length ? failed(name, detail, fix) : warning(name, detail, fix);
}

export function nameserversIn(resolvConf: string): string[] {
  return [...resolvConf.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
}

export async function checkPort(port: number): Promise<Check> {
  const server = createServer();
  try {
    server.listen(port, '::');
    await once(server, 'listening');
    return ok('port', `${port} is free`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error);
    const fix = `ss -ltnp 'sport = :${port}'; or choose another with script/up --port`;
    return failed('port', `${port} cannot be listened on (${code})`, fix);
  } finally {
    server.close();
  }
}

async function doesAnswer(server: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: DNS_TIMEOUT_MS, tries: 1 });
  try {
    resolver.setServers([server.includes(':') ? `[${server}]` : server]);
    await resolver.resolveNs('.');
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code !== 'ETIMEOUT' && code !== 'ECONNREFUSED' && code !== 'ERR_INVALID_IP_ADDRESS';
  }
}

function gib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}
