// Small writes of one turn of the event loop leave together at its end. A peer that sleeps is woken by the
// first of them and finds the others; one by one, each would wake it anew, which costs more than the
// write.
import type { Socket } from 'node:net';

/** Copied for it; larger pieces are worth a write of their own at once. */
export const TOGETHER_BYTES_MAX = 16 * 1024;

const corked: Socket[] = [];

/** In order with everything else that is written to `socket`. Text is Latin-1. */
export function writeTogether(socket: Socket, data: string | Buffer): void {
  if (socket.writableCorked === 0) {
    socket.cork();
    if (corked.push(socket) === 1) setImmediate(uncorkAll);
  }
  if (typeof data === 'string') socket.write(data, 'latin1');
  else socket.write(data);
}

function uncorkAll(): void {
  // Whatever happens in between begins the next list.
  for (const socket of corked.splice(0)) socket.uncork();
}
