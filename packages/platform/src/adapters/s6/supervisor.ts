// s6 as the supervisor of one installation: it restarts what dies and holds the listening sockets.
// It is a process tree of its own session; whoever starts it may end.
import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError } from '@tandem/protocol';
import { inCgroup } from '../../lib/in-cgroup.ts';
import { runToExit } from '../../lib/run-command.ts';
import { installService, type Installed } from './scan-directory.ts';
import { CRASHES_FILE, serviceFiles } from './service-directory.ts';
import { controlService, isReady, serviceState, waitFor } from './service-state.ts';
import type { Service } from './service.ts';
import { ensureHeld, holderRules, holderService, holderSocket } from './socket-holder.ts';

export interface SupervisorOptions {
  /** On a tmpfs: what it holds ends with the boot. */
  readonly scanDirectory: string;
  readonly logDirectory: string;
  /** Complete environment of everything below. */
  readonly env: Readonly<Record<string, string>>;
  /** Where it and all below it live, out of the session or unit that starts them. */
  readonly cgroup?: string;
}

const SUPERVISE_TIMEOUT_MS = 10_000;
const READY_TIMEOUT_MS = 30_000;
const STOP_MARGIN_MS = 20_000;
const CRASHES_MAX = 3;
const LOG_LINES_SHOWN = 8;

export class Supervisor {
  readonly #scanDirectory: string;
  readonly #logDirectory: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #cgroup: string | undefined;

  constructor(options: SupervisorOptions) {
    this.#scanDirectory = options.scanDirectory;
    this.#logDirectory = options.logDirectory;
    this.#env = options.env;
    this.#cgroup = options.cgroup;
  }

  /**
   * Idempotent: starts what is not there or dead, restarts what changed, waits for each in order.
   * Resolves to the names of those it started or restarted.
   */
  async ensure(services: readonly Service[]): Promise<string[]> {
    const all = [holderService(this.#scanDirectory), ...services];
    assertOrder(all);
    const installed = new Map<string, Installed>();
    for (const service of all) installed.set(service.name, await this.#install(service));
    if (!(await this.running())) await this.#start();
    if ([...installed.values()].includes('new')) await this.#rescan();
    const touched: string[] = [];
    for (const service of all) {
      if (await this.#bringUp(service, installed.get(service.name) ?? 'same')) {
        touched.push(service.name);
      }
    }
    return touched;
  }

  async running(): Promise<boolean> {
    return await this.#svscanctl('-z');
  }

  /** Main process of a service; undefined when it does not run. */
  async pid(name: string): Promise<number | undefined> {
    return (await serviceState(this.#directory(name)))?.pid;
  }

  /** Sends a signal that asks for an orderly end, and does not start the service again. */
  async finish(name: string, signal: 'SIGUSR2', timeoutMs: number): Promise<boolean> {
    const directory = this.#directory(name);
    if (!(await serviceState(directory))?.pid) return true;
    const option = { SIGUSR2: '-2' }[signal];
    // -O: once it ends, it stays down.
    await controlService(directory, '-O', option);
    return await waitFor(async () => !(await serviceState(directory))?.pid, timeoutMs);
  }

  /** Ends one service by its own signal and waits, at most for its grace. */
  async stop(service: Service): Promise<boolean> {
    const directory = this.#directory(service.name);
    if (!(await serviceState(directory))) return true;
    await controlService(directory, '-d');
    const timeoutMs = service.stop.graceMs + STOP_MARGIN_MS;
    return await waitFor(async () => !(await serviceState(directory))?.pid, timeoutMs);
  }

  /** Ends every service, then s6 itself. False when something is left after the time-out. */
  async shutDown(timeoutMs: number): Promise<boolean> {
    if (!(await this.#svscanctl('-t'))) return true;
    return await waitFor(async () => !(await this.running()), timeoutMs);
  }

  async #install(service: Service): Promise<Installed> {
    const logDirectory = join(this.#logDirectory, service.name);
    await mkdir(logDirectory, { recursive: true, mode: 0o700 });
    const context = { holderSocket: holderSocket(this.#scanDirectory), logDirectory };
    const extra = service.name === 'sockets' ? holderRules() : [];
    const files = [...serviceFiles(service, context), ...extra];
    return await installService(this.#scanDirectory, service.name, files);
  }

  async #start(): Promise<void> {
    const log = await open(join(this.#logDirectory, 'supervisor.log'), 'a', 0o600);
    try {
      const start = () =>
        spawn('s6-svscan', [this.#scanDirectory], {
          cwd: '/',
          env: this.#env,
          detached: true,
          stdio: ['ignore', log.fd, log.fd],
        });
      const child = this.#cgroup === undefined ? start() : inCgroup(this.#cgroup, start);
      await new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('spawn', resolve);
      });
      child.unref();
    } finally {
      await log.close();
    }
    if (await waitFor(() => this.running(), SUPERVISE_TIMEOUT_MS)) return;
    throw new TandemError('SERVICE_FAILED', 'The supervisor s6-svscan does not start.', {
      log: join(this.#logDirectory, 'supervisor.log'),
    });
  }

  async #rescan(): Promise<void> {
    await this.#svscanctl('-an');
  }

  /** True when it had to be started or restarted. */
  async #bringUp(service: Service, installed: Installed): Promise<boolean> {
    const directory = this.#directory(service.name);
    const supervised = async () => (await serviceState(directory)) !== undefined;
    if (!(await waitFor(supervised, SUPERVISE_TIMEOUT_MS))) {
      await this.#rescan();
      if (!(await waitFor(supervised, SUPERVISE_TIMEOUT_MS))) throw await this.#failure(service);
    }
    for (const socket of service.sockets ?? []) await ensureHeld(this.#scanDirectory, socket);
    const state = await serviceState(directory);
    await rm(join(directory, CRASHES_FILE), { force: true });
    const isUp = state?.wantedUp === true && state.pid !== undefined;
    if (!state?.wantedUp) await controlService(directory, '-u');
    else if (installed === 'changed') await controlService(directory, '-r');
    if (!(await this.#waitUntilReady(service))) throw await this.#failure(service);
    await rm(join(directory, 'down'), { force: true });
    return !isUp || installed === 'changed';
  }

  /** Gives up early on a service that dies again and again. */
  async #waitUntilReady(service: Service): Promise<boolean> {
    let ready = false;
    await waitFor(async () => {
      const running = (await this.pid(service.name)) !== undefined;
      ready = running && (await isReady(service.ready));
      return ready || (await crashes(this.#directory(service.name))) >= CRASHES_MAX;
    }, service.readyTimeoutMs ?? READY_TIMEOUT_MS);
    return ready;
  }

  async #failure(service: Service): Promise<TandemError> {
    const log = join(this.#logDirectory, service.name, 'current');
    const text = await readFile(log, 'utf8').catch(() => '');
    const last = text.trimEnd().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
    const message = `The service ${service.name} does not become ready:\n${last || '(it says nothing)'}`;
    return new TandemError('SERVICE_FAILED', message, { log });
  }

  #directory(name: string): string {
    return join(this.#scanDirectory, name);
  }

  /** False when no s6-svscan runs there. */
  async #svscanctl(option: string): Promise<boolean> {
    const argv = ['s6-svscanctl', option, this.#scanDirectory] as const;
    return (await runToExit(argv, { timeoutMs: 5_000 })).exitCode === 0;
  }
}

async function crashes(directory: string): Promise<number> {
  return Number(await readFile(join(directory, CRASHES_FILE), 'utf8').catch(() => '0'));
}

function assertOrder(services: readonly Service[]): void {
  const earlier = new Set<string>();
  for (const { name, dependsOn } of services) {
    const missing = dependsOn.find((needed) => !earlier.has(needed));
    if (missing !== undefined) throw new Error(`service ${name} stands before ${missing}`);
    earlier.add(name);
  }
}
