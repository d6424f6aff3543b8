// What every measurement is given.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { startEchoBackend, startHttpBackend, type Backend } from './backend.ts';
import { PinnedProcesses } from './pinned-processes.ts';
import { PROXIES } from './proxies/index.ts';
import { HTTP_HOST, type Proxy, type ProxyName, type TlsFiles } from './proxies/proxy.ts';
import { untilServing } from './ready.ts';
import { requireSameJob } from './same-job.ts';

export const PROXY_NAMES = Object.keys(PROXIES) as ProxyName[];

export interface BenchOptions {
  readonly scratch: string;
  readonly rounds: number;
  /** Of each slice of load that counts. */
  readonly seconds: number;
}

export class Bench {
  readonly scratch: string;
  readonly rounds: number;
  readonly seconds: number;
  readonly processes = new PinnedProcesses();
  readonly #backend: Promise<Backend>;
  readonly #echo: Promise<Backend>;
  #proxies: Promise<readonly Proxy[]> | undefined;
  #directories = 0;

  constructor({ scratch, rounds, seconds }: BenchOptions) {
    [this.scratch, this.rounds, this.seconds] = [scratch, rounds, seconds];
    this.#backend = this.startBackend();
    this.#echo = startEchoBackend(this.processes);
    // Whoever needs them hears of a failure.
    for (const starting of [this.#backend, this.#echo]) starting.catch(() => undefined);
  }

  get backend(): Promise<Backend> {
    return this.#backend;
  }

  /** All of them, started once, idle but for the one that is measured. */
  proxies(): Promise<readonly Proxy[]> {
    this.#proxies ??= this.#startProxies();
    return this.#proxies;
  }

  /** One more, for a figure that needs it fresh. It serves when this resolves. */
  async startProxy(name: ProxyName, more: { readonly tls?: TlsFiles } = {}): Promise<Proxy> {
    const [backend, echo] = [await this.#backend, await this.#echo];
    const proxy = await PROXIES[name]({
      processes: this.processes,
      directory: await this.directory(name.replace(' ', '-')),
      backendPort: backend.port,
      echoPort: echo.port,
      ...more,
    });
    await untilServing(proxy.process, { port: proxy.httpPort, host: HTTP_HOST });
    return proxy;
  }

  async startBackend(smallBody?: string): Promise<Backend> {
    const directory = await this.directory('backend');
    const backend = await startHttpBackend(this.processes, directory, smallBody);
    await untilServing(backend.process, { port: backend.port, host: HTTP_HOST });
    return backend;
  }

  async directory(name: string): Promise<string> {
    this.#directories += 1;
    const path = join(this.scratch, `${name}-${this.#directories}`);
    await mkdir(path);
    return path;
  }

  close(): Promise<void> {
    return this.processes.close();
  }

  async #startProxies(): Promise<readonly Proxy[]> {
    const proxies: Proxy[] = [];
    for (const name of PROXY_NAMES) {
      const proxy = await this.startProxy(name);
      await requireSameJob(proxy);
      proxies.push(proxy);
    }
    return proxies;
  }
}
