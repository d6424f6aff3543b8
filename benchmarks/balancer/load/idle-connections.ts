// `idle-connections.ts PORT HOST COUNT`: keep-alive connections that have each had one answer. Prints a
// line when all stand, holds them until it is ended, and fails when one of them is closed.
import { connect, type Socket } from 'node:net';

const OPENING_MAX = 50;
const ANSWER_MS = 10_000;

const [port, host, count] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
let opened = 0;

await Promise.all(Array.from({ length: OPENING_MAX }, openSome));
process.stdout.write('open\n');

async function openSome(): Promise<void> {
  while (opened < count) {
    opened += 1;
    const socket = await answered();
    socket.on('close', () => {
      throw new Error('an idle connection was closed');
    });
  }
}

async function answered(): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(port, '127.0.0.1');
  const timer = setTimeout(() => reject(new Error('no answer in time')), ANSWER_MS);
  socket.once('error', reject);
  // A small answer comes in one piece or two; what matters is that it came.
  socket.once('data', (chunk: Buffer) => {
    const head = chunk.toString('latin1');
    if (head.startsWith('HTTP/1.1 200 ')) resolve(socket);
    else reject(new Error(head.slice(0, 200)));
  });
  socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
  await promise;
  clearTimeout(timer);
  return socket;
}
