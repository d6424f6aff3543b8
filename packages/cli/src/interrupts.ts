// Ctrl-C goes to whoever asked for it last; when nobody did, it ends the command.

export class Interrupts {
  readonly #handlers: (() => void)[] = [];
  readonly #fallback: () => void;

  constructor(fallback: () => void) {
    this.#fallback = fallback;
  }

  press(): void {
    (this.#handlers.at(-1) ?? this.#fallback)();
  }

  /** The handler is taken back when the result is disposed of. */
  take(handler: () => void): Disposable {
    this.#handlers.push(handler);
    return {
      [Symbol.dispose]: () => {
        const index = this.#handlers.lastIndexOf(handler);
        if (index >= 0) this.#handlers.splice(index, 1);
      },
    };
  }
}
