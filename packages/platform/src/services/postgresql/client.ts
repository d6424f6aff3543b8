// Short sessions with the server. Each opens, does one thing and closes; nothing stays open while
// the platform idles, and `pg` is loaded with the first session only.
import { TandemError } from '@tandem/protocol';
import { Socket } from 'node:net';
import type { Client, ClientConfig } from 'pg';

export interface SessionTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface SessionBounds {
  readonly timeoutMs: number;
  /** What the server may send in all; a database is as hostile as the app that owns it. */
  readonly receivedBytesMax: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** The server ends a statement before we stop waiting for it. */
const ANSWER_MARGIN_MS = 1_000;
const GOODBYE_TIMEOUT_MS = 1_000;

/** Every failure to connect or of a statement becomes SERVICE_FAILED, with the error as cause. */
export async function withSession<T>(
  target: SessionTarget,
  bounds: SessionBounds,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { Client } = (await import('pg')).default;
  const socket = boundedSocket(bounds.receivedBytesMax);
  const client = new Client(clientConfig(target, bounds, socket));
  // Without a listener an error between two statements would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } catch (error) {
    throw serviceFailed(target, error);
  } finally {
    const cut = setTimeout(() => socket.destroy(), GOODBYE_TIMEOUT_MS);
    await client.end().catch(() => undefined);
    clearTimeout(cut);
  }
}

function clientConfig(target: SessionTarget, bounds: SessionBounds, socket: Socket): ClientConfig {
  return {
    ...target,
    application_name: 'tandem',
    ssl: false,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: bounds.timeoutMs,
    lock_timeout: bounds.timeoutMs,
    query_timeout: bounds.timeoutMs + ANSWER_MARGIN_MS,
    stream: () => socket,
  };
}

function boundedSocket(receivedBytesMax: number): Socket {
  const socket = new Socket();
  socket.on('data', () => {
    if (socket.bytesRead <= receivedBytesMax) return;
    socket.destroy(new Error(`the server sent more than ${receivedBytesMax} bytes`));
  });
  return socket;
}

/** Class and number of an error, as in PostgreSQL's appendix A; undefined for one of ours. */
export function sqlState(thrown: unknown): string | undefined {
  const error = thrown instanceof TandemError ? thrown.cause : thrown;
  const code = error instanceof Error && 'severity' in error && 'code' in error ? error.code : '';
  return typeof code === 'string' && code.length === 5 ? code : undefined;
}

function serviceFailed(target: SessionTarget, error: unknown): TandemError {
  if (error instanceof TandemError) return error;
  const reason = error instanceof Error ? error.message || error.name : String(error);
  return new TandemError(
    'SERVICE_FAILED',
    `PostgreSQL, database ${target.database} as ${target.user}: ${reason}`,
    { hint: 'tandem status\ntandem doctor', cause: error },
  );
}
