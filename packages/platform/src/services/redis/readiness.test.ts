import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { askReadiness, readAnswers } from './readiness.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serverThat(greet: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    greet(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const ask = (port: number) => askReadiness({ host: '127.0.0.1', port, password: 'secret' }, 300);

describe('readAnswers', () => {
  it('waits for both answers, in pieces', () => {
    for (const part of ['', '+O', '+OK\r\n', '+OK\r\n+PONG', '+OK\r\n+PONG\r'])
      expect(readAnswers(part)).toBeUndefined();
    expect(readAnswers('+OK\r\n+PONG\r\n')).toEqual({
      healthy: true,
      detail: 'accepts connections',
    });
  });

  it.each([
    ['+OK\r\n-LOADING Redis is loading the dataset in memory\r\n', /^LOADING/],
    ['-WRONGPASS invalid username-password pair\r\n', /^WRONGPASS/],
    ['-ERR max number of clients reached\r\n', /max number of clients/],
    ['HTTP/1.1 400 Bad Request\r\n', /something else/],
  ])('gives the reason of %j', (answer, detail) => {
    const health = readAnswers(answer);
    expect(health?.healthy).toBe(false);
    expect(health?.detail).toMatch(detail);
  });
});

describe('askReadiness', () => {
  it('logs in and says hello, each once', async () => {
    const asked: string[] = [];
    const port = await serverThat((socket) =>
      socket.on('data', (chunk) => {
        asked.push(chunk.toString());
        socket.write('+OK\r\n+PONG\r\n');
      }),
    );
    expect(await ask(port)).toMatchObject({ healthy: true });
    expect(asked.join('')).toBe('*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n*1\r\n$4\r\nPING\r\n');
  });

  it('reports a port nobody listens on', async () => {
    const port = await serverThat(() => undefined);
    const gone = servers.pop();
    await new Promise((resolve) => gone?.close(resolve));
    expect(await ask(port)).toEqual({ healthy: false, detail: 'ECONNREFUSED' });
  });

  it('does not wait for ever, also when something trickles in', async () => {
    const silent = await serverThat(() => undefined);
    expect(await ask(silent)).toEqual({ healthy: false, detail: 'no answer within 300 ms' });
    const trickle = await serverThat((socket) => {
      const timer = setInterval(() => socket.write('+'), 50);
      socket.on('close', () => clearInterval(timer));
    });
    expect(await ask(trickle)).toEqual({ healthy: false, detail: 'no answer within 300 ms' });
  });

  it('reports a server that hangs up', async () => {
    const port = await serverThat((socket) => socket.destroy());
    expect((await ask(port)).healthy).toBe(false);
  });

  it('does not read without end', async () => {
    const port = await serverThat((socket) => socket.write('x'.repeat(100_000)));
    expect(await ask(port)).toEqual({ healthy: false, detail: 'answered something else' });
  });
});
