// From a source archive to layers and a description of what to run. The nexus calls it; on several
// machines a message stands between. A build holds no state that a crash could spoil: killed at any
// point, it is swept and run again.
import type { BuiltImage, Finding } from '../domain/release.ts';

export interface BuildRequest {
  /** `[a-z0-9-]+`, unique for ever; names sandboxes and scratch space. */
  readonly buildId: string;
  readonly appId: number;
  readonly appName: string;
  /** Runs the build; never root, never the uid of the running app. */
  readonly buildUid: number;
  /** A tar archive (plain or gzip) on local disk, from the user: hostile until checked. */
  readonly archivePath: string;
  /** The app's config in the clear: project code may need it to be imported. */
  readonly config: Readonly<Record<string, string>>;
  /** Hostnames the app will answer for. */
  readonly hostnames: readonly string[];
  /** k8s-file format; appended. */
  readonly logPath: string;
  readonly network: BuildNetwork;
  readonly progress: BuildProgress;
  readonly signal: AbortSignal;
  /** Then the build ends with BUILD_TIMEOUT; default 20 minutes. */
  readonly timeoutMs?: number;
}

/** Addresses of the build's sandboxes, allocated by the caller. */
export interface BuildNetwork {
  readonly ipv6: string;
  readonly ipv4: string;
}

export type BuildStep = 'unpack' | 'detect' | 'dependencies' | 'node' | 'code';

export interface BuildProgress {
  /** A step begins or ends, for the CLI ("dependencies 9f31c2, 32 packages"). */
  step(name: BuildStep, detail: string, tookMs: number): void;
  finding(finding: Finding): void;
}

export interface DetectRequest {
  readonly archivePath: string;
  readonly workDirectory: string;
  readonly signal: AbortSignal;
}

export interface DetectOutcome {
  readonly findings: readonly Finding[];
  /** A tandem.toml that says the same. */
  readonly toml: string;
}

export interface Builder {
  /** Makes what the first build on this node would wait for: the default interpreter's layer. */
  warmUp(): Promise<void>;
  /** Throws a user error that names the true cause; nothing half-made stays behind. */
  build(request: BuildRequest): Promise<BuiltImage>;
  /** The part of detection that needs no environment: text only. */
  detect(request: DetectRequest): Promise<DetectOutcome>;
  /** Removes scratch space and sandboxes of builds that are not under way. */
  sweep(activeBuildIds: ReadonlySet<string>): Promise<void>;
}
