// Keeps the table as the nexus has it and tells the nexus what this balancer acknowledges and still
// drains. Without a nexus the table stays as it is.
import { LIMITS } from '../domain/limits.ts';
import type { RouteSnapshot, RouteUpdate } from '../domain/route-table.ts';
import { HELLO_INTERVAL_MS, ROUTES_TOPIC } from '../ports/route-messages.ts';
import type { TransportClient } from '../ports/transport.ts';
import type { Drain } from './drain.ts';
import type { RouteFile } from './route-file.ts';
import type { RouteTable } from './route-table.ts';

export interface RouteFeedOptions {
  readonly transport: TransportClient;
  readonly table: RouteTable;
  readonly drain: Drain;
  readonly file: RouteFile;
  /** Name of this balancer, the same after a restart. */
  readonly balancer: string;
  readonly pid: number;
  readonly pidStartTicks: number;
  readonly log: (line: string) => void;
}

const REQUEST_TIMEOUT_MS = 1_500;
const REFRESH_PAUSE_MS = 250;
const GOODBYE_TIMEOUT_MS = 500;

export class RouteFeed {
  readonly #options: RouteFeedOptions;
  #timer: NodeJS.Timeout | undefined;
  #greeting = false;
  #greetAgain = false;
  #refreshing: Promise<void> | undefined;
  #stopped = false;

  constructor(options: RouteFeedOptions) {
    this.#options = options;
  }

  /** Resolves with a table: the nexus's if it answers in time, else the one on disk, else none. */
  async start(): Promise<void> {
    const { transport, table, drain, file, log } = this.#options;
    drain.onDrained = () => void this.#greet();
    transport.subscribe(
      ROUTES_TOPIC,
      (message) => this.#takeUpdate(message as unknown as RouteUpdate),
      () => void this.#refresh(),
    );
    const fresh = await this.#fetch(LIMITS.balancer.snapshotWaitMs);
    const kept = fresh ? undefined : await file.load();
    // One that came in the meantime is newer.
    if (kept && table.epoch === 0) {
      log(`no nexus answers; serving by the routes on disk, epoch ${kept.epoch}`);
      this.#apply(kept);
    }
    if (!fresh) void this.#refresh();
    void this.#greet();
  }

  /** Says goodbye: nothing runs here any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const goodbye = { type: 'balancer.goodbye', ...this.#process() };
    await this.#options.transport
      .request(goodbye, { timeoutMs: GOODBYE_TIMEOUT_MS })
      .catch(() => undefined);
    await this.#options.file.flush();
  }

  #process() {
    const { balancer, pid, pidStartTicks } = this.#options;
    return { balancer, pid, pidStartTicks };
  }

  #takeUpdate(update: RouteUpdate): void {
    const before = this.#options.table.epoch;
    if (!this.#options.table.applyUpdate(update)) void this.#refresh();
    else if (this.#options.table.epoch > before) this.#applied();
  }

  #apply(snapshot: RouteSnapshot): void {
    this.#options.table.applySnapshot(snapshot);
    this.#applied();
  }

  #applied(): void {
    this.#options.file.changed();
    void this.#greet();
  }

  /** One at a time; a change during a hello is told by the next one, at once. */
  async #greet(): Promise<void> {
    this.#greetAgain = true;
    if (this.#greeting || this.#stopped) return;
    this.#greeting = true;
    clearTimeout(this.#timer);
    while (this.#greetAgain && !this.#stopped) {
      this.#greetAgain = false;
      await this.#hello();
    }
    this.#greeting = false;
    if (!this.#stopped) this.#timer = setTimeout(() => void this.#greet(), HELLO_INTERVAL_MS);
  }

  async #hello(): Promise<void> {
    const { transport, table, drain } = this.#options;
    const hello = {
      type: 'balancer.hello',
      ...this.#process(),
      epoch: table.epoch,
      draining: drain.instanceIds,
    };
    try {
      const welcome = await transport.request(hello, { timeoutMs: REQUEST_TIMEOUT_MS });
      if (Number(welcome.epoch) > table.epoch) void this.#refresh();
    } catch {
      // The next hello follows soon; until then the table stands.
    }
  }

  /** Takes snapshots until one arrives; one attempt at a time. */
  async #refresh(): Promise<void> {
    this.#refreshing ??= this.#fetchUntilDone().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
  }

  async #fetchUntilDone(): Promise<void> {
    while (!this.#stopped && !(await this.#fetch(REQUEST_TIMEOUT_MS)))
      await new Promise((resolve) => setTimeout(resolve, REFRESH_PAUSE_MS));
  }

  async #fetch(timeoutMs: number): Promise<boolean> {
    const answer = await this.#options.transport
      .request({ type: 'routes.get' }, { timeoutMs })
      .catch(() => undefined);
    if (!answer) return false;
    this.#apply(answer.snapshot as RouteSnapshot);
    return true;
  }
}
