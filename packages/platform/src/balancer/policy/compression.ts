// Which answers are worth compressing, for whom, and what their head says then (RFC 9110 sections 8.4
// and 12.5.3).
import { LIMITS } from '../../domain/limits.ts';
import { fieldValues, withoutFields } from '../http1/field-text.ts';
import { type ResponseHead, withFieldLines } from '../http1/response-head.ts';

export type Coding = 'br' | 'gzip';

/** Text in one form or another; not events, which are sent one by one and must not wait. */
const TEXT_TYPE = /^(?:text\/(?!event-stream$).+|.+\+(?:json|xml))$/;
const OTHER_TYPES: ReadonlySet<string> = new Set([
  ...['application/json', 'application/javascript', 'application/xml', 'application/wasm'],
  ...['application/x-javascript', 'application/x-ndjson', 'application/yaml', 'application/rtf'],
  ...['font/ttf', 'font/otf', 'application/vnd.ms-fontobject', 'image/bmp', 'image/x-icon'],
]);
/** Of another body than the one that goes out. */
const STALE_FIELDS: ReadonlySet<string> = new Set([
  ...['content-length', 'accept-ranges', 'content-md5', 'content-digest', 'digest'],
]);

/** Whether a client that asks otherwise could get it compressed: caches must know. */
export function variesByCoding({ lead }: ResponseHead): boolean {
  const type = (fieldValues(lead, 'content-type')[0] ?? '').split(';', 1)[0] ?? '';
  const name = type.trim().toLowerCase();
  if (!TEXT_TYPE.test(name) && !OTHER_TYPES.has(name)) return false;
  if (fieldValues(lead, 'content-encoding').length > 0) return false;
  return !/(?:^|[\s,])no-transform(?:[\s,]|$)/i.test(fieldValues(lead, 'cache-control').join());
}

/** It has a body, all of it, that gets smaller. */
export function isCompressible(head: ResponseHead): boolean {
  const { status, body, lead } = head;
  if (body.kind === 'none' || status === 205 || status === 206) return false;
  if (body.kind === 'length' && body.bytes < LIMITS.policy.compressionBytesMin) return false;
  return variesByCoding(head) && fieldValues(lead, 'content-range').length === 0;
}

/** What a client that accepts `acceptEncoding` is sent; undefined: the body as it is. */
export function preferredCoding(acceptEncoding: string | undefined): Coding | undefined {
  const weights = weightsOf(acceptEncoding ?? '');
  const weightOf = (name: string): number => weights.get(name) ?? weights.get('*') ?? 0;
  const [br, gzip] = [weightOf('br'), Math.max(weightOf('gzip'), weights.get('x-gzip') ?? 0)];
  if (br === 0 && gzip === 0) return undefined;
  const coding = br >= gzip ? 'br' : 'gzip';
  // Who would rather have it as it is says so.
  return (weights.get('identity') ?? 0) > Math.max(br, gzip) ? undefined : coding;
}

function weightsOf(acceptEncoding: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const item of acceptEncoding.toLowerCase().split(',')) {
    const [name = '', ...parameters] = item.split(';').map((part) => part.trim());
    const q = parameters.find((one) => one.startsWith('q='))?.slice(2);
    const weight = q === undefined ? 1 : Number(q);
    if (name !== '') weights.set(name, weight >= 0 && weight <= 1 ? weight : 0);
  }
  return weights;
}

/** Says that the body depends on Accept-Encoding, once. */
export function withVary(head: ResponseHead): ResponseHead {
  const named = fieldValues(head.lead, 'vary').join().toLowerCase().split(',');
  if (named.some((name) => ['*', 'accept-encoding'].includes(name.trim()))) return head;
  return withFieldLines(head, (fields) => `${fields}Vary: Accept-Encoding\r\n`);
}

/** Its length is known once it is sent; an entity tag no longer means the same bytes. */
export function compressedHead(head: ResponseHead, coding: Coding): ResponseHead {
  const changed = withFieldLines(head, (received) => {
    const fields = withoutFields(received, (name) => STALE_FIELDS.has(name));
    return `${fields.replace(/^(etag:[ \t]*)(?=")/im, '$1W/')}Content-Encoding: ${coding}\r\n`;
  });
  return { ...changed, body: { kind: 'close' } };
}
