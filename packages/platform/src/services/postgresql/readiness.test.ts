import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { askReadiness, readAnswer } from './readiness.ts';

const servers: Server[] = [];

async function serverThat(answers: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    answers(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

const ask = (port: number) => askReadiness({ host: '127.0.0.1', port }, 300);

function errorResponse(code: string, message: string): Buffer {
  const body = Buffer.from(`SFATAL\0C${code}\0M${message}\0\0`);
  const head = Buffer.from('E\0\0\0\0');
  head.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([head, body]);
}

describe('askReadiness', () => {
  it('is content with a server that asks for a password', async () => {
    const port = await serverThat((socket) =>
      socket.once('data', () => socket.write('R\0\0\0\x08')),
    );
    expect(await ask(port)).toMatchObject({ healthy: true });
  });

  it('tells a server that is starting, also when it answers in pieces', async () => {
    const answer = errorResponse('57P03', 'the database system is starting up');
    const port = await serverThat((socket) => {
      socket.write(answer.subarray(0, 7));
      setTimeout(() => socket.write(answer.subarray(7)), 20);
    });
    expect(await ask(port)).toEqual({
      healthy: false,
      detail: 'the database system is starting up',
    });
  });

  it('takes any other refusal as a sign of life', () => {
    expect(readAnswer(errorResponse('53300', 'too many clients'))).toMatchObject({ healthy: true });
  });

  it('reports a port nobody listens on', async () => {
    const port = await serverThat(() => undefined);
    const gone = servers.pop();
    await new Promise((resolve) => gone?.close(resolve));
    expect(await ask(port)).toEqual({ healthy: false, detail: 'ECONNREFUSED' });
  });

  it('does not wait for ever', async () => {
    const port = await serverThat(() => undefined);
    expect(await ask(port)).toEqual({ healthy: false, detail: 'no answer within 300 ms' });
  });

  it('reports a server that hangs up', async () => {
    const port = await serverThat((socket) => socket.destroy());
    expect((await ask(port)).healthy).toBe(false);
  });

  it('reports a server that speaks something else', async () => {
    const port = await serverThat((socket) => socket.write('HTTP/1.1 400 Bad Request\r\n'));
    expect(await ask(port)).toEqual({ healthy: false, detail: 'answered something else' });
  });
});
