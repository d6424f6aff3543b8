// What a route may want changed of a request and its answer on their way. The head of an answer is
// changed in one piece; a layer stands between the reader of an answer and its exchange and changes the
// body.
import type { ClientExchange } from './client-exchange.ts';
import { type ResponseHead, withFieldLines } from './http1/response-head.ts';

/** Field lines in, field lines out, each with its end of line. */
export type FieldChange = (fields: string) => string;

/** Of one exchange; made when it was admitted. */
export interface Treatment {
  readonly requestFields: FieldChange | undefined;
  readonly answer: AnswerChanges | undefined;
  readonly responseTimeoutMs: number | undefined;
}

export interface AnswerChanges {
  /** Other fields; status and framing stay. */
  headOf(exchange: ClientExchange, head: ResponseHead): ResponseHead;
  /** Undefined when the body goes on as it is. `onRoom` is called when a backlog is gone. */
  layerOf(
    exchange: ClientExchange,
    head: ResponseHead,
    onRoom: () => void,
  ): AnswerLayer | undefined;
}

/** Where the answer of an app goes: an exchange, or a layer before it. */
export interface AnswerSink {
  /** Of the body, for the access record: the reader counts what it hands on. */
  bytesSent: number;
  /** Chunks are passed on as they are. */
  readonly takesChunks: boolean;
  /** The bytes last given are still to be read: leave them alone. */
  readonly holdsBytes: boolean;
  /** Slower than the app writes, beyond the bound. */
  readonly isBacklogged: boolean;
  /**
   * The head of the answer and the first of its body: `ranges` of `bytes`. What is before the first
   * range may be overwritten.
   */
  begin(head: ResponseHead, bytes: Buffer, ranges: readonly number[]): void;
  /** More of the body. */
  send(bytes: Buffer, ranges: readonly number[]): void;
  /** The answer is complete. `end`: what ends chunks that were passed as they are. */
  finish(end: string): void;
}

/** Holds nothing before `begin`; the exchange closes it when it ends, whatever happened. */
export interface AnswerLayer extends AnswerSink {
  onClientDrain(): void;
  close(): void;
}

/** Adds one field line to what `inner` makes of an answer, unless it is there. */
export function withField(inner: AnswerChanges | undefined, line: string): AnswerChanges {
  return {
    headOf(exchange, head) {
      const changed = inner?.headOf(exchange, head) ?? head;
      return withFieldLines(changed, (fields) =>
        fields.includes(line) ? fields : `${fields}${line}\r\n`,
      );
    },
    layerOf: (exchange, head, onRoom) => inner?.layerOf(exchange, head, onRoom),
  };
}
