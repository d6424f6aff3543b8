// `websocket-echo.ts PORT`: answers the handshake of a WebSocket and sends each frame back unmasked.
// Only what the load generator sends: frames of less than 126 bytes, masked, as clients must.
import { createHash } from 'node:crypto';
import { createServer, type Socket } from 'node:net';

const HEAD_BYTES = 2;
const MASK_BYTES = 4;
/** RFC 6455, section 1.3. */
const ACCEPT_SUFFIX = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

createServer({ noDelay: true }, serve).listen(Number(process.argv[2]), '127.0.0.1', () =>
  process.stdout.write('listening\n'),
);

function serve(socket: Socket): void {
  let isOpen = false;
  let rest: Buffer = Buffer.alloc(0);
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (!isOpen) {
      const end = rest.indexOf('\r\n\r\n');
      if (end === -1) return;
      socket.write(handshake(rest.toString('latin1', 0, end)));
      rest = rest.subarray(end + 4);
      isOpen = true;
    }
    rest = echo(socket, rest);
  });
}

function handshake(head: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(head)?.[1];
  if (key === undefined) return 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n';
  const accept = createHash('sha1')
    .update(key + ACCEPT_SUFFIX)
    .digest('base64');
  const upgrade = 'Upgrade: websocket\r\nConnection: Upgrade\r\n';
  return `HTTP/1.1 101 Switching Protocols\r\n${upgrade}Sec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** What is left: the beginning of a frame. */
function echo(socket: Socket, bytes: Buffer): Buffer {
  let from = 0;
  while (bytes.length - from >= HEAD_BYTES) {
    const size = (bytes[from + 1] ?? 0) & 0x7f;
    const end = from + HEAD_BYTES + MASK_BYTES + size;
    if (bytes.length < end) break;
    const frame = Buffer.allocUnsafe(HEAD_BYTES + size);
    frame[0] = bytes[from] ?? 0;
    frame[1] = size;
    const [mask, payload] = [from + HEAD_BYTES, from + HEAD_BYTES + MASK_BYTES];
    for (let index = 0; index < size; index += 1) {
      frame[HEAD_BYTES + index] = (bytes[payload + index] ?? 0) ^ (bytes[mask + (index & 3)] ?? 0);
    }
    socket.write(frame);
    from = end;
  }
  return bytes.subarray(from);
}
