import { once } from 'node:events';
import { connect, createServer, type TLSSocket } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { examinePair } from '../../domain/certificate/certificate-pair.ts';
import { selfSign } from './self-signed.ts';

const NOW = Math.floor(Date.now() / 1000) * 1000;
const validity = { notBeforeMs: NOW - 1_000, notAfterMs: NOW + 60_000 };

describe('a self-signed certificate', () => {
  it('is a sound pair for its names and times', async () => {
    const pair = await selfSign({ names: ['localhost', '*.localhost'], ...validity });
    const verdict = examinePair(pair, { hosts: ['a.localhost', 'localhost'], nowMs: NOW });
    expect(verdict).toMatchObject({
      facts: { names: ['localhost', '*.localhost'], ...validity, issuer: 'CN=Tandem self-signed' },
    });
  });

  it('never repeats its key', async () => {
    const [one, other] = await Promise.all([
      selfSign({ names: ['a.example'], ...validity }),
      selfSign({ names: ['a.example'], ...validity }),
    ]);
    expect(one.privateKeyPem).not.toBe(other.privateKeyPem);
    expect(one.chainPem).not.toBe(other.chainPem);
  });

  it('carries long names', async () => {
    const name = `${'a'.repeat(60)}.${'b'.repeat(60)}.example`;
    const pair = await selfSign({ names: [name], ...validity });
    expect(examinePair(pair, { hosts: [name], nowMs: NOW })).toHaveProperty('facts');
  });

  it('satisfies a client that trusts it', async () => {
    const { chainPem, privateKeyPem } = await selfSign({ names: ['shop.example'], ...validity });
    const server = createServer({ cert: chainPem, key: privateKeyPem }, (socket) => socket.end());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client: TLSSocket = connect({
      port,
      host: '127.0.0.1',
      servername: 'shop.example',
      ca: chainPem,
    });
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
    client.destroy();
    server.close();
  });
});
