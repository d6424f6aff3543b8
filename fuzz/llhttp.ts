// The parser of Node, asked how it reads bytes: nothing of it is ours.
import { createServer, type IncomingMessage, METHODS } from 'node:http';
import { Duplex } from 'node:stream';

export interface LlhttpRequest {
  readonly method: string;
  readonly target: string;
  body: string;
  isWhole: boolean;
}

export interface LlhttpReading {
  readonly requests: readonly LlhttpRequest[];
  readonly error: string | undefined;
}

/** `bytes` by the request; a method that Node does not know is read as PUT. */
export function readByLlhttp(pieces: readonly string[]): Promise<LlhttpReading> {
  const requests: LlhttpRequest[] = [];
  let error: string | undefined = undefined;
  const server = createServer({
    ...{ maxHeaderSize: 1 << 20, requireHostHeader: false },
    shouldUpgradeCallback: () => false,
  });
  server.on('request', (request: IncomingMessage, response) => {
    const read = {
      method: request.method ?? '',
      target: request.url ?? '',
      body: '',
      isWhole: false,
    };
    requests.push(read);
    request.on('data', (bytes: Buffer) => (read.body += bytes.toString('latin1')));
    request.on('error', () => undefined);
    request.once('end', () => {
      read.isWhole = true;
      response.end();
    });
  });
  return new Promise((resolve) => {
    const stream = new Duplex({ read: () => undefined, write: (_, __, done) => done() });
    // What was parsed is told a little later than the end.
    const finish = (): void => {
      setImmediate(() => {
        setImmediate(() => {
          stream.destroy();
          server.close();
          resolve({ requests, error });
        });
      });
    };
    server.on('clientError', (cause: NodeJS.ErrnoException) => {
      // The end of the bytes in the middle of a request.
      if (cause.code !== 'HPE_INVALID_EOF_STATE' && cause.code !== 'ECONNRESET')
        error = cause.message;
      finish();
    });
    stream.once('close', finish).on('error', () => undefined);
    server.emit('connection', stream);
    stream.push(Buffer.from(pieces.map(knownMethod).join(''), 'latin1'));
    stream.push(null);
    setImmediate(finish);
  });
}

function knownMethod(request: string): string {
  const method = /^[^ ]*/.exec(request)?.[0] ?? '';
  return METHODS.includes(method) ? request : `PUT${request.slice(method.length)}`;
}
