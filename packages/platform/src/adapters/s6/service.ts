// What the supervisor must know to run one daemon: plain data, so that the same list could become
// systemd units.

export interface Service {
  /** `[a-z0-9-]+`; directory of the service and of its log. */
  readonly name: string;
  readonly argv: readonly [string, ...string[]];
  /** Added to the environment of the supervisor. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /**
   * Listening sockets of this service's argv: the first as its standard input, the others as
   * descriptors 3 and up; see listening-socket.ts.
   */
  readonly sockets?: readonly HeldSocket[];
  /** Started in this order; a crash of one does not restart those that need it. */
  readonly dependsOn: readonly string[];
  readonly ready: ReadyCheck;
  /** Default: 30 s. */
  readonly readyTimeoutMs?: number;
  readonly stop: {
    /** To the main process only, like KillMode=process. */
    readonly signal: 'SIGTERM' | 'SIGQUIT' | 'SIGINT';
    /** Then KILL. */
    readonly graceMs: number;
  };
}

export type ReadyCheck =
  /** A process runs; nothing can be asked of it. */
  | { readonly kind: 'running' }
  /** Somebody accepts connections on this unix socket. */
  | { readonly kind: 'unix-socket'; readonly path: string }
  /** Somebody answers an HTTP request, whatever the status. */
  | { readonly kind: 'http'; readonly port: number };

/** A listening socket that outlives the daemons that accept from it. */
export interface HeldSocket {
  /** Under which the holder knows it. */
  readonly name: string;
  readonly port: number;
  /** Argv that binds the socket and stores it: run when the holder lost it. */
  readonly bind: readonly [string, ...string[]];
}
