// Messages between the processes of the platform (design section 5). Never the only truth: every
// message is a hint to look at the state. Adapter: ZeroMQ with CURVE on every socket.

/** A message body: what msgpack can carry. Checked by a schema at both ends. */
export type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

/** The serving end: answers requests, publishes, takes in pushed batches. */
export interface TransportServer {
  /** `respond` may throw a TandemError; its body goes back to the caller. */
  onRequest(respond: (message: Message, peer: string) => Promise<Message>): void;
  onPush(receive: (message: Message, peer: string) => void): void;
  /** To all subscribers; `sequence` grows by one with each, so they see gaps. */
  publish(topic: string, message: Message): Promise<void>;
  close(): Promise<void>;
}

export interface TransportClient {
  /** Throws TRANSPORT_TIMEOUT or the error of the other end. Safe to repeat: same id, one effect. */
  request(message: Message, options: { timeoutMs: number; id?: string }): Promise<Message>;
  /** Batched and lossy by design: full queues drop and count. Never blocks. */
  push(message: Message): void;
  readonly pushesDropped: number;
  /** `onGap` is called when published messages were missed or the link came back: snapshot again. */
  subscribe(topic: string, receive: (message: Message) => void, onGap: () => void): void;
  close(): Promise<void>;
}
