import { describe, expect, it } from 'vitest';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { listeningPorts, parseTable } from './listening-ports.ts';

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue\n';

describe('parseTable', () => {
  it('knows a socket on every address', () => {
    const line = '   0: 00000000:1F40 00000000:0000 0A 00000000:00000000\n';
    expect(parseTable(HEAD + line)).toEqual([{ port: 8000, localhostOnly: false }]);
  });

  it('knows localhost of both families', () => {
    const v4 = '   0: 0100007F:1388 00000000:0000 0A 0:0\n';
    const v6 =
      '   0: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 0:0\n';
    expect(parseTable(HEAD + v4 + v6).every((port) => port.localhostOnly)).toBe(true);
  });

  it('passes over connections that are not listening', () => {
    expect(parseTable(`${HEAD}   0: 0100007F:1388 0100007F:9999 01 0:0\n`)).toEqual([]);
  });

  it('takes an empty table', () => {
    expect(parseTable('')).toEqual([]);
  });
});

describe('listeningPorts', () => {
  it('sees a real server', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const found = (await listeningPorts(process.pid)).find((entry) => entry.port === port);
    server.close();
    expect(found).toEqual({ port, localhostOnly: true });
  });

  it('says nothing of a process that is gone', async () => {
    expect(await listeningPorts(2 ** 22)).toEqual([]);
  });
});
