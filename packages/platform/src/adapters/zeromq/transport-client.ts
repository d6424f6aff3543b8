// The asking end: connected to every server it knows; asks the next one when an answer is late.
import { randomBytes, randomUUID } from 'node:crypto';
import { Dealer, Push, Subscriber } from 'zeromq';
import { type ErrorBody, TandemError } from '@tandem/protocol';
import type { Message, TransportClient } from '../../ports/transport.ts';
import type { CurveKeys } from './curve-keys.ts';
import type { Endpoints } from './endpoints.ts';
import { PushQueue } from './push-queue.ts';
import { sendOrDrop } from './send-or-drop.ts';
import { LINK_OPTIONS, PUBLISHED_QUEUE_MAX, RECONNECT_OPTIONS } from './socket-options.ts';
import { SequenceTracker } from './subscription.ts';
import {
  BEAT_TOPIC,
  PROTOCOL_VERSION,
  checkMessage,
  decodeBeat,
  decodeEnvelope,
  decodeMessage,
  decodeStamp,
  encode,
  type Envelope,
  type MessageSchemas,
} from './wire.ts';

export interface ServerAddress {
  readonly endpoints: Endpoints;
  readonly publicKey: string;
}

export interface TransportClientOptions {
  /** For the logs of the other end. */
  readonly name: string;
  readonly servers: readonly [ServerAddress, ...ServerAddress[]];
  readonly keys: CurveKeys;
  readonly schemas: MessageSchemas;
  readonly log: (line: string) => void;
}

interface Topic {
  readonly name: string;
  readonly receive: (message: Message) => void;
  readonly onGap: () => void;
}

/** After this the request is sent again, to the next server if there is one, under the same id. */
const RESEND_MS = 500;
/** Pushes in flight to a server that does not read. */
const PUSH_BATCHES_MAX = 16;
const PUSH_SEND_TIMEOUT_MS = 5_000;

export function createTransportClient(options: TransportClientOptions): TransportClient {
  return new ZeromqClient(options);
}

class ZeromqClient implements TransportClient {
  readonly #options: TransportClientOptions;
  readonly #dealers: readonly Dealer[];
  readonly #subscribers: readonly Subscriber[];
  readonly #pusher: Push;
  readonly #pushes: PushQueue;
  readonly #peer: string;
  readonly #pending = new Map<string, (envelope: Envelope) => void>();
  readonly #topics: Topic[] = [];
  #preferred = 0;
  #closed = false;

  constructor(options: TransportClientOptions) {
    this.#options = options;
    this.#peer = `${options.name}.${randomBytes(4).toString('hex')}`;
    this.#dealers = options.servers.map((server) => this.#connectDealer(server));
    this.#subscribers = options.servers.map((server) => this.#connectSubscriber(server));
    this.#pusher = this.#connectPusher();
    this.#pushes = new PushQueue((batch) => this.#sendPushes(batch));
  }

  get pushesDropped(): number {
    return this.#pushes.dropped;
  }

  async request(
    message: Message,
    { timeoutMs, id = randomUUID() }: { timeoutMs: number; id?: string },
  ): Promise<Message> {
    const { schemas } = this.#options;
    const request = checkMessage(schemas, message);
    const frame = encode({ v: PROTOCOL_VERSION, id, timeoutMs, messages: [request] });
    const envelope = await this.#ask(id, frame, timeoutMs);
    if (envelope.error) throw TandemError.fromBody(envelope.error as ErrorBody);
    if (envelope.messages?.[0]) return checkMessage(schemas, envelope.messages[0]);
    if (this.#closed) throw new TandemError('CANCELLED', `${message.type}: the link was closed`);
    throw new TandemError('TRANSPORT_TIMEOUT', `no answer to ${message.type} in ${timeoutMs} ms`, {
      hint: 'tandem status shows whether the agent runs; tandem doctor whether our key is admitted',
    });
  }

  push(message: Message): void {
    if (!this.#closed) this.#pushes.push(message);
  }

  subscribe(topic: string, receive: (message: Message) => void, onGap: () => void): void {
    this.#topics.push({ name: topic, receive, onGap });
    for (const subscriber of this.#subscribers) subscriber.subscribe(topic, BEAT_TOPIC);
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const socket of [...this.#dealers, ...this.#subscribers, this.#pusher]) socket.close();
    for (const resolve of this.#pending.values()) resolve({ v: PROTOCOL_VERSION });
    return Promise.resolve();
  }

  /** An envelope without messages when nobody answered in time. */
  async #ask(id: string, frame: Buffer, timeoutMs: number): Promise<Envelope> {
    const { promise, resolve } = Promise.withResolvers<Envelope>();
    if (this.#closed || this.#pending.has(id))
      throw new TandemError('TRANSPORT_REFUSED', `request ${id} is already under way or closed`);
    this.#pending.set(id, resolve);
    this.#send(frame);
    const resend = setInterval(() => {
      this.#preferred += 1;
      this.#send(frame);
    }, RESEND_MS);
    const expire = setTimeout(() => resolve({ v: PROTOCOL_VERSION }), timeoutMs);
    try {
      return await promise;
    } finally {
      clearInterval(resend);
      clearTimeout(expire);
      this.#pending.delete(id);
    }
  }

  /** Fails while the link is down; the next resend finds it up again. */
  #send(frame: Buffer): void {
    const dealer = this.#dealers[this.#preferred % this.#dealers.length];
    if (dealer) void sendOrDrop(dealer, frame);
  }

  async #sendPushes(messages: readonly Message[]): Promise<void> {
    const { schemas } = this.#options;
    const checked = messages.map((message) => checkMessage(schemas, message));
    await this.#pusher.send([this.#peer, encode({ v: PROTOCOL_VERSION, messages: checked })]);
  }

  #connectDealer(server: ServerAddress): Dealer {
    const dealer = new Dealer({
      ...this.#securedFor(server),
      routingId: this.#peer,
      sendTimeout: 0,
      // Nothing is queued for a server that is down: the resend decides, with a deadline.
      immediate: true,
    });
    dealer.connect(server.endpoints.requests);
    this.#pump('replies', this.#takeReplies(dealer));
    return dealer;
  }

  #connectSubscriber(server: ServerAddress): Subscriber {
    const subscriber = new Subscriber({
      ...this.#securedFor(server),
      receiveHighWaterMark: PUBLISHED_QUEUE_MAX,
    });
    subscriber.connect(server.endpoints.published);
    this.#pump('published', this.#takePublished(subscriber));
    return subscriber;
  }

  /** To the first server only: collectors of their own come with several nodes. */
  #connectPusher(): Push {
    const [server] = this.#options.servers;
    const pusher = new Push({
      ...this.#securedFor(server),
      immediate: true,
      sendTimeout: PUSH_SEND_TIMEOUT_MS,
      sendHighWaterMark: PUSH_BATCHES_MAX,
    });
    pusher.connect(server.endpoints.pushed);
    return pusher;
  }

  #securedFor(server: ServerAddress) {
    return {
      ...LINK_OPTIONS,
      ...RECONNECT_OPTIONS,
      curveServerKey: server.publicKey,
      curvePublicKey: this.#options.keys.publicKey,
      curveSecretKey: this.#options.keys.secretKey,
    };
  }

  #pump(name: string, loop: Promise<void>): void {
    loop.catch((error: unknown) => {
      if (!this.#closed) this.#options.log(`transport: ${name} ended: ${String(error)}`);
    });
  }

  async #takeReplies(dealer: Dealer): Promise<void> {
    for await (const [frame] of dealer) {
      if (!frame) continue;
      this.#guard('a reply', () => {
        const envelope = decodeEnvelope(frame);
        this.#pending.get(envelope.id ?? '')?.(envelope);
      });
    }
  }

  async #takePublished(subscriber: Subscriber): Promise<void> {
    const trackers = new Map<string, SequenceTracker>();
    const trackerOf = (topic: string): SequenceTracker => {
      const tracker = trackers.get(topic) ?? new SequenceTracker();
      trackers.set(topic, tracker);
      return tracker;
    };
    for await (const [name, stamp, body] of subscriber) {
      if (!name || !stamp) continue;
      this.#guard('a published message', () => {
        if (body) this.#dispatch(name.toString(), stamp, body, trackerOf);
        else this.#checkBeat(stamp, trackerOf);
      });
    }
  }

  #dispatch(
    name: string,
    stamp: Buffer,
    body: Buffer,
    trackerOf: (topic: string) => SequenceTracker,
  ): void {
    const topics = this.#topics.filter((topic) => topic.name === name);
    if (topics.length === 0) return;
    const verdict = trackerOf(name).onMessage(decodeStamp(stamp));
    if (verdict === 'old') return;
    if (verdict === 'gap') for (const topic of topics) topic.onGap();
    const message = decodeMessage(this.#options.schemas, body);
    for (const topic of topics) topic.receive(message);
  }

  #checkBeat(frame: Buffer, trackerOf: (topic: string) => SequenceTracker): void {
    const beat = decodeBeat(frame);
    for (const name of new Set(this.#topics.map((topic) => topic.name))) {
      if (trackerOf(name).onBeat(beat, name) !== 'gap') continue;
      for (const topic of this.#topics) if (topic.name === name) topic.onGap();
    }
  }

  /** What the other end sends must not end our loops. */
  #guard(what: string, take: () => void): void {
    try {
      take();
    } catch (error) {
      this.#options.log(`transport: ${what} was dropped: ${String(error)}`);
    }
  }
}
