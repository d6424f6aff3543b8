// Pushes wait here until the link takes them, then leave as one frame: batches grow under load by
// themselves. Bounded and lossy: what does not fit is counted, the caller never waits.
import type { Message } from '../../ports/transport.ts';

const QUEUE_MAX = 10_000;
const BATCH_MAX = 64;

export class PushQueue {
  readonly #send: (batch: readonly Message[]) => Promise<void>;
  #waiting: Message[] = [];
  #sending = false;
  dropped = 0;

  constructor(send: (batch: readonly Message[]) => Promise<void>) {
    this.#send = send;
  }

  push(message: Message): void {
    if (this.#waiting.length >= QUEUE_MAX) {
      this.dropped += 1;
      return;
    }
    this.#waiting.push(message);
    if (!this.#sending) void this.#drain();
  }

  async #drain(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      // Whatever is pushed in this turn of the loop goes along.
      await Promise.resolve();
      const batch = this.#waiting.splice(0, BATCH_MAX);
      try {
        await this.#send(batch);
      } catch {
        this.dropped += batch.length;
      }
    }
    this.#sending = false;
  }
}
