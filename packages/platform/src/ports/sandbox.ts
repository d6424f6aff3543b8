// Where a process of an app, a job, a build or a service runs. Two adapters, one contract
// (sandbox.contract.ts): `crun`, and `process` for machines that allow no more. The sandbox knows
// nothing of apps or releases; the runner does.
import type { Readable, Writable } from 'node:stream';
import type { LayerRef } from './image-store.ts';

export interface SandboxCapabilities {
  readonly name: 'crun' | 'process';
  /** Own root file system from layers; without it, layers are looked up by the adapter. */
  readonly rootFileSystem: boolean;
  readonly networkNamespace: boolean;
  readonly ownUser: boolean;
  readonly memoryLimit: boolean;
  readonly cpuLimit: boolean;
  readonly pidsLimit: boolean;
  readonly diskLimit: boolean;
  readonly seccomp: boolean;
  /** Processes live on when the agent ends and can be adopted. */
  readonly survivesAgent: boolean;
}

export interface SandboxMount {
  /** Absolute path on the host. */
  readonly source: string;
  /** Absolute path inside. The mount point must exist in a layer or under a writable mount. */
  readonly target: string;
  readonly readOnly: boolean;
}

export interface SandboxLimits {
  readonly memoryBytes: number;
  readonly pids: number;
  readonly openFiles: number;
  /** Size of the scratch disk at /tmp. */
  readonly tmpBytes: number;
  /** Hard limit in cores (0.5, 2 ...); absent: none. */
  readonly cpuCores?: number;
  /** Relative weight under contention, 100 is an instance; builds run at 20. */
  readonly cpuWeight: number;
}

export interface SandboxSpec {
  /** `[a-z0-9][a-z0-9-]{0,59}`, unique in the installation for ever. */
  readonly id: string;
  /** Lowest first: stack, interpreter, dependencies, additions, runtime, code. */
  readonly layers: readonly LayerRef[];
  readonly args: readonly [string, ...string[]];
  /** Complete environment; nothing is inherited. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly uid: number;
  readonly userName: string;
  readonly hostname: string;
  /** Lines for /etc/hosts beside localhost: name -> address. */
  readonly hosts: Readonly<Record<string, string>>;
  readonly mounts: readonly SandboxMount[];
  /** Symbolic links over what the layers have there: absolute path -> what it points to. */
  readonly links?: Readonly<Record<string, string>>;
  readonly limits: SandboxLimits;
  /** Absent: loopback only. */
  readonly network?: SandboxNetwork;
  /** Absolute path of the log; appended to in the k8s-file format (see lib/log-line.ts). */
  readonly logPath: string;
}

export interface SandboxNetwork {
  /** Without prefix length. The IPv6 address is never used again by another id. */
  readonly ipv6: string;
  readonly ipv4: string;
  /** Services it may reach beside the internet. */
  readonly links: readonly { readonly ipv6: string; readonly port: number }[];
}

export interface ExitStatus {
  /** As a shell counts: 128 + signal when killed. */
  readonly code: number;
  readonly outOfMemory: boolean;
}

/** What must be on disk to find the process again. JSON; the adapter alone reads `detail`. */
export interface SandboxRecord {
  readonly schemaVersion: 1;
  readonly sandbox: 'crun' | 'process';
  readonly id: string;
  readonly bootId: string;
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat, clock ticks since boot. */
  readonly pidStartTicks: number;
  readonly detail: Readonly<Record<string, string | number>>;
}

export interface SandboxUsage {
  readonly memoryBytes: number;
  readonly cpuMs: number;
  readonly pids: number;
  /** How often the kernel killed one of its processes for lack of memory; 0 where nothing counts. */
  readonly outOfMemoryKills: number;
}

/** A started process. `exited` resolves exactly once, also for an adopted one that ended before. */
export interface SandboxProcess {
  readonly id: string;
  readonly record: SandboxRecord;
  readonly exited: Promise<ExitStatus>;
  usage(): Promise<SandboxUsage>;
  /** To the main process only. No error when it has ended. */
  signal(signal: 'SIGTERM' | 'SIGINT' | 'SIGQUIT' | 'SIGHUP' | 'SIGKILL'): Promise<void>;
  /** Closes and opens the log path again, after a rotation by rename. */
  reopenLog(): Promise<void>;
  /** Argv that enters the running sandbox with a command, for `tandem exec` and probes of last resort. */
  execArgs(command: readonly string[], options: { terminal: boolean }): Promise<string[]>;
  /** Ends every process inside, then removes cgroup, mounts, network and files. Idempotent. */
  remove(): Promise<void>;
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The far end of a process that somebody sits at. */
export interface AttachedSession {
  readonly stdin: Readable;
  readonly output: Writable;
  /** With a terminal: its first size. */
  readonly terminal?: TerminalSize;
  onResize(listener: (size: TerminalSize) => void): void;
  readonly signal: AbortSignal;
}

export interface Sandbox {
  readonly capabilities: SandboxCapabilities;
  /**
   * Resolves once the command was executed. When it throws (SANDBOX_FAILED, NETWORK_FAILED,
   * DISK_FULL) nothing of it is left. `onRecord` runs before the command can do anything, so a
   * caller that persists the record there can always adopt.
   */
  start(
    spec: SandboxSpec,
    onRecord?: (record: SandboxRecord) => Promise<void>,
  ): Promise<SandboxProcess>;
  /**
   * As `start`, but its input and output are the session's, with a terminal when the session has
   * one (then also Ctrl-C and resizes). It ends with the agent, or when `session.signal` fires;
   * nothing of it is left when this resolves. `spec.logPath` is not written.
   */
  runAttached(spec: SandboxSpec, session: AttachedSession): Promise<ExitStatus>;
  /** Undefined when it is not there any more (other boot, pid used by another process). */
  adopt(record: SandboxRecord): Promise<SandboxProcess | undefined>;
  /** Removes whatever this installation left behind under ids that `isKnown` denies. */
  sweep(isKnown: (id: string) => boolean): Promise<string[]>;
}
