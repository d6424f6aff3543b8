// One worker as its parent sees it.
import { type ChildProcess, fork } from 'node:child_process';
import { extname, join } from 'node:path';
import type { AppRoutes } from '../../domain/route-table.ts';
import { packApps } from './packed-apps.ts';
import type { FromWorker, ListenFd, TlsMessage, ToWorker } from './messages.ts';

export type WorkerOrder = Omit<Extract<ToWorker, { type: 'serve' }>, 'type' | 'listenFds'>;

export interface WorkerListener {
  onServing(worker: WorkerProcess): void;
  /** Once, whatever the reason; `reason` for people. */
  onEnded(worker: WorkerProcess, reason: string): void;
}

const PROGRAM = join(import.meta.dirname, `worker${extname(import.meta.filename)}`);
/** Behind stdin, stdout, stderr and the channel. */
const FIRST_LISTEN_FD = 4;
const START_TIMEOUT_MS = 30_000;
/** More than the server's own grace: only a worker that hangs meets it. */
const CLOSE_TIMEOUT_MS = 45_000;

export interface WorkerStart {
  /** Which of the workers it is: its successor has the same, and the same sockets. */
  readonly index: number;
  readonly order: WorkerOrder;
  readonly listenFds: readonly ListenFd[];
}

export class WorkerProcess {
  readonly index: number;
  readonly startedMs = performance.now();
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #listener: WorkerListener;
  #state: 'starting' | 'serving' | 'closing' | 'ended' = 'starting';
  /** Changes to be sent: one message is under way at a time, so a worker that is slow gets one. */
  #changes = new Map<number, AppRoutes>();
  #applying = false;
  #reason: string | undefined;
  #timer: NodeJS.Timeout;

  constructor({ index, order, listenFds }: WorkerStart, listener: WorkerListener) {
    this.index = index;
    this.#listener = listener;
    this.#child = fork(PROGRAM, [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...listenFds.map(({ fd }) => fd)],
      // The terminal's Ctrl-C is the parent's to interpret.
      detached: true,
    });
    this.#timer = setTimeout(() => this.#giveUp('did not start in time'), START_TIMEOUT_MS);
    this.#child.on('message', (message: FromWorker) => this.#take(message));
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => this.#end(String(error), resolve));
      this.#child.once('exit', (code, signal) => {
        this.#end(this.#reason ?? (signal ? `killed by ${signal}` : `exit ${code}`), resolve);
      });
    });
    this.#send({
      type: 'serve',
      ...order,
      listenFds: listenFds.map(({ isTls }, index) => ({ fd: FIRST_LISTEN_FD + index, isTls })),
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get serving(): boolean {
    return this.#state === 'serving';
  }

  change(apps: readonly AppRoutes[]): void {
    for (const app of apps) this.#changes.set(app.appId, app);
    this.#sendChanges();
  }

  changeTls(message: TlsMessage): void {
    this.#send({ type: 'tls', ...message });
  }

  reopenLog(): void {
    this.#send({ type: 'reopen-log' });
  }

  /** It finishes what it has; called again, it does not. */
  close(): void {
    if (this.#state === 'ended') return;
    const first = this.#state !== 'closing';
    this.#state = 'closing';
    if (first) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#giveUp('did not close in time'), CLOSE_TIMEOUT_MS);
    }
    this.#send({ type: 'close' });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #take(message: FromWorker): void {
    if (message.type === 'failed') {
      this.#reason = message.reason;
    } else if (message.type === 'serving') {
      if (this.#state !== 'starting') return;
      clearTimeout(this.#timer);
      this.#state = 'serving';
      this.#sendChanges();
      this.#listener.onServing(this);
    } else {
      this.#applying = false;
      this.#sendChanges();
    }
  }

  #sendChanges(): void {
    if (this.#state !== 'serving' || this.#applying || this.#changes.size === 0) return;
    const apps = [...this.#changes.values()];
    this.#changes = new Map();
    this.#applying = true;
    this.#send({ type: 'routes', apps: packApps(apps) });
  }

  /** A worker that is gone gets nothing; its end is told by `exit`. */
  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  #giveUp(reason: string): void {
    this.#reason = reason;
    this.kill();
  }

  #end(reason: string, resolve: () => void): void {
    if (this.#state === 'ended') return;
    clearTimeout(this.#timer);
    this.#state = 'ended';
    resolve();
    this.#listener.onEnded(this, reason);
  }
}
