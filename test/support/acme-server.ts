// A certificate authority of its own for a test: Debian's pebble with a DNS of its own, both on free
// ports, strict, rejecting some nonces as it does by default.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request, Agent } from 'node:https';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { selfSign } from '../../packages/platform/src/adapters/self-signed/self-signed.ts';
import type { StubDns } from './stub-dns.ts';

export interface AcmeServerOptions {
  readonly validityS?: number;
  readonly blocked?: readonly string[];
  readonly dns: StubDns;
  readonly httpPort: number;
  readonly tlsPort: number;
  /** Of an earlier one that was stopped: it comes back at the same place. */
  readonly at?: AcmePlace;
}

export interface AcmePlace {
  readonly port: number;
  readonly managementPort: number;
  readonly certificate: { readonly chainPem: string; readonly privateKeyPem: string };
}

const START_TIMEOUT_MS = 20_000;
const START_ATTEMPTS = 5;

interface Parts {
  readonly place: AcmePlace;
  readonly directory: string;
  readonly child: ChildProcess;
  readonly output: () => string;
}

export class AcmeServer {
  readonly place: AcmePlace;
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #output: () => string;

  constructor(parts: Parts) {
    this.place = parts.place;
    this.#directory = parts.directory;
    this.#child = parts.child;
    this.#output = parts.output;
  }

  static async start(options: AcmeServerOptions): Promise<AcmeServer> {
    for (let attempt = 1; ; attempt += 1) {
      const place = options.at ?? (await freePlace());
      const server = await launch(place, options);
      try {
        await server.#ready();
        return server;
      } catch (error) {
        await server.stop();
        // Somebody else took a port between our look and its start.
        if (attempt === START_ATTEMPTS || !/address already in use/.test(String(error)))
          throw error;
      }
    }
  }

  get directoryUrl(): string {
    return `https://localhost:${this.place.port}/dir`;
  }

  /** What its HTTPS is to be trusted by. */
  get caPem(): string {
    return this.place.certificate.chainPem;
  }

  get log(): string {
    return this.#output();
  }

  /** What its certificates are to be trusted by; another one after each start. */
  async rootPem(): Promise<string> {
    return await this.#manage('/roots/0');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #ready(): Promise<void> {
    for (const endMs = Date.now() + START_TIMEOUT_MS; ; await sleep(50)) {
      if (await this.rootPem().then(Boolean, () => false)) return;
      if (this.#child.exitCode !== null || Date.now() > endMs)
        throw new Error(`pebble did not start: ${this.log}`);
    }
  }

  async #manage(path: string): Promise<string> {
    const agent = new Agent({ ca: this.caPem });
    const outgoing = request({ host: 'localhost', port: this.place.managementPort, path, agent });
    outgoing.setTimeout(5_000, () => outgoing.destroy(new Error('no answer'))).end();
    const [response] = (await once(outgoing, 'response')) as [AsyncIterable<Buffer>];
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  }
}

async function launch(place: AcmePlace, options: AcmeServerOptions): Promise<AcmeServer> {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-acme-'));
  const { chainPem, privateKeyPem } = place.certificate;
  await writeFile(join(directory, 'cert.pem'), chainPem);
  await writeFile(join(directory, 'key.pem'), privateKeyPem);
  const config = {
    listenAddress: `127.0.0.1:${place.port}`,
    managementListenAddress: `127.0.0.1:${place.managementPort}`,
    certificate: join(directory, 'cert.pem'),
    privateKey: join(directory, 'key.pem'),
    httpPort: options.httpPort,
    tlsPort: options.tlsPort,
    domainBlocklist: options.blocked ?? [],
    ...(options.validityS !== undefined && { certificateValidityPeriod: options.validityS }),
  };
  await writeFile(join(directory, 'config.json'), JSON.stringify({ pebble: config }));
  const args = ['-strict', '-config', join(directory, 'config.json')];
  const child = spawn('pebble', [...args, '-dnsserver', options.dns.address], {
    // Without the pauses it makes to annoy clients; those are for whole minutes.
    env: { PATH: process.env['PATH'], PEBBLE_VA_NOSLEEP: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.once('error', (error) => (output += String(error)));
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  return new AcmeServer({ place, directory, child, output: () => output });
}

async function freePlace(): Promise<AcmePlace> {
  const nowMs = Date.now();
  const certificate = await selfSign({
    names: ['localhost'],
    notBeforeMs: nowMs - 60_000,
    notAfterMs: nowMs + 3_600_000,
  });
  return { port: await freePort(), managementPort: await freePort(), certificate };
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
