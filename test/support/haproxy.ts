// A real HAProxy in front of a balancer.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

export interface HaproxyOptions {
  /** Where it listens. */
  readonly host: string;
  readonly backendPort: number;
  /** Of the line `server`: `send-proxy-v2` and the like. */
  readonly serverOptions: string;
}

export class Haproxy {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.port = port;
    this.#child = child;
    this.#directory = directory;
  }

  static async start({ host, backendPort, serverOptions }: HaproxyOptions): Promise<Haproxy> {
    const port = await freePort(host);
    const directory = await mkdtemp(join(tmpdir(), 'tandem-haproxy-'));
    const file = join(directory, 'haproxy.cfg');
    const bind = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    await writeFile(
      file,
      `global
  maxconn 100
defaults
  mode tcp
  timeout connect 5s
  timeout client 20s
  timeout server 20s
listen all
  bind ${bind}
  server one 127.0.0.1:${backendPort} ${serverOptions}
`,
    );
    const child = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'ignore', 'pipe'] });
    let stderr = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.once('error', (error) => (stderr += String(error)));
    const haproxy = new Haproxy(port, child, directory);
    try {
      await expect
        .poll(() => accepts(port, host), { timeout: 15_000, interval: 50, message: stderr })
        .toBe(true);
    } catch (error) {
      await haproxy.close();
      throw new Error(`haproxy does not listen: ${stderr}`, { cause: error });
    }
    return haproxy;
  }

  async close(): Promise<void> {
    if (this.#child.pid !== undefined && this.#child.exitCode === null) {
      const exited = new Promise((resolve) => this.#child.once('exit', resolve));
      this.#child.kill('SIGKILL');
      await exited;
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Free a moment ago: HAProxy does not say which one it took. */
async function freePort(host: string): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function accepts(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
