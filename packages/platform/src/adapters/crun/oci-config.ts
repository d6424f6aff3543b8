// From a SandboxSpec to the config.json of the OCI runtime specification. Pure.
// https://github.com/opencontainers/runtime-spec
import type { SandboxMount, SandboxSpec, TerminalSize } from '../../ports/sandbox.ts';
import { CPU_TOPOLOGY, HOME, INIT } from './root-files.ts';
import type { Seccomp } from './seccomp.ts';

export interface OciOptions {
  readonly rootPath: string;
  /** Absolute in every hierarchy. */
  readonly cgroupPath: string;
  /** Mounted at /tmp. */
  readonly scratchPath: string;
  /** Path of a prepared network namespace; undefined: a new one with loopback only. */
  readonly networkNamespace: string | undefined;
  /** A static init (tini): passes signals on, so that their default action works, and reaps. */
  readonly initPath: string;
  readonly seccomp: Seccomp;
  readonly swapLimit: boolean;
  readonly terminal?: TerminalSize | undefined;
}

const SHM_BYTES = 64 * 1024 * 1024;
const CPU_PERIOD_US = 100_000;
/** Shares of the OCI specification per unit of our weight: 100 is 1024, the kernel's default. */
const SHARES_PER_WEIGHT = 10.24;
/** When the machine itself runs out of memory, apps go before the platform does. */
const OOM_SCORE = 300;

/** What tells of the host or reaches into it. Of /sys nothing is mounted but the CPU topology. */
const MASKED_PATHS = [
  ...['acpi', 'asound', 'cmdline', 'interrupts', 'kallsyms', 'kcore', 'keys', 'latency_stats'],
  ...['sched_debug', 'scsi', 'timer_list'],
].map((name) => `/proc/${name}`);
const READONLY_PATHS = ['bus', 'fs', 'irq', 'sys', 'sysrq-trigger'].map((name) => `/proc/${name}`);

export function ociConfig(spec: SandboxSpec, options: OciOptions): Record<string, unknown> {
  return {
    ociVersion: '1.0.0',
    process: { ...ociProcess(spec, options.terminal), args: [INIT, '--', ...spec.args] },
    root: { path: options.rootPath, readonly: true },
    hostname: spec.hostname,
    mounts: [
      ...SYSTEM_MOUNTS,
      bindMount({ source: options.scratchPath, target: '/tmp', readOnly: false }),
      bindMount({ source: options.scratchPath, target: '/var/tmp', readOnly: false }),
      bindMount({ source: CPU_TOPOLOGY, target: CPU_TOPOLOGY, readOnly: true }),
      bindMount({ source: options.initPath, target: INIT, readOnly: true }),
      ...spec.mounts.map(bindMount),
    ],
    linux: {
      cgroupsPath: options.cgroupPath,
      namespaces: namespaces(options.networkNamespace),
      resources: resources(spec, options.swapLimit),
      seccomp: options.seccomp,
      maskedPaths: MASKED_PATHS,
      readonlyPaths: READONLY_PATHS,
    },
  };
}

function ociProcess(
  spec: SandboxSpec,
  terminal: TerminalSize | undefined,
): Record<string, unknown> {
  const { uid, limits } = spec;
  return {
    terminal: terminal !== undefined,
    // Without it a terminal begins with no size at all.
    ...(terminal ? { consoleSize: { width: terminal.columns, height: terminal.rows } } : {}),
    user: { uid, gid: uid, additionalGids: [], umask: 0o022 },
    args: spec.args,
    env: Object.entries({ HOME, ...spec.env }).map(([key, value]) => `${key}=${value}`),
    cwd: spec.cwd,
    capabilities: { bounding: [], effective: [], inheritable: [], permitted: [], ambient: [] },
    rlimits: [
      { type: 'RLIMIT_NOFILE', hard: limits.openFiles, soft: limits.openFiles },
      { type: 'RLIMIT_CORE', hard: 0, soft: 0 },
    ],
    noNewPrivileges: true,
    oomScoreAdj: OOM_SCORE,
  };
}

const mount = (
  destination: string,
  type: string,
  options: readonly string[],
): Record<string, unknown> => ({ destination, type, source: type, options });

const SYSTEM_MOUNTS = [
  mount('/proc', 'proc', ['nosuid', 'noexec', 'nodev', 'hidepid=2']),
  mount('/dev', 'tmpfs', ['nosuid', 'noexec', 'strictatime', 'mode=755', 'size=64k']),
  mount('/dev/pts', 'devpts', ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620']),
  mount('/dev/shm', 'tmpfs', ['nosuid', 'noexec', 'nodev', 'mode=1777', `size=${SHM_BYTES}`]),
];

function bindMount({ source, target, readOnly }: SandboxMount): Record<string, unknown> {
  const options = ['rbind', readOnly ? 'ro' : 'rw', 'nosuid', 'nodev'];
  return { ...mount(target, 'bind', options), source };
}

function namespaces(network: string | undefined): Record<string, unknown>[] {
  return [
    ...['pid', 'mount', 'ipc', 'uts', 'cgroup'].map((type) => ({ type })),
    { type: 'network', ...(network === undefined ? {} : { path: network }) },
  ];
}

function resources({ limits }: SandboxSpec, swapLimit: boolean): Record<string, unknown> {
  const { memoryBytes, cpuCores } = limits;
  return {
    devices: [{ allow: false, access: 'rwm' }],
    memory: { limit: memoryBytes, ...(swapLimit ? { swap: memoryBytes } : {}) },
    pids: { limit: limits.pids },
    cpu: {
      shares: Math.max(2, Math.round(limits.cpuWeight * SHARES_PER_WEIGHT)),
      ...(cpuCores === undefined
        ? {}
        : { quota: Math.round(cpuCores * CPU_PERIOD_US), period: CPU_PERIOD_US }),
    },
  };
}
