// A backend that is a process of its own, so it can be killed: `http-backend.ts VERSION KEEPALIVE-MS`.
// Says its port, answers `VERSION` to GET and `VERSION <length of the body>` to POST, some answers
// in parts and after a while. Ends at once when killed, whatever is under way.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [version = '', keepAliveMs = '75000'] = process.argv.slice(2);

const server = createServer(
  { keepAliveTimeout: Number(keepAliveMs), keepAliveTimeoutBuffer: 0 },
  (request, response) => {
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => (sizeBytes += chunk.length));
    request.on('end', () => {
      const answer = request.method === 'POST' ? `${version} ${sizeBytes}` : version;
      const delayMs = request.url?.startsWith('/slow') ? 40 : 0;
      if (delayMs === 0) {
        response.end(`<${answer}>`);
        return;
      }
      response.write('<');
      setTimeout(() => response.end(`${answer}>`), delayMs);
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
