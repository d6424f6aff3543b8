// What the control API needs from the nexus: one method per endpoint. The server has checked the
// form of every argument (app names, schemas); the backend knows what exists and what is allowed,
// and throws TandemErrors with the code that the caller shall see.
import type { Readable, Writable } from 'node:stream';
import type {
  AppSummary,
  CertificateUpload,
  ConfigChange,
  ConfigChanged,
  ConfigView,
  DeployEvent,
  DeployStarted,
  DeployStatus,
  DoctorCheck,
  DomainView,
  PolicyChange,
  PolicyView,
  Explanation,
  FindingView,
  LogLine,
  PlatformStatus,
  ProcessView,
  ReleaseSummary,
  RollbackRequest,
  RunRequest,
  ScaleRequest,
  TerminalSize,
} from '@tandem/protocol';

export interface DetectAnswer {
  readonly findings: readonly FindingView[];
  readonly toml: string;
}

export interface ReleaseFindings {
  readonly release: number;
  readonly findings: readonly FindingView[];
}

export interface DeployTarget {
  readonly app: string;
  /** Make the app when there is none of this name. */
  readonly create: boolean;
}

export interface LogQuery {
  readonly follow: boolean;
  /** Last lines to begin with; absent: all that match. */
  readonly tail?: number;
  /** `web`, or `web.1`. */
  readonly process?: string;
  /** `v3`, or `d7` for the build of deploy 7. */
  readonly release?: string;
  readonly sinceMs?: number;
  /** Plain text that the line contains, case-sensitive. */
  readonly grep?: string;
}

/** At most one of them. */
export interface ExplainQuery {
  readonly deploy?: number;
  readonly release?: number;
}

/** The far end of `tandem run`. */
export interface RunSession {
  readonly request: RunRequest;
  /** What the user types; ends when they end it. */
  readonly stdin: Readable;
  /** Written with back-pressure; the server ends it after `run` has settled. */
  readonly output: Writable;
  readonly onResize: (listener: (size: TerminalSize) => void) => void;
  /** Fires when the user is gone: end the command. */
  readonly signal: AbortSignal;
}

export interface ControlBackend {
  listApps(): Promise<readonly AppSummary[]>;
  createApp(name: string): Promise<AppSummary>;
  getApp(app: string): Promise<AppSummary>;
  /** Resolves once nothing of it runs. */
  destroyApp(app: string): Promise<void>;

  /**
   * Before the body of an upload is read: refuses (APP_NOT_FOUND, DEPLOY_IN_PROGRESS ...) or gives a
   * fresh absolute path in an existing directory. The server writes the archive there and removes it
   * when the upload fails; what a crash leaves behind is swept by the backend.
   */
  prepareDeploy(target: DeployTarget): Promise<string>;
  /** The archive is whole and synced; from now on the file is the backend's, also when this throws. */
  startDeploy(target: DeployTarget, archivePath: string): Promise<DeployStarted>;
  retryDeploy(app: string): Promise<DeployStarted>;
  listDeploys(app: string): Promise<readonly DeployStatus[]>;
  getDeploy(app: string, deploy: number): Promise<DeployStatus>;
  /** Asks; the state in the answer may still be `running`. */
  cancelDeploy(app: string, deploy: number): Promise<DeployStatus>;
  /**
   * Events with `seq >= from`, the past ones first, ending after `finished`. Ends early, without an
   * error, when `signal` fires (client gone, or the agent is about to stop).
   */
  deployEvents(
    app: string,
    deploy: number,
    options: { readonly from: number; readonly signal: AbortSignal },
  ): AsyncIterable<DeployEvent>;

  listReleases(app: string): Promise<readonly ReleaseSummary[]>;
  rollback(app: string, request: RollbackRequest): Promise<DeployStarted>;
  restart(app: string): Promise<DeployStarted>;
  scale(app: string, request: ScaleRequest): Promise<DeployStarted>;

  getConfig(app: string): Promise<ConfigView>;
  changeConfig(app: string, change: ConfigChange): Promise<ConfigChanged>;

  listDomains(app: string): Promise<readonly DomainView[]>;
  /** Resolves once requests for the host reach the app; its certificate comes later. */
  addDomain(app: string, host: string): Promise<DomainView>;
  removeDomain(app: string, host: string): Promise<void>;
  importCertificate(app: string, host: string, upload: CertificateUpload): Promise<DomainView>;

  getPolicy(app: string): Promise<PolicyView>;
  /** Resolves once every balancer acts by it, or some seconds later. */
  changePolicy(app: string, change: PolicyChange): Promise<PolicyView>;

  listProcesses(app: string): Promise<readonly ProcessView[]>;
  explain(app: string, about: ExplainQuery): Promise<Explanation>;
  /** Ends when `signal` fires, or at the last line when `follow` is false. */
  logs(app: string, query: LogQuery, signal: AbortSignal): AsyncIterable<LogLine>;
  /** Resolves with the exit code of the command. */
  run(app: string, session: RunSession): Promise<number>;

  status(): Promise<PlatformStatus>;
  doctor(): Promise<readonly DoctorCheck[]>;
  prepareDetect(): Promise<string>;
  /** The server removes the archive afterwards. */
  detect(archivePath: string, signal: AbortSignal): Promise<DetectAnswer>;
  /** What the build of the current release found. */
  listFindings(app: string): Promise<ReleaseFindings>;
}
