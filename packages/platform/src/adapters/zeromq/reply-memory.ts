// Makes a repeated request have one effect: the reply to a request id is kept for a while, and a
// repeat that comes while the first is at work waits for the same reply.
const REPLIES_MAX = 512;
const BYTES_MAX = 8 * 1024 * 1024;

interface Remembered {
  readonly reply: Promise<Buffer>;
  sizeBytes: number;
}

export class ReplyMemory {
  readonly #replies = new Map<string, Remembered>();
  #sizeBytes = 0;

  get count(): number {
    return this.#replies.size;
  }

  /** `work` must not reject. A reply too large to keep is worked out again when it is asked again. */
  once(key: string, work: () => Promise<Buffer>): Promise<Buffer> {
    const known = this.#replies.get(key);
    if (known) return known.reply;
    const remembered: Remembered = { reply: work(), sizeBytes: 0 };
    this.#replies.set(key, remembered);
    void remembered.reply.then((reply) => this.#settle(key, remembered, reply.length));
    return remembered.reply;
  }

  #settle(key: string, remembered: Remembered, sizeBytes: number): void {
    if (sizeBytes > BYTES_MAX / 2) {
      this.#replies.delete(key);
      return;
    }
    remembered.sizeBytes = sizeBytes;
    this.#sizeBytes += sizeBytes;
    for (const [oldest, { sizeBytes: freed }] of this.#replies) {
      if (this.#replies.size <= REPLIES_MAX && this.#sizeBytes <= BYTES_MAX) break;
      // Size 0: still at work; forgetting it would let a repeat start it a second time.
      if (freed === 0) continue;
      this.#replies.delete(oldest);
      this.#sizeBytes -= freed;
    }
  }
}
