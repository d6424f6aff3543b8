// A backend that keeps every byte it was sent, by connection, and answers each whole request. It
// reads only as much HTTP as it takes to see where a request ends; what the bytes mean is for
// two-parsers.ts to say.
import type { Socket } from 'node:net';
import { type Backend, rawBackend } from './balancer-server.ts';

const HEAD_END = '\r\n\r\n';

export interface RecordedConnection {
  bytes: Buffer;
  /** Offsets at which requests begin, the last one perhaps of an unfinished request. */
  readonly starts: number[];
  /** Of each whole request: which one it was of all that this backend received. */
  readonly order: number[];
}

export class RecordingBackend {
  readonly connections: RecordedConnection[] = [];
  readonly #backend: Backend;
  #requests = 0;

  private constructor(backend: Backend) {
    this.#backend = backend;
  }

  static async start(): Promise<RecordingBackend> {
    let recording: RecordingBackend | undefined = undefined;
    const backend = await rawBackend((socket) => recording?.record(socket));
    recording = new RecordingBackend(backend);
    return recording;
  }

  get upstream(): Backend['upstream'] {
    return this.#backend.upstream;
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  record(socket: Socket): void {
    const connection: RecordedConnection = { bytes: Buffer.alloc(0), starts: [0], order: [] };
    this.connections.push(connection);
    socket.on('data', (chunk: Buffer) => {
      connection.bytes = Buffer.concat([connection.bytes, chunk]);
      this.#answerWhole(connection, socket);
    });
  }

  #answerWhole(connection: RecordedConnection, socket: Socket): void {
    for (;;) {
      const start = connection.starts.at(-1) ?? 0;
      const end = endOfRequest(connection.bytes, start);
      if (end === undefined) return;
      connection.starts.push(end);
      connection.order.push((this.#requests += 1));
      const isHead = connection.bytes.toString('latin1', start, start + 5) === 'HEAD ';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${isHead ? '' : 'ok'}`);
    }
  }
}

/** Where the request that begins at `start` ends, or undefined while it is not whole. */
export function endOfRequest(bytes: Buffer, start: number): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END, start, 'latin1');
  if (headEnd < 0) return undefined;
  const head = bytes.toString('latin1', start, headEnd);
  const bodyStart = headEnd + HEAD_END.length;
  if (/\r\ntransfer-encoding:/i.test(head)) return endOfChunks(bytes, bodyStart);
  const end = bodyStart + Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  return end <= bytes.length ? end : undefined;
}

function endOfChunks(bytes: Buffer, start: number): number | undefined {
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at, 'latin1');
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (size === 0) return endOfTrailers(bytes, lineEnd);
    at = lineEnd + 2 + size + 2;
  }
}

function endOfTrailers(bytes: Buffer, lineEnd: number): number | undefined {
  const end = bytes.indexOf(HEAD_END, lineEnd, 'latin1');
  return end < 0 ? undefined : end + HEAD_END.length;
}
