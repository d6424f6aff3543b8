// As many workers as wanted, always: what dies is started again, what is replaced finishes first.
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import type { AppRoutes } from '../../domain/route-table.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { ListenFd, TlsMessage } from './messages.ts';
import { type WorkerListener, type WorkerOrder, WorkerProcess } from './worker-process.ts';

export interface WorkerSetOptions {
  readonly count: number;
  /** As of the moment a worker starts. */
  readonly order: () => WorkerOrder;
  readonly log: (line: string) => void;
}

const RESTART_DELAY_MS_FIRST = 100;
const RESTART_DELAY_MS_MAX = 5_000;
/** What died after this long is no failure in a row; the first is started again at once. */
const STABLE_MS = 10_000;

export class WorkerSet implements WorkerListener {
  readonly #options: WorkerSetOptions;
  /** Serve, or are on their way to; a dead one is started again. */
  readonly #current = new Set<WorkerProcess>();
  /** Will serve in the place of another. */
  readonly #arriving = new Set<WorkerProcess>();
  /** Replaced, still finishing; the oldest first. */
  readonly #leaving = new Set<WorkerProcess>();
  readonly #starts = new Map<WorkerProcess, PromiseWithResolvers<void>>();
  #listenFds: (index: number) => readonly ListenFd[] = () => [];
  #failuresInRow = 0;
  #replacing: Promise<void> | undefined;
  #replaceAgain = false;
  #closing = false;

  constructor(options: WorkerSetOptions) {
    this.#options = options;
  }

  /** Resolves when all serve; rejects when one cannot, which another try would not mend. */
  async start(listenFds: (index: number) => readonly ListenFd[]): Promise<void> {
    this.#listenFds = listenFds;
    const indexes = Array.from({ length: this.#options.count }, (_, index) => index);
    await Promise.all(indexes.map((index) => this.#launch(index, this.#current).serving));
  }

  get started(): boolean {
    return this.#current.size > 0;
  }

  change(apps: readonly AppRoutes[]): void {
    for (const worker of this.#all()) worker.change(apps);
  }

  changeTls(message: TlsMessage): void {
    for (const worker of this.#all()) worker.changeTls(message);
  }

  reopenLog(): void {
    for (const worker of this.#all()) worker.reopenLog();
  }

  /** One after the other: a new one serves before an old one stops accepting. */
  replaceAll(): void {
    this.#replaceAgain = this.#replacing !== undefined;
    this.#replacing ??= this.#replace().finally(() => {
      this.#replacing = undefined;
      if (this.#replaceAgain) this.replaceAll();
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    const all = this.#all();
    for (const worker of all) if (!this.#leaving.has(worker)) worker.close();
    await Promise.all(all.map(({ ended }) => ended));
  }

  killAll(): void {
    this.#closing = true;
    for (const worker of this.#all()) worker.kill();
  }

  onServing(worker: WorkerProcess): void {
    this.#starts.get(worker)?.resolve();
  }

  onEnded(worker: WorkerProcess, reason: string): void {
    this.#starts.get(worker)?.reject(new TandemError('INTERNAL', `a worker failed: ${reason}`));
    this.#leaving.delete(worker);
    this.#arriving.delete(worker);
    if (!this.#current.delete(worker) || this.#closing) return;
    const servedMs = performance.now() - worker.startedMs;
    this.#failuresInRow = servedMs >= STABLE_MS ? 0 : this.#failuresInRow + 1;
    this.#options.log(`worker ${worker.pid} ended: ${reason}`);
    void this.#startAgain(worker.index);
  }

  #all(): WorkerProcess[] {
    return [...this.#current, ...this.#arriving, ...this.#leaving];
  }

  #launch(
    index: number,
    place: Set<WorkerProcess>,
  ): { worker: WorkerProcess; serving: Promise<void> } {
    const [order, listenFds] = [this.#options.order(), this.#listenFds(index)];
    const worker = new WorkerProcess({ index, order, listenFds }, this);
    place.add(worker);
    const start = Promise.withResolvers<void>();
    this.#starts.set(worker, start);
    return { worker, serving: start.promise.finally(() => this.#starts.delete(worker)) };
  }

  async #startAgain(index: number): Promise<void> {
    const doubled = RESTART_DELAY_MS_FIRST * 2 ** (this.#failuresInRow - 2);
    // Its share of the connections waits.
    if (this.#failuresInRow > 1) await sleep(Math.min(doubled, RESTART_DELAY_MS_MAX));
    if (this.#closing) return;
    const { worker, serving } = this.#launch(index, this.#current);
    // When it fails, onEnded has seen it and comes back here.
    await serving.then(
      () => this.#options.log(`worker ${worker.pid} serves in its place`),
      () => undefined,
    );
  }

  async #replace(): Promise<void> {
    const { log } = this.#options;
    let replaced = 0;
    for (const old of [...this.#current]) {
      if (this.#closing) return;
      const { worker, serving } = this.#launch(old.index, this.#arriving);
      try {
        await serving;
      } catch (error) {
        log(`no worker is replaced: ${error instanceof Error ? error.message : String(error)}`);
        return;
      }
      this.#arriving.delete(worker);
      // The old one may have died meanwhile; then another is on its way already.
      const [stays, leaves] = this.#current.delete(old) ? [worker, old] : [undefined, worker];
      if (stays) this.#current.add(stays);
      this.#leaving.add(leaves);
      leaves.close();
      replaced += 1;
    }
    log(`workers replaced: ${replaced}; the old ones finish what they have`);
    this.#boundLeaving();
  }

  /** Long answers may keep generations of workers; their number has a bound. */
  #boundLeaving(): void {
    const most = this.#options.count * LIMITS.drain.generationsMax;
    for (const worker of [...this.#leaving].slice(0, Math.max(0, this.#leaving.size - most)))
      worker.close();
  }
}
