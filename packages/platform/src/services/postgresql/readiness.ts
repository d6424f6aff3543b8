// Does the server take sessions? Asked as pg_isready does, by the first message of a session that
// is never opened: no password, no client library, no entry in the server's log.
import { connect } from 'node:net';
import { ADMIN_DATABASE, ADMIN_ROLE } from './identifiers.ts';
import type { ServiceHealth } from '../../ports/service-kind.ts';

/** "The database system is starting up", shutting down, or in recovery. */
const CANNOT_CONNECT_NOW = '57P03';
const PROTOCOL_VERSION = 196_608;
const ANSWER_BYTES_MAX = 16_384;

export async function askReadiness(
  endpoint: { readonly host: string; readonly port: number },
  timeoutMs: number,
): Promise<ServiceHealth> {
  const { promise, resolve } = Promise.withResolvers<ServiceHealth>();
  const unhealthy = (detail: string) => resolve({ healthy: false, detail });
  const socket = connect(endpoint);
  socket.setTimeout(timeoutMs, () => unhealthy(`no answer within ${timeoutMs} ms`));
  socket.once('connect', () => socket.write(startupMessage()));
  socket.once('error', (error: NodeJS.ErrnoException) => unhealthy(error.code ?? error.message));
  socket.once('close', () => unhealthy('closed the connection without an answer'));
  let answer = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    answer = Buffer.concat([answer, chunk]);
    const health = readAnswer(answer);
    if (health) resolve(health);
    else if (answer.length > ANSWER_BYTES_MAX) unhealthy('answered something else');
  });
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}

function startupMessage(): Buffer {
  const parameters = ['user', ADMIN_ROLE, 'database', ADMIN_DATABASE, '', ''].join('\0');
  const message = Buffer.alloc(8 + Buffer.byteLength(parameters));
  message.writeInt32BE(message.length, 0);
  message.writeInt32BE(PROTOCOL_VERSION, 4);
  message.write(parameters, 8);
  return message;
}

/** Undefined while the first message is not whole. */
export function readAnswer(answer: Buffer): ServiceHealth | undefined {
  const type = answer.subarray(0, 1).toString('latin1');
  if (type === '') return undefined;
  if (type === 'R') return { healthy: true, detail: 'accepts connections' };
  if (type !== 'E') return { healthy: false, detail: 'answered something else' };
  if (answer.length < 5 || answer.length < 1 + answer.readInt32BE(1)) return undefined;
  const fields = errorFields(answer.subarray(5, 1 + answer.readInt32BE(1)));
  const refusal = fields.get('M') ?? 'refused without a reason';
  // Any other refusal comes from a server that works: too many sessions, an address not allowed.
  const healthy = fields.get('C') !== CANNOT_CONNECT_NOW;
  return { healthy, detail: healthy ? `accepts connections (${refusal})` : refusal };
}

/** Fields of an ErrorResponse: a letter and a text each, ended by NUL. */
function errorFields(body: Buffer): Map<string, string> {
  const texts = body.toString('utf8').split('\0').filter(Boolean);
  return new Map(texts.map((text) => [text.slice(0, 1), text.slice(1)]));
}
