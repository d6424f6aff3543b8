// Does the server answer its app? One login and one PING; while it still reads its data it says so.
// https://redis.io/docs/latest/develop/reference/protocol-spec/
import { connect } from 'node:net';
import type { ServiceHealth } from '../../ports/service-kind.ts';

const ANSWER_BYTES_MAX = 4_096;
const ANSWERS = 2;

export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

export async function askReadiness(
  { host, port, password }: RedisEndpoint,
  timeoutMs: number,
): Promise<ServiceHealth> {
  const { promise, resolve } = Promise.withResolvers<ServiceHealth>();
  const unhealthy = (detail: string) => resolve({ healthy: false, detail });
  const socket = connect({ host, port });
  socket.setTimeout(timeoutMs, () => unhealthy(`no answer within ${timeoutMs} ms`));
  const late = setTimeout(() => unhealthy(`no answer within ${timeoutMs} ms`), timeoutMs);
  socket.once('connect', () => socket.write(command('AUTH', password) + command('PING')));
  socket.once('error', (error: NodeJS.ErrnoException) => unhealthy(error.code ?? error.message));
  socket.once('close', () => unhealthy('closed the connection without an answer'));
  let answer = '';
  socket.on('data', (chunk) => {
    answer += chunk.toString('latin1');
    const health = readAnswers(answer);
    if (health) resolve(health);
    else if (answer.length > ANSWER_BYTES_MAX) unhealthy('answered something else');
  });
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    socket.destroy();
  }
}

function command(...words: readonly string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  return `*${words.length}\r\n${parts.join('')}`;
}

/** Undefined while the answers are not whole. */
export function readAnswers(answer: string): ServiceHealth | undefined {
  const lines = answer.split('\r\n').slice(0, -1);
  const refusal = lines.find((line) => !line.startsWith('+'));
  if (refusal?.startsWith('-')) return { healthy: false, detail: refusal.slice(1) };
  if (refusal !== undefined) return { healthy: false, detail: 'answered something else' };
  if (lines.length < ANSWERS) return undefined;
  return { healthy: true, detail: 'accepts connections' };
}
