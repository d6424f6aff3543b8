// Access records on their way to the nexus: gathered for a moment, pushed as one message. Never
// waits; what the link cannot take is dropped there and counted.
import type { AccessRecord } from '../ports/route-messages.ts';
import type { TransportClient } from '../ports/transport.ts';

const BATCH_MAX = 64;
const GATHER_MS = 100;

export class AccessLog {
  readonly #transport: TransportClient;
  readonly #balancer: string;
  #gathered: AccessRecord[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(transport: TransportClient, balancer: string) {
    this.#transport = transport;
    this.#balancer = balancer;
  }

  record(record: AccessRecord): void {
    this.#gathered.push(record);
    if (this.#gathered.length >= BATCH_MAX) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
  }

  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#gathered.length === 0) return;
    this.#transport.push({
      type: 'access.batch',
      balancer: this.#balancer,
      records: this.#gathered,
      // Whole batches are dropped.
      dropped: this.#transport.pushesDropped * BATCH_MAX,
    });
    this.#gathered = [];
  }
}
