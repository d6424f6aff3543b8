// HTTP/1.1 inside TLS: what differs from a plain connection is when a written byte has left.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ServedCertificate } from '../../packages/platform/src/balancer/tls/certificate-shelf.ts';
import { TestBalancer } from '../support/balancer-server.ts';
import { OK, ScriptedApp } from '../support/scripted-app.ts';
import { askSecurely, makeCertificate, shakeHands } from '../support/tls-client.ts';

let certificate: ServedCertificate;
let balancer: TestBalancer;
let app: ScriptedApp;

beforeAll(async () => {
  certificate = await makeCertificate(['a.test']);
});

beforeEach(async () => {
  app = await ScriptedApp.start();
  balancer = new TestBalancer();
  balancer.shelf.set([certificate]);
  await balancer.listenTls();
  balancer.to([app.upstream]);
});

afterEach(async () => {
  await balancer.close();
  await app.close();
});

describe('HTTP/1.1 over TLS', () => {
  it.each([0, 1, 1_000, 16_384, 70_000, 3_000_000])('answers with %i bytes', async (size) => {
    const body = 'abcdefghij'.repeat(size / 10 + 1).slice(0, size);
    app.answer = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${body}`;
    const answers = await Promise.all([1, 2, 3].map(() => askSecurely(balancer.tlsPort)));
    expect(answers.every((answer) => answer.body === body)).toBe(true);
  });

  it('keeps pipelined answers apart when they are many', async () => {
    app.answer = ({ target }) => {
      const body = target.repeat(400);
      return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    };
    const socket = await shakeHands(balancer.tlsPort);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    const targets = Array.from({ length: 50 }, (_, index) => `/${index}-`);
    socket.write(
      targets.map((target) => `GET ${target} HTTP/1.1\r\nHost: a.test\r\n\r\n`).join(''),
    );
    await expect.poll(() => text, { timeout: 5_000 }).toContain('/49-'.repeat(400));
    for (const target of targets) expect(text).toContain(target.repeat(400));
    socket.destroy();
  });

  it('passes chunks and bodies on', async () => {
    app.answer = ({ rawBody }) =>
      `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${rawBody.length.toString(16)}\r\n${rawBody}\r\n0\r\n\r\n`;
    const body = 'z'.repeat(200_000);
    const answer = await askSecurely(balancer.tlsPort, { method: 'POST', body });
    expect(answer).toEqual({ status: 200, body: `hello${body}` });
  });

  it('waits for a client that reads slowly', async () => {
    const size = 8_000_000;
    app.answer = `HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`;
    const socket = await shakeHands(balancer.tlsPort);
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    await sleep(300);
    let read = 0;
    socket.on('data', (bytes: Buffer) => (read += bytes.length));
    socket.resume();
    await once(socket, 'end');
    expect(read).toBeGreaterThan(size);
  });

  it('carries a WebSocket', async () => {
    app.answer = (_, socket) => {
      socket.on('data', (bytes: Buffer) => socket.write(bytes));
      return 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nhi';
    };
    const socket = await shakeHands(balancer.tlsPort);
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
    socket.write(
      'GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await expect.poll(() => text).toMatch(/101 [^]*hi$/);
    socket.write('frame');
    await expect.poll(() => text).toMatch(/hiframe$/);
    socket.destroy();
  });

  it('ends what is idle and finishes what is not when it closes', async () => {
    let release: () => void = () => undefined;
    app.answer = (_, socket) => {
      release = () => socket.write(OK);
      return undefined;
    };
    const idle = await shakeHands(balancer.tlsPort);
    const asking = askSecurely(balancer.tlsPort);
    await expect.poll(() => app.requests.length).toBe(1);
    const idleClosed = once(idle.resume(), 'close');
    const closing = balancer.close({ idleMs: 0, tunnelMs: 0, requestMs: 5_000 });
    await idleClosed;
    release();
    expect((await asking).body).toBe('ok');
    await closing;
  });
});
