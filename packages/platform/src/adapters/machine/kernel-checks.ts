// What the kernel must offer: file systems of layers, namespaces, control groups, filters.
import { access, readFile, readdir, statfs } from 'node:fs/promises';
import { runToExit } from '../../lib/run-command.ts';
import { failed, ok, warning, type Check } from './check.ts';

const TIMEOUT_MS = 10_000;
const CGROUP2_MAGIC = 0x63677270;
const CONTROLLERS = ['memory', 'pids', 'cpu'];

export async function checkKernel(): Promise<Check[]> {
  return await Promise.all([
    checkRoot(),
    checkFileSystem('overlay'),
    checkFileSystem('squashfs'),
    checkLoop(),
    checkVeth(),
    checkCgroups(),
    checkSeccomp(),
    checkIpv6(),
    checkForwarding(),
  ]);
}

async function checkRoot(): Promise<Check> {
  if (process.getuid?.() === 0) return ok('root', 'running as root');
  return failed('root', 'not running as root', 'sudo tandem doctor');
}

async function checkFileSystem(name: string): Promise<Check> {
  const known = await readFile('/proc/filesystems', 'utf8');
  if (known.split(/\s+/).includes(name)) return ok(name, 'in the kernel');
  const module = await runToExit(['modprobe', '--dry-run', name], { timeoutMs: TIMEOUT_MS });
  if (module.exitCode === 0) return ok(name, 'as a module, loaded when needed');
  return failed(name, 'not in this kernel', `modprobe ${name}`);
}

async function checkLoop(): Promise<Check> {
  if (await exists('/dev/loop-control')) return ok('loop devices', 'available');
  return failed('loop devices', '/dev/loop-control is missing', 'modprobe loop');
}

/** In a network namespace that goes with the command. */
async function checkVeth(): Promise<Check> {
  const make = ['ip', 'link', 'add', 'td0', 'type', 'veth', 'peer', 'name', 'td1'];
  const result = await runToExit(['unshare', '--net', ...make], { timeoutMs: TIMEOUT_MS });
  if (result.exitCode === 0) return ok('network namespaces', 'available, with veth pairs');
  return failed('network namespaces', result.stderr.trim(), 'modprobe veth');
}

async function checkCgroups(): Promise<Check> {
  const root = '/sys/fs/cgroup';
  const name = 'control groups';
  const v2 = (await statfs(root)).type === CGROUP2_MAGIC;
  const offered = v2
    ? (await readFile(`${root}/cgroup.controllers`, 'utf8')).trim().split(' ')
    : await readdir(root);
  const missing = CONTROLLERS.filter((controller) => !offered.includes(controller));
  if (missing.length === 0) return ok(name, `${v2 ? 'v2' : 'v1'} with ${CONTROLLERS.join(', ')}`);
  const fix = 'add cgroup_enable=memory to the kernel command line and reboot';
  return failed(name, `without ${missing.join(', ')}: no limits for apps`, fix);
}

async function checkSeccomp(): Promise<Check> {
  const path = '/proc/sys/kernel/seccomp/actions_avail';
  const actions = await readFile(path, 'utf8').catch(() => '');
  if (actions.includes('errno')) return ok('seccomp', 'available');
  return failed('seccomp', 'not in this kernel', 'boot a kernel with CONFIG_SECCOMP_FILTER');
}

async function checkIpv6(): Promise<Check> {
  const disabled = await readFile('/proc/sys/net/ipv6/conf/all/disable_ipv6', 'utf8').catch(
    () => undefined,
  );
  if (disabled?.trim() === '0') return ok('IPv6', 'available');
  const fix = 'sysctl -w net.ipv6.conf.all.disable_ipv6=0';
  return failed('IPv6', 'switched off: apps are reached over IPv6 addresses', fix);
}

async function checkForwarding(): Promise<Check> {
  const value = await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8');
  if (value.trim() === '1') return ok('forwarding', 'on');
  const detail = 'off: apps cannot reach the internet (Tandem turns it on when it starts)';
  return warning('forwarding', detail, 'script/up');
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
