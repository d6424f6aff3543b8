// What takes part in the comparison: a reverse proxy with one worker on the measured core.
import type { PinnedProcess, PinnedProcesses } from '../pinned-processes.ts';

export type ProxyName = 'Tandem' | 'nginx' | 'HAProxy' | 'Caddy' | 'nginx bare' | 'HAProxy bare';

/** What every proxy passes to HTTP_HOST's backend, and to the WebSocket echo. */
export const HTTP_HOST = 'bench.test';
export const ECHO_HOST = 'echo.test';
/** More than any figure opens. */
export const CONNECTIONS_MAX = 9_000;

/** PEM, both. */
export interface TlsFiles {
  readonly certificate: string;
  readonly key: string;
}

export interface ProxyPlace {
  readonly processes: PinnedProcesses;
  /** Its own: configuration and log lie here. */
  readonly directory: string;
  readonly backendPort: number;
  readonly echoPort: number;
  /** With it, a port of TLS too; of those who are measured so. */
  readonly tls?: TlsFiles;
}

export interface Proxy {
  readonly name: ProxyName;
  readonly process: PinnedProcess;
  readonly httpPort: number;
  readonly echoPort: number;
  readonly httpsPort?: number;
  /** One line a request; absent: bare, it only forwards. */
  readonly accessLog?: string;
}
