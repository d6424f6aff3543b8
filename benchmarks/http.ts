// When does a server answer, and what?
import { request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 5;
const TIMEOUT_MS = 60_000;

export interface Address {
  readonly port: number;
  readonly host: string;
  readonly path?: string;
}

/** The body of the first answer below 500; asks again every few milliseconds until then. */
export async function firstAnswer(address: Address): Promise<string> {
  const deadlineMs = performance.now() + TIMEOUT_MS;
  for (;;) {
    const answer = await get(address).catch(() => undefined);
    if (answer && answer.status < 500) return answer.body;
    if (performance.now() > deadlineMs) throw new Error(`no answer from ${address.host}`);
    await delay(POLL_MS);
  }
}

export async function get({
  port,
  host,
  path = '/',
}: Address): Promise<{ status: number; body: string }> {
  return await new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, agent: false, headers: { host } };
    const asked = request(options, (answer) => {
      let body = '';
      answer.setEncoding('utf8').on('data', (text: string) => (body += text));
      answer.once('end', () => resolve({ status: answer.statusCode ?? 0, body }));
      answer.once('error', reject);
    });
    asked.setTimeout(TIMEOUT_MS, () => asked.destroy(new Error('no answer in time')));
    asked.once('error', reject).end();
  });
}
