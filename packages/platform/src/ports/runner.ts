// Instances and jobs of one node. The nexus says what should run; the runner converges and reports.
// On several machines a message stands between.
import type { ErrorBody } from '@tandem/protocol';
import type { LayerRef } from './image-store.ts';
import type { VolumePlan } from '../domain/volume.ts';
import type { VolumeUse } from './app-volumes.ts';
import type { AttachedSession } from './sandbox.ts';

export interface ServiceLink {
  /** Name in the sandbox's /etc/hosts. */
  readonly hostname: string;
  readonly ipv6: string;
  readonly port: number;
}

/** What every sandboxed process of an app has in common. */
export interface ProcessSpec {
  readonly appId: number;
  readonly appName: string;
  readonly uid: number;
  readonly release: number;
  /** `web.1`, `worker.2`, `release`, `run.7` ... */
  readonly processName: string;
  readonly layers: readonly LayerRef[];
  /** A shell line, as in a Procfile; see domain/command-line.ts. */
  readonly command: string;
  /** Default: `/app`. */
  readonly workingDirectory?: string;
  /** Complete, secrets included; the runner keeps it on tmpfs only. */
  readonly env: Readonly<Record<string, string>>;
  readonly memoryBytes: number;
  /** Default: LIMITS.instance.pids. */
  readonly pids?: number;
  readonly ipv6: string;
  readonly ipv4: string;
  readonly links: readonly ServiceLink[];
  /** Directories under volumes/<appId>/; the runner makes a missing one, 0700 and owned by `uid`. */
  readonly volumes: readonly { readonly name: string; readonly target: string }[];
  /** The app's disk of fixed size, with a directory for each path. */
  readonly volume?: VolumePlan;
  readonly logPath: string;
}

export interface ProbeSpec {
  readonly path: string;
  readonly host: string;
  readonly port: number;
  readonly startTimeoutMs: number;
}

/** Immutable but for `desired` and `onProbation`; a changed instance is a new one with a new id. */
export interface InstanceSpec extends ProcessSpec {
  readonly instanceId: string;
  /** `draining`: alive, gets nothing new; `stopped`: end it (signal, grace, KILL) and remove it. */
  readonly desired: 'running' | 'draining' | 'stopped';
  /**
   * Never served yet: its first failure is final, so that a deploy fails fast. Afterwards failures
   * are met by the restart policy.
   */
  readonly onProbation: boolean;
  /** A service of the platform: never given up, however often it crashes. */
  readonly essential?: boolean;
  readonly probe?: ProbeSpec;
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly stopGraceMs: number;
}

export type InstanceState =
  'starting' | 'ready' | 'unresponsive' | 'backoff' | 'failed' | 'stopping' | 'stopped';

export interface ObservedInstance {
  readonly instanceId: string;
  readonly state: InstanceState;
  /** For people: "out of memory, retry 3/5 in 16 s". */
  readonly reason?: string;
  readonly error?: ErrorBody;
  /** The family the server listens on; set once ready. */
  readonly address?: string;
  readonly restarts: number;
  readonly startedAtMs?: number;
  readonly memoryBytes?: number;
  readonly pid?: number;
}

export interface JobSpec extends ProcessSpec {
  /** Unique for ever. Running or finished jobs of this id are adopted, never run twice. */
  readonly jobId: string;
  readonly timeoutMs: number;
}

export interface JobResult {
  readonly exitCode: number;
  readonly outOfMemory: boolean;
  readonly timedOut: boolean;
  /** What the job wrote to /run/tandem/result (at most 1 MiB), for our own helpers. */
  readonly result: string;
}

export interface Runner {
  /** Adopts what a previous agent left, before anything else is called. */
  recover(): Promise<void>;
  /** The complete desired set of this node; returns at once and converges. */
  apply(desired: readonly InstanceSpec[]): void;
  observe(): readonly ObservedInstance[];
  onChange(listener: (instance: ObservedInstance) => void): void;
  runJob(spec: JobSpec, signal: AbortSignal): Promise<JobResult>;
  /**
   * A one-off process with the caller at its end: `output` gets what it writes, `stdin` what it
   * reads. Ends with the process, or ends the process when `session.signal` fires. Its exit code.
   */
  runAttached(spec: JobSpec, session: AttachedSession): Promise<number>;
  /** Forgets a finished job and removes its files. */
  forgetJob(jobId: string): Promise<void>;
  /** Undefined when it is not mounted. */
  volumeUse(appId: number): Promise<VolumeUse | undefined>;
  /** With all that is on it. Idempotent; what still uses it keeps it until it ends. */
  removeVolume(appId: number): Promise<void>;
  /** A request was answered by this instance: it is alive whatever its probe says. */
  noteServed(instanceId: string): void;
  /** Stops watching; processes live on and are adopted by the next agent. */
  close(): Promise<void>;
}
