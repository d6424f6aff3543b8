// The serving end: a ROUTER for requests, a PUB and a PULL, each with CURVE and admission by key.
import { randomBytes } from 'node:crypto';
import { chmod, chown } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Context, Publisher, Pull, Router, type SocketOptions } from 'zeromq';
import { TandemError, toTandemError } from '@tandem/protocol';
import type { Message, TransportServer } from '../../ports/transport.ts';
import { Admission, ZAP_DOMAIN } from './admission.ts';
import type { CurveKeys } from './curve-keys.ts';
import { type Endpoints, ipcPath } from './endpoints.ts';
import { ReplyMemory } from './reply-memory.ts';
import { bindPatiently } from './bind-patiently.ts';
import { sendOrDrop } from './send-or-drop.ts';
import { LINK_OPTIONS, PUBLISHED_QUEUE_MAX } from './socket-options.ts';
import {
  BEAT_INTERVAL_MS,
  BEAT_TOPIC,
  PROTOCOL_VERSION,
  checkMessage,
  decodeEnvelope,
  encode,
  type Envelope,
  type MessageSchemas,
} from './wire.ts';

export interface TransportServerOptions {
  /** All are served alike: ipc for this machine, tcp for other nodes. */
  readonly endpoints: readonly Endpoints[];
  readonly keys: CurveKeys;
  /** See admission.ts. */
  readonly admittedKeysFile: string;
  readonly schemas: MessageSchemas;
  /** Group that may connect to the unix sockets beside their owner. */
  readonly socketGid?: number;
  readonly log: (line: string) => void;
}

type Respond = Parameters<TransportServer['onRequest']>[0];
type Receive = Parameters<TransportServer['onPush']>[0];

/** After an error of a receiving loop, so that a lasting one cannot spin. */
const PUMP_PAUSE_MS = 100;
const REQUESTS_AT_WORK_MAX = 4_096;
const REQUEST_TIMEOUT_MS_MAX = 15 * 60_000;

export async function createTransportServer(
  options: TransportServerOptions,
): Promise<TransportServer> {
  const server = new ZeromqServer(options);
  try {
    await server.open();
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

class ZeromqServer implements TransportServer {
  readonly #options: TransportServerOptions;
  readonly #admission: Admission;
  readonly #requests: Router;
  readonly #published: Publisher;
  readonly #pushed: Pull;
  readonly #replies = new ReplyMemory();
  readonly #run = randomBytes(8).toString('hex');
  readonly #sequences = new Map<string, number>();
  #respond: Respond | undefined;
  #receive: Receive | undefined;
  #atWork = 0;
  #beat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: TransportServerOptions) {
    this.#options = options;
    // A context of its own: admission is per context, and several servers may live in a process.
    const context = new Context();
    const secured: SocketOptions<Router & Publisher & Pull> = {
      ...LINK_OPTIONS,
      context,
      curveServer: true,
      curveSecretKey: options.keys.secretKey,
      zapDomain: ZAP_DOMAIN,
    };
    this.#admission = new Admission(context, options.admittedKeysFile);
    this.#requests = new Router({ ...secured, sendTimeout: 0, handover: true });
    this.#published = new Publisher({
      ...secured,
      sendTimeout: 0,
      sendHighWaterMark: PUBLISHED_QUEUE_MAX,
    });
    this.#pushed = new Pull(secured);
  }

  async open(): Promise<void> {
    await this.#admission.open();
    for (const endpoints of this.#options.endpoints) {
      await this.#bind(this.#requests, endpoints.requests);
      await this.#bind(this.#published, endpoints.published);
      await this.#bind(this.#pushed, endpoints.pushed);
    }
    void this.#pump('requests', () => this.#serveRequests());
    void this.#pump('pushed', () => this.#takePushes());
    this.#beat = setInterval(() => void this.#publishBeat(), BEAT_INTERVAL_MS).unref();
  }

  onRequest(respond: Respond): void {
    this.#respond = respond;
  }

  onPush(receive: Receive): void {
    this.#receive = receive;
  }

  async publish(topic: string, message: Message): Promise<void> {
    const body = encode(checkMessage(this.#options.schemas, message));
    const sequence = (this.#sequences.get(topic) ?? 0) + 1;
    this.#sequences.set(topic, sequence);
    await this.#published.send([topic, encode({ run: this.#run, sequence }), body]);
  }

  close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#beat);
    for (const socket of [this.#requests, this.#published, this.#pushed, this.#admission])
      socket.close();
    return Promise.resolve();
  }

  async #bind(socket: Router | Publisher | Pull, endpoint: string): Promise<void> {
    await bindPatiently(socket, endpoint);
    const path = ipcPath(endpoint);
    if (path === undefined) return;
    // CURVE decides who is heard; the mode keeps apps' uids from even knocking.
    await chmod(path, 0o660);
    if (this.#options.socketGid !== undefined) await chown(path, -1, this.#options.socketGid);
  }

  /**
   * Until close. libzmq may say "readable" and then have nothing (EAGAIN), for example when a peer
   * died in mid-message: the socket is whole, so the loop goes on.
   */
  async #pump(name: string, loop: () => Promise<void>): Promise<void> {
    while (!this.#closed) {
      try {
        await loop();
      } catch (error) {
        if (this.#closed || (error as NodeJS.ErrnoException).code === 'EAGAIN') continue;
        this.#options.log(`transport: ${name} stumbled: ${String(error)}`);
        await sleep(PUMP_PAUSE_MS);
      }
    }
  }

  async #serveRequests(): Promise<void> {
    for await (const [peer, frame] of this.#requests) {
      if (peer && frame) void this.#answer(peer, frame);
    }
  }

  async #answer(peer: Buffer, frame: Buffer): Promise<void> {
    const name = peer.toString();
    let reply: Buffer;
    try {
      const envelope = decodeEnvelope(frame);
      const id = envelope.id ?? '';
      reply = await this.#replies.once(`${name} ${id}`, () => this.#work(envelope, id, name));
    } catch (error) {
      this.#options.log(`transport: ${name} sent what cannot be read: ${String(error)}`);
      return;
    }
    // Fails when the peer is gone or its queue is full; it will ask again under the same id.
    await sendOrDrop(this.#requests, [peer, reply]);
  }

  /** Never rejects: an error is a reply too. */
  async #work(envelope: Envelope, id: string, peer: string): Promise<Buffer> {
    this.#atWork += 1;
    try {
      const message = await this.#respondInTime(envelope, peer);
      return encode({ v: PROTOCOL_VERSION, id, messages: [message] });
    } catch (error) {
      return encode({ v: PROTOCOL_VERSION, id, error: toTandemError(error).toBody() });
    } finally {
      this.#atWork -= 1;
    }
  }

  async #respondInTime(envelope: Envelope, peer: string): Promise<Message> {
    const { schemas } = this.#options;
    const [message] = envelope.messages ?? [];
    if (envelope.v !== PROTOCOL_VERSION)
      throw new TandemError('TRANSPORT_REFUSED', `protocol version ${envelope.v} is not spoken`);
    if (!message) throw new TandemError('TRANSPORT_REFUSED', 'a request without a message');
    const request = checkMessage(schemas, message);
    if (!this.#respond || this.#atWork > REQUESTS_AT_WORK_MAX)
      throw new TandemError('TRANSPORT_REFUSED', `nobody is free to answer ${request.type}`);
    const timeoutMs = Math.min(envelope.timeoutMs ?? 0, REQUEST_TIMEOUT_MS_MAX);
    const answer = await within(this.#respond(request, peer), timeoutMs, request.type);
    return checkMessage(schemas, answer);
  }

  async #takePushes(): Promise<void> {
    for await (const [peer, frame] of this.#pushed) {
      if (peer && frame) this.#takePush(peer.toString(), frame);
    }
  }

  #takePush(peer: string, frame: Buffer): void {
    try {
      for (const message of decodeEnvelope(frame).messages ?? [])
        this.#receive?.(checkMessage(this.#options.schemas, message), peer);
    } catch (error) {
      this.#options.log(`transport: a push of ${peer} was dropped: ${String(error)}`);
    }
  }

  /** Lets subscribers notice that they missed the last message, or that the server is a new one. */
  async #publishBeat(): Promise<void> {
    const sequences = Object.fromEntries(this.#sequences);
    await sendOrDrop(this.#published, [BEAT_TOPIC, encode({ run: this.#run, sequences })]);
  }
}

async function within<T>(work: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  const { promise: expired, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(new TandemError('TRANSPORT_TIMEOUT', `${what} was not answered in ${timeoutMs} ms`));
  }, timeoutMs);
  try {
    return await Promise.race([work, expired]);
  } finally {
    clearTimeout(timer);
  }
}
