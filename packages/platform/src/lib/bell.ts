// Wakes whoever waits for "something changed". A waiter names the ring it heard last, so a ring
// between its look at the state and its wait is never missed.

export class Bell {
  #rings = 0;
  readonly #waiting = new Set<() => void>();

  get rings(): number {
    return this.#rings;
  }

  ring(): void {
    this.#rings += 1;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the first ring after number `heard`, after `timeoutMs`, or when `signal` fires. */
  wait(heard: number, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (this.#rings !== heard || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, timeoutMs);
      signal.addEventListener('abort', wake, { once: true });
      this.#waiting.add(wake);
    });
  }
}
