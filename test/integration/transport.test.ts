// The Transport contract on ZeroMQ, over a unix socket and over TCP on both address families, and
// what only this adapter promises: key files and admission while running.
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { curveKeyPair } from 'zeromq';
import {
  createTransportClient,
  createTransportServer,
  ensureCurveKeys,
  type Endpoints,
  ipcEndpoints,
  readCurveKeys,
  readCurvePublicKey,
  tcpEndpoints,
  writeAdmittedKeys,
} from '../../packages/platform/src/adapters/zeromq/index.ts';
import { encodeZ85 } from '../../packages/platform/src/adapters/zeromq/admission.ts';
import {
  CLIENT_ONLY_SCHEMAS,
  CONTRACT_SCHEMAS,
  type TransportHarness,
  transportContract,
} from '../../packages/platform/src/ports/transport.contract.ts';
import type {
  TransportClient,
  TransportServer,
} from '../../packages/platform/src/ports/transport.ts';

const directory = await mkdtemp(join(tmpdir(), 'tandem-transport-'));
afterAll(() => rm(directory, { recursive: true, force: true }));

const log = (): void => undefined;
let count = 0;

/** Three free ports in a row; held by nobody, so another test may be faster: ask again then. */
async function freePorts(host: string): Promise<number> {
  for (;;) {
    const first = await listenOn(host, 0);
    const others = await Promise.all([1, 2].map((step) => listenOn(host, first.port + step)));
    for (const server of [first, ...others]) server.close();
    if (others.every((other) => other.port > 0)) return first.port;
  }
}

function listenOn(host: string, port: number): Promise<{ port: number; close: () => void }> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve({ port: -1, close: () => undefined }));
    server.listen(port, host, () => {
      resolve({ port: (server.address() as AddressInfo).port, close: () => server.close() });
    });
  });
}

async function setUp(chooseEndpoints: () => Promise<Endpoints>): Promise<TransportHarness> {
  const own = join(directory, String((count += 1)));
  const endpoints = await chooseEndpoints();
  const serverKeys = await ensureCurveKeys(own, 'nexus');
  const clientKeys = await ensureCurveKeys(own, 'client');
  const admittedKeysFile = join(own, 'admitted');
  await writeAdmittedKeys(admittedKeysFile, { client: clientKeys.publicKey });
  const open: (TransportServer | TransportClient)[] = [];
  return {
    async startServer() {
      const server = await createTransportServer({
        endpoints: [endpoints],
        keys: serverKeys,
        admittedKeysFile,
        schemas: CONTRACT_SCHEMAS,
        log,
      });
      open.push(server);
      return server;
    },
    connect(name, { admitted = true, wrongServerKey = false } = {}) {
      const publicKey = wrongServerKey ? curveKeyPair().publicKey : serverKeys.publicKey;
      const client = createTransportClient({
        name,
        servers: [{ endpoints, publicKey }],
        keys: admitted ? clientKeys : curveKeyPair(),
        schemas: CLIENT_ONLY_SCHEMAS,
        log,
      });
      open.push(client);
      return client;
    },
    async close() {
      for (const one of open) await one.close();
    },
  };
}

transportContract('zeromq over a unix socket', () =>
  setUp(() => Promise.resolve(ipcEndpoints(join(directory, `s${(count += 1)}`)))),
);
transportContract('zeromq over IPv4', () =>
  setUp(async () => tcpEndpoints('127.0.0.1', await freePorts('127.0.0.1'))),
);
transportContract('zeromq over IPv6', () =>
  setUp(async () => tcpEndpoints('::1', await freePorts('::1'))),
);

describe('CURVE key files', () => {
  it('are made once, the secret half readable by its owner only', async () => {
    const own = join(directory, 'keys');
    const keys = await ensureCurveKeys(own, 'balancer', { uid: 65534, gid: 65534 });
    expect(await ensureCurveKeys(own, 'balancer')).toEqual(keys);
    const file = await stat(join(own, 'balancer.key'));
    expect([file.mode & 0o777, file.uid]).toEqual([0o600, 65534]);
    expect(await readCurvePublicKey(join(own, 'balancer.pub'))).toBe(keys.publicKey);
    expect(await readCurveKeys(join(own, 'balancer.key'))).toEqual(keys);
  });

  it('are never replaced when they cannot be read', async () => {
    const own = join(directory, 'broken');
    await ensureCurveKeys(own, 'a');
    await writeFile(join(own, 'a.key'), 'half a ke');
    await expect(ensureCurveKeys(own, 'a')).rejects.toThrow(/holds no CURVE key pair/);
    expect(await readFile(join(own, 'a.key'), 'utf8')).toBe('half a ke');
    await expect(readCurveKeys(join(own, 'missing.key'))).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('have the text form of the ZeroMQ specification', () => {
    const bytes = Buffer.from([0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b]);
    expect(encodeZ85(bytes)).toBe('HelloWorld');
  });
});

describe('admission', () => {
  it('takes in a key that is added while the server runs; sockets stay private', async () => {
    const own = join(directory, 'admission');
    const path = join(directory, 'adm');
    const keys = await ensureCurveKeys(own, 'nexus');
    const joiner = await ensureCurveKeys(own, 'joiner');
    const admittedKeysFile = join(own, 'admitted');
    const server = await createTransportServer({
      endpoints: [ipcEndpoints(path)],
      keys,
      admittedKeysFile,
      schemas: CONTRACT_SCHEMAS,
      socketGid: 65534,
      log,
    });
    server.onRequest(() => Promise.resolve({ type: 'test.answer', n: 1 }));
    const client = createTransportClient({
      name: 'joiner',
      servers: [{ endpoints: ipcEndpoints(path), publicKey: keys.publicKey }],
      keys: joiner,
      schemas: CONTRACT_SCHEMAS,
      log,
    });
    try {
      const ask = { type: 'test.ask', n: 1 };
      await expect(client.request(ask, { timeoutMs: 600 })).rejects.toThrow();
      await writeAdmittedKeys(admittedKeysFile, { joiner: joiner.publicKey });
      // A refused client tries again by itself.
      expect(await client.request(ask, { timeoutMs: 20_000 })).toMatchObject({ n: 1 });
      const socket = await stat(`${path}.requests`);
      expect([socket.mode & 0o777, socket.gid]).toEqual([0o660, 65534]);
    } finally {
      await client.close();
      await server.close();
    }
  });
});
