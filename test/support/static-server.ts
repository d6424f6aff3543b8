// A static server of its own for a test: a real nginx, unprivileged, behind its unix socket.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { prepareStaticServer } from '../../packages/platform/src/adapters/nginx/nginx-command.ts';
import {
  layerMounts,
  pathsOf,
  staticSocket,
  type Paths,
} from '../../packages/platform/src/ports/paths.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

export class StaticServerFixture {
  readonly paths: Paths;
  readonly socket: string;
  readonly #root: string;
  readonly #slot: number;
  #nginx: ChildProcess | undefined;

  private constructor(root: string, slot: number) {
    this.#root = root;
    this.#slot = slot;
    this.paths = pathsOf('t', { data: join(root, 'data'), run: join(root, 'run') });
    this.socket = staticSocket(this.paths);
  }

  /** Only uids follow from the slot. */
  static async open(slot: number): Promise<StaticServerFixture> {
    const root = await mkdtemp(join(tmpdir(), 'tandem-static-'));
    await chmod(root, 0o755);
    return new StaticServerFixture(root, slot);
  }

  async put(path: string, content: string | Buffer): Promise<void> {
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, content);
  }

  inLayer(layer: string, path: string): string {
    return join(layerMounts(this.paths), layer, path);
  }

  async start(): Promise<void> {
    const [file, ...args] = await prepareStaticServer({ slot: this.#slot }, this.paths);
    const child = spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    this.#nginx = child;
    const pidFile = join(this.socket, '../nginx.pid');
    await vi.waitUntil(
      async () => Number(await readFile(pidFile, 'utf8').catch(() => '')) === child.pid,
      10_000,
    );
  }

  get(path: string, headers: object): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request({
        socketPath: this.socket,
        path,
        headers: headers as NodeJS.Dict<string>,
      });
      asked.on('error', reject).on('response', (response) => {
        const chunks: Buffer[] = [];
        response
          .on('data', (chunk: Buffer) => chunks.push(chunk))
          .on('end', () => {
            const { statusCode = 0, headers } = response;
            resolve({ status: statusCode, headers, body: Buffer.concat(chunks) });
          });
      });
      asked.end();
    });
  }

  async close(): Promise<void> {
    if (this.#nginx) {
      const gone = once(this.#nginx, 'exit');
      this.#nginx.kill('SIGTERM');
      await gone;
    }
    await rm(this.#root, { recursive: true, force: true });
  }
}
