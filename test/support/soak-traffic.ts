// Clients of all kinds, all at once, until told to stop: those that behave count what went wrong, those
// that do not only have to be survived.
import { once } from 'node:events';
import { Agent, type IncomingMessage, request, type RequestOptions } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHUNKS, LARGE_BYTES, SMALL } from './soak-app.ts';

const HOSTED = 'Host: a.test\r\n';
const GET = `GET / HTTP/1.1\r\n${HOSTED}\r\n`;
const UPGRADE = `GET / HTTP/1.1\r\n${HOSTED}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`;
const BODY = 'b'.repeat(10_000);
const STEP_MS_MAX = 15_000;

export interface TrafficReport {
  readonly done: Readonly<Record<string, number>>;
  /** By the behaving ones. */
  readonly failures: readonly string[];
}

export class SoakTraffic {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 32 });
  readonly #sockets = new Set<Socket>();
  readonly #done: Record<string, number> = {};
  readonly #failures: string[] = [];
  readonly #loops: Promise<void>[] = [];
  #isOver = false;

  constructor(port: number) {
    this.#port = port;
  }

  start(): void {
    for (let n = 0; n < 4; n += 1) {
      this.#repeat('get', true, () => this.#ask('/', SMALL.length));
      this.#repeat('slow answer', true, () => this.#ask('/slow', SMALL.length));
      this.#repeat('upgrade', false, () => this.#echo(n));
      this.#repeat('leave', false, () => this.#leave());
    }
    this.#repeat('chunked', true, () => this.#ask('/chunked', CHUNKS * 1_000));
    this.#repeat('large', true, () => this.#ask('/large', LARGE_BYTES));
    this.#repeat('post', true, () => this.#post({ 'Content-Length': BODY.length }));
    this.#repeat('chunked post', true, () => this.#post({ 'Transfer-Encoding': 'chunked' }));
    this.#repeat('pipeline', true, () => this.#pipeline());
    this.#repeat('held', true, () => this.#ask('/', undefined, 'hold.test'));
    this.#repeat('early answer', false, () => this.#raw(`POST /early`, 200_000));
    this.#repeat('slow reader', false, () => this.#readSlowly());
    this.#repeat('dying app', false, () => this.#raw('GET /dies', 0));
    this.#repeat('broken answer', false, () => this.#raw('GET /breaks-off', 0));
    this.#repeat('garbage', false, () => this.#garbage());
    this.#repeat('unknown host', true, () => this.#ask('/', undefined, 'nobody.test'));
  }

  /** All clients have left when it resolves. */
  async stop(): Promise<TrafficReport> {
    this.#isOver = true;
    const patience = setTimeout(() => this.#cut(), 3_000);
    await Promise.all(this.#loops);
    clearTimeout(patience);
    this.#agent.destroy();
    this.#cut();
    return { done: this.#done, failures: this.#failures };
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #repeat(name: string, mustSucceed: boolean, act: () => Promise<void>): void {
    const loop = async (): Promise<void> => {
      while (!this.#isOver) {
        try {
          await act();
          this.#done[name] = (this.#done[name] ?? 0) + 1;
        } catch (error) {
          if (mustSucceed) this.#failures.push(`${name}: ${String(error)}`);
        }
        await sleep(2);
      }
    };
    this.#loops.push(loop());
  }

  async #ask(path: string, length: number | undefined, host = 'a.test'): Promise<void> {
    const outgoing = this.#request({ path, headers: { Host: host } });
    outgoing.end();
    const body = await bodyOf(outgoing);
    if (length !== undefined && body.length !== length)
      throw new Error(`${path}: ${body.length} bytes, not ${length}`);
  }

  async #post(headers: Record<string, string | number>): Promise<void> {
    const outgoing = this.#request({
      ...{ path: '/length', method: 'POST', headers: { Host: 'a.test', ...headers } },
    });
    outgoing.write(BODY.slice(0, 4_000));
    await sleep(1);
    outgoing.end(BODY.slice(4_000));
    const body = await bodyOf(outgoing);
    if (body.toString() !== String(BODY.length)) throw new Error(`posted: ${body.toString()}`);
  }

  #request(options: RequestOptions): ReturnType<typeof request> {
    const signal = AbortSignal.timeout(STEP_MS_MAX);
    return request({ host: '127.0.0.1', port: this.#port, agent: this.#agent, signal, ...options });
  }

  async #pipeline(): Promise<void> {
    const socket = await this.#open();
    socket.write(GET.repeat(9) + GET.replace(HOSTED, `${HOSTED}Connection: close\r\n`));
    const text = await all(socket);
    const answers = text.split('HTTP/1.1 200 ').length - 1;
    if (answers !== 10) throw new Error(`${answers} of 10 answers`);
  }

  async #echo(kind: number): Promise<void> {
    const socket = await this.#open();
    socket.write(UPGRADE);
    await data(socket);
    for (let n = 0; n < 20; n += 1) {
      socket.write(BODY);
      await data(socket);
    }
    if (kind % 2 === 0) socket.destroy();
    else {
      socket.end();
      await all(socket);
    }
  }

  /** In the middle of something. */
  async #leave(): Promise<void> {
    const socket = await this.#open();
    const requests = [
      ...[GET, GET.slice(0, 20), GET.replace('/', '/slow'), GET.replace('/', '/large'), UPGRADE],
      `POST /length HTTP/1.1\r\n${HOSTED}Content-Length: 90000\r\n\r\n${BODY}`,
      `POST /length HTTP/1.1\r\n${HOSTED}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n`,
    ];
    socket.write(requests[Math.floor(Math.random() * requests.length)] ?? '');
    await sleep(Math.random() * 30);
    if (Math.random() < 0.5) socket.resetAndDestroy();
    else socket.destroy();
  }

  async #readSlowly(): Promise<void> {
    const socket = await this.#open();
    socket.pause().write(GET.replace('/', '/large'));
    for (let n = 0; n < 10 && !this.#isOver; n += 1) {
      await sleep(40);
      socket.read(20_000);
    }
    socket.destroy();
  }

  async #raw(start: string, bodyBytes: number): Promise<void> {
    const socket = await this.#open();
    const length = bodyBytes > 0 ? `Content-Length: ${bodyBytes}\r\n` : '';
    socket.write(`${start} HTTP/1.1\r\n${HOSTED}${length}Connection: close\r\n\r\n`);
    socket.write('x'.repeat(bodyBytes / 2));
    await all(socket);
  }

  async #garbage(): Promise<void> {
    const socket = await this.#open();
    socket.write(Buffer.from([22, 3, 1, 0, 200, 1, 0, 0]));
    await all(socket);
  }

  async #open(): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: this.#port, noDelay: true });
    this.#sockets.add(socket);
    socket.setTimeout(STEP_MS_MAX, () => socket.destroy());
    socket.on('error', () => undefined).once('close', () => this.#sockets.delete(socket));
    await once(socket, 'connect');
    return socket;
  }
}

/** Rejects when it is closed before. */
async function data(socket: Socket): Promise<void> {
  const closed = new AbortController();
  const abort = (): void => closed.abort();
  socket.once('close', abort);
  if (socket.destroyed) abort();
  await once(socket, 'data', { signal: closed.signal });
  socket.off('close', abort);
}

/** Until it is closed. */
async function all(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => (text += bytes.toString('latin1')));
  if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

async function bodyOf(outgoing: ReturnType<typeof request>): Promise<Buffer> {
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  await Promise.race([once(response, 'end'), once(response, 'close')]);
  if (!response.complete) throw new Error('an answer that breaks off');
  return Buffer.concat(chunks);
}
