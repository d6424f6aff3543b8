// What a deploy tells its watchers, kept as one line of JSON per event on disk: a CLI that lost its
// connection, or an agent that was killed, goes on where it stopped.
import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DeployEvent } from '@tandem/protocol';
import type { Clock } from '../../ports/clock.ts';
import { appDirectory, type Paths } from '../../ports/paths.ts';

type Payload<E> = E extends DeployEvent ? Omit<E, 'seq' | 'atMs'> : never;
export type DeployEventPayload = Payload<DeployEvent>;

export class DeployEvents {
  readonly #paths: Paths;
  readonly #clock: Clock;
  readonly #channels = new Map<string, Channel>();

  constructor(paths: Paths, clock: Clock) {
    this.#paths = paths;
    this.#clock = clock;
  }

  async channel(appId: number, deploy: number): Promise<Channel> {
    const key = `${appId}/${deploy}`;
    const known = this.#channels.get(key);
    if (known) return known;
    const directory = join(appDirectory(this.#paths, appId), 'deploys');
    const channel = new Channel(join(directory, `${deploy}.events`), this.#clock);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await channel.load();
    const raced = this.#channels.get(key);
    if (raced) return raced;
    this.#channels.set(key, channel);
    return channel;
  }

  /** Frees memory once all is on disk; the file stays until the app is destroyed. */
  async close(appId: number, deploy: number): Promise<void> {
    const key = `${appId}/${deploy}`;
    await this.#channels.get(key)?.flush();
    this.#channels.delete(key);
  }
}

export class Channel {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #events: DeployEvent[] = [];
  readonly #waiting = new Set<() => void>();
  #writing: Promise<void> = Promise.resolve();

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  async load(): Promise<void> {
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    for (const line of text.split('\n')) {
      const event = parseEvent(line);
      if (event) this.#events.push(event);
    }
  }

  emit(payload: DeployEventPayload): void {
    const seq = (this.#events.at(-1)?.seq ?? 0) + 1;
    const event = { ...payload, seq, atMs: this.#clock.nowMs() } as DeployEvent;
    this.#events.push(event);
    const line = `${JSON.stringify(event)}\n`;
    // Order is kept by the chain; a full disk costs the replay, never the deploy.
    this.#writing = this.#writing.then(() => appendFile(this.#path, line)).catch(() => undefined);
    for (const wake of [...this.#waiting]) wake();
  }

  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Events from `from` on, then those to come, ending after `finished` or when `signal` fires. */
  async *follow(from: number, signal: AbortSignal): AsyncIterable<DeployEvent> {
    let index = 0;
    while (!signal.aborted) {
      const event = this.#events[index];
      if (!event) {
        await this.#next(signal);
        continue;
      }
      index += 1;
      if (event.seq < from) continue;
      yield event;
      if (event.type === 'finished') return;
    }
  }

  async #next(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}

/** The last line may be cut off by a power failure. */
function parseEvent(line: string): DeployEvent | undefined {
  if (line === '') return undefined;
  try {
    return JSON.parse(line) as DeployEvent;
  } catch {
    return undefined;
  }
}
