// What travels in frames: msgpack, checked by schemas on both sides. An unknown field is dropped,
// an unknown type is refused, so either end may be the newer one.
import { Packr } from 'msgpackr';
import * as v from 'valibot';
import { ErrorBodySchema, TandemError } from '@tandem/protocol';
import type { Message } from '../../ports/transport.ts';

export const PROTOCOL_VERSION = 1;
/** A snapshot of 100,000 routes is about 20 MB. */
export const MESSAGE_BYTES_MAX = 64 * 1024 * 1024;

/** Message type -> schema of the whole message. */
export type MessageSchemas = Readonly<Record<string, v.GenericSchema<unknown, Message>>>;

/** Shared by request, push and publish; a resent request is the same bytes. */
const Envelope = v.object({
  v: v.number(),
  id: v.optional(v.string()),
  timeoutMs: v.optional(v.number()),
  messages: v.optional(v.array(v.looseObject({ type: v.string() }))),
  error: v.optional(ErrorBodySchema),
});
export type Envelope = v.InferOutput<typeof Envelope>;

/** In front of every published message; `run` changes when the server starts anew. */
const Stamp = v.object({ run: v.string(), sequence: v.number() });
export type Stamp = v.InferOutput<typeof Stamp>;

/** The last sequence of each topic, published on BEAT_TOPIC every BEAT_INTERVAL_MS. */
const Beat = v.object({ run: v.string(), sequences: v.record(v.string(), v.number()) });
export type Beat = v.InferOutput<typeof Beat>;
export const BEAT_TOPIC = '~beat';
export const BEAT_INTERVAL_MS = 1_000;

// Records would tie a frame to the ones before it; a lossy link needs frames that stand alone.
const packr = new Packr({ useRecords: false });

export const encode = (value: Envelope | Stamp | Beat | Message): Buffer => packr.pack(value);
export const decodeEnvelope = (frame: Buffer): Envelope => decode(Envelope, frame);
export const decodeStamp = (frame: Buffer): Stamp => decode(Stamp, frame);
export const decodeBeat = (frame: Buffer): Beat => decode(Beat, frame);
export const decodeMessage = (schemas: MessageSchemas, frame: Buffer): Message =>
  checkMessage(schemas, decode(v.looseObject({ type: v.string() }), frame));

/** Throws TRANSPORT_REFUSED for a type without schema or a body that does not match it. */
export function checkMessage(schemas: MessageSchemas, message: Message): Message {
  const schema = Object.hasOwn(schemas, message.type) ? schemas[message.type] : undefined;
  if (!schema)
    throw new TandemError('TRANSPORT_REFUSED', `unknown message type "${message.type}"`, {
      hint: 'tandem status shows whether all nodes run the same version',
    });
  const parsed = v.safeParse(schema, message);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  const at = v.getDotPath(issue) ?? 'the message';
  throw new TandemError('TRANSPORT_REFUSED', `${message.type}: ${at}: ${issue.message}`);
}

function decode<T>(schema: v.GenericSchema<unknown, T>, frame: Buffer): T {
  let value: unknown;
  try {
    value = packr.unpack(frame);
  } catch (error) {
    throw new TandemError('TRANSPORT_REFUSED', 'a frame is not msgpack', { cause: error });
  }
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw new TandemError('TRANSPORT_REFUSED', `a frame is malformed: ${parsed.issues[0].message}`);
}
