// `tandem balancer` as processes of their own: parent and workers, with a routes file in a directory
// that goes away with it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect } from 'vitest';
import { ask, type Backend, httpBackend } from './balancer-server.ts';

const DAEMON = join(
  import.meta.dirname,
  '../../packages/platform/src/daemons/standalone-balancer.ts',
);

export interface WrittenRoute {
  readonly host: string;
  readonly path?: string;
  readonly upstreams: readonly string[];
}

/** For each test of a file: a balancer not yet started, and backends that go away after it. */
export function useStandalone() {
  let balancer: StandaloneBalancer;
  let backends: Backend[];
  beforeEach(async () => {
    balancer = await StandaloneBalancer.create();
    backends = [];
  });
  afterEach(async () => {
    await balancer.close();
    await Promise.all(backends.map((backend) => backend.close()));
  });
  return {
    get balancer() {
      return balancer;
    },
    /** Its address; answers with `text`, after `delayMs`. */
    backend: async (text: string, delayMs = 0): Promise<string> => {
      const server = await httpBackend((_, response) => {
        setTimeout(() => response.end(text), delayMs);
      });
      backends.push(server);
      return `127.0.0.1:${server.port}`;
    },
  };
}

export const bodyOf = async (port: number, host = 'a.test', path = '/'): Promise<string> =>
  (await ask(port, { host, path })).body;

/** What the documentation promises, with room for a busy machine. */
const RELOAD_MS = 5_000;

export const becomes = (port: number, host: string, text: string): Promise<void> =>
  expect.poll(() => bodyOf(port, host), { timeout: RELOAD_MS, interval: 20 }).toContain(text);

export interface Ended {
  readonly code: number | null;
  readonly stderr: string;
  readonly stdout: string;
}

export class StandaloneBalancer {
  readonly directory: string;
  readonly #parents: ChildProcess[] = [];
  stderr = '';
  stdout = '';

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async create(): Promise<StandaloneBalancer> {
    return new StandaloneBalancer(await mkdtemp(join(tmpdir(), 'tandem-standalone-')));
  }

  get routesFile(): string {
    return join(this.directory, 'routes.json');
  }

  get accessLog(): string {
    return join(this.directory, 'access.log');
  }

  writeRoutes(...routes: readonly WrittenRoute[]): Promise<void> {
    return writeFile(this.routesFile, JSON.stringify({ routes }));
  }

  /** Resolves with its port once it serves; one worker, a log in its directory, unless told. */
  start(...args: readonly string[]): Promise<number> {
    return this.startAt(0, ...args);
  }

  async startAt(port: number, ...args: readonly string[]): Promise<number> {
    const where = `127.0.0.1:${port}`;
    const parent = this.#spawn(['--listen', where, '--workers', '1', ...args]);
    const failed = once(parent, 'exit').then(() => {
      throw new Error(`it ended: ${this.stderr}`);
    });
    const listening = expect
      .poll(() => this.stderr, { timeout: 30_000, interval: 20 })
      .toMatch(/listening on .*:\d+/);
    await Promise.race([listening, failed]);
    failed.catch(() => undefined);
    return Number(/listening on .*:(\d+)/.exec(this.stderr)?.[1]);
  }

  /** As systemd starts what a socket unit belongs to: descriptor 3 listens. Resolves with its port. */
  async startOnDescriptor(...args: readonly string[]): Promise<number> {
    const bindAndExec = `
import os, socket, sys
listener = socket.create_server(("127.0.0.1", 0))
os.dup2(listener.fileno(), 3)
os.set_inheritable(3, True)
print(listener.getsockname()[1], flush=True)
os.execv(sys.argv[1], sys.argv[1:])
`;
    this.#spawn(['--listen-fd', '3', '--workers', '2', ...args], ['python3', '-c', bindAndExec]);
    await this.says('listening on descriptor 3', 30_000);
    return Number(this.stdout.split('\n')[0]);
  }

  /** For what is expected to end by itself. */
  async run(...args: readonly string[]): Promise<Ended> {
    const parent = this.#spawn(args);
    const [code] = (await once(parent, 'close')) as [number | null];
    return { code, stderr: this.stderr, stdout: this.stdout };
  }

  get pid(): number {
    return this.#parents.at(-1)?.pid ?? 0;
  }

  signal(signal: NodeJS.Signals): void {
    this.#parents.at(-1)?.kill(signal);
  }

  async ended(): Promise<number | null> {
    const parent = this.#parents.at(-1);
    if (parent && parent.exitCode === null && parent.signalCode === null)
      await once(parent, 'exit');
    return parent?.exitCode ?? null;
  }

  async workers(): Promise<number[]> {
    const children = await readFile(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8');
    return children.trim().split(' ').filter(Boolean).map(Number);
  }

  async says(text: string | RegExp, timeoutMs = 15_000): Promise<void> {
    const poll = expect.poll(() => this.stderr, { timeout: timeoutMs, interval: 20 });
    await (typeof text === 'string' ? poll.toContain(text) : poll.toMatch(text));
  }

  async accessLines(file = this.accessLog): Promise<Record<string, unknown>[]> {
    const text = await readFile(file, 'utf8').catch(() => '');
    const lines = text.split('\n').filter(Boolean);
    return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  async close(): Promise<void> {
    for (const parent of this.#parents) {
      if (parent.exitCode !== null || parent.signalCode !== null) continue;
      const workers = await this.workers().catch(() => []);
      const exited = once(parent, 'exit');
      parent.kill('SIGKILL');
      for (const pid of workers) kill(pid);
      await exited;
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  #spawn(args: readonly string[], launcher: readonly string[] = []): ChildProcess {
    this.stderr = '';
    this.stdout = '';
    const log = args.includes('--access-log') ? [] : ['--access-log', this.accessLog];
    const node = [process.execPath, '--conditions=development', DAEMON];
    const [program = '', ...argv] = [...launcher, ...node, '--routes', this.routesFile];
    const parent = spawn(program, [...argv, ...log, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] },
    });
    this.#parents.push(parent);
    parent.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    parent.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    return parent;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It went with its parent.
  }
}
