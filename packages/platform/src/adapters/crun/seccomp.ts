// The seccomp profile of containers-common (the one Podman uses) as OCI properties for a process
// without capabilities on this machine's architecture, made stricter where nested containers are
// what the original wants to allow and a web application never needs.
import { TandemError } from '@tandem/protocol';

/** Debian package golang-github-containers-common. */
export const SECCOMP_PROFILE_PATH = '/usr/share/containers/seccomp.json';

interface Conditions {
  readonly caps?: readonly string[];
  readonly arches?: readonly string[];
  readonly minKernel?: string;
}

interface ProfileRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly SyscallArgument[] | null;
  readonly includes?: Conditions;
  readonly excludes?: Conditions;
  readonly errnoRet?: number;
}

interface Profile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly syscalls: readonly ProfileRule[];
}

interface SyscallArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo?: number;
  readonly op: string;
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly args?: readonly SyscallArgument[];
  readonly errnoRet?: number;
}

export interface Seccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet: number;
  readonly architectures: readonly string[];
  readonly syscalls: readonly SeccompRule[];
}

const ENOSYS = 38;
const EPERM = 1;
const EAFNOSUPPORT = 97;

const ARCHITECTURES: Readonly<Record<string, { profile: string; seccomp: string }>> = {
  x64: { profile: 'amd64', seccomp: 'SCMP_ARCH_X86_64' },
  arm64: { profile: 'arm64', seccomp: 'SCMP_ARCH_AARCH64' },
};

/** Allowed by the original for nested containers, or wide and of no use to an application. */
const REFUSED = new Set([
  ...['mount', 'umount', 'umount2', 'mount_setattr', 'move_mount', 'open_tree', 'pivot_root'],
  ...['fsopen', 'fsmount', 'fsconfig', 'fspick', 'unshare', 'setns', 'mknod', 'mknodat'],
  ...['keyctl', 'add_key', 'request_key', 'name_to_handle_at', 'pidfd_getfd', 'reboot', 'syslog'],
  ...['process_vm_readv', 'process_vm_writev', 'ptrace', 'userfaultfd', 'bpf'],
]);

/** Not refused but absent, so that callers fall back: to `clone`, whose flags can be inspected. */
const ABSENT = new Set(['clone3', 'io_uring_setup', 'io_uring_enter', 'io_uring_register']);

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x7e02_0000;

/** AF_UNIX, AF_INET, AF_INET6; AF_NETLINK only for routes (getaddrinfo asks). */
const SOCKET_DOMAINS = [1, 2, 10];
const AF_NETLINK = 16;
/** AF_ALG reaches kernel code of little use, AF_VSOCK the hypervisor, AF_PACKET raw frames. */
const SOCKET_DOMAINS_REFUSED = [17, 38, 40];

export function toOciSeccomp(profileText: string, nodeArchitecture: string): Seccomp {
  const architecture = ARCHITECTURES[nodeArchitecture];
  if (architecture === undefined) {
    throw new TandemError('MACHINE_UNFIT', `no seccomp profile for "${nodeArchitecture}"`);
  }
  const profile = parse(profileText);
  return {
    defaultAction: profile.defaultAction,
    defaultErrnoRet: profile.defaultErrnoRet ?? ENOSYS,
    // The native one alone: 32-bit system calls would go around rules on arguments (socketcall).
    architectures: [architecture.seccomp],
    syscalls: [
      ...profile.syscalls
        .filter((rule) => applies(rule, architecture.profile))
        .flatMap((rule) => strictRule(rule)),
      ...OWN_RULES,
    ],
  };
}

function parse(profileText: string): Profile {
  try {
    const profile = JSON.parse(profileText) as Profile;
    if (Array.isArray(profile.syscalls)) return profile;
  } catch {
    // Told below.
  }
  throw new TandemError('MACHINE_UNFIT', `${SECCOMP_PROFILE_PATH} is not a seccomp profile`, {
    hint: 'apt-get install --reinstall golang-github-containers-common',
  });
}

/** For a process without any capability. */
function applies(rule: ProfileRule, architecture: string): boolean {
  const { includes = {}, excludes = {} } = rule;
  if ((includes.caps?.length ?? 0) > 0) return false;
  if (includes.arches !== undefined && !includes.arches.includes(architecture)) return false;
  return !(excludes.arches?.includes(architecture) ?? false);
}

function strictRule(rule: ProfileRule): SeccompRule[] {
  const replaced = (name: string): boolean =>
    REFUSED.has(name) || ABSENT.has(name) || name === 'clone' || name.startsWith('socket');
  // `socketpair` makes no connection to anything.
  const names = rule.names.filter((name) => name === 'socketpair' || !replaced(name));
  if (names.length === 0) return [];
  const args = rule.args ?? [];
  return [
    {
      names,
      action: rule.action,
      ...(args.length > 0 ? { args } : {}),
      ...(rule.errnoRet === undefined ? {} : { errnoRet: rule.errnoRet }),
    },
  ];
}

const allow = (name: string, args: readonly SyscallArgument[]): SeccompRule => ({
  names: [name],
  action: 'SCMP_ACT_ALLOW',
  args,
});
const equals = (index: number, value: number): SyscallArgument => ({
  index,
  value,
  op: 'SCMP_CMP_EQ',
});

const OWN_RULES: readonly SeccompRule[] = [
  { names: [...REFUSED], action: 'SCMP_ACT_ERRNO', errnoRet: EPERM },
  { names: [...ABSENT], action: 'SCMP_ACT_ERRNO', errnoRet: ENOSYS },
  allow('clone', [{ index: 0, value: NAMESPACE_FLAGS, valueTwo: 0, op: 'SCMP_CMP_MASKED_EQ' }]),
  ...SOCKET_DOMAINS.map((domain) => allow('socket', [equals(0, domain)])),
  allow('socket', [equals(0, AF_NETLINK), equals(2, 0)]),
  ...SOCKET_DOMAINS_REFUSED.map((domain) => ({
    names: ['socket'],
    action: 'SCMP_ACT_ERRNO',
    args: [equals(0, domain)],
    errnoRet: EAFNOSUPPORT,
  })),
];
