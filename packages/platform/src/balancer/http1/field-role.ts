// Field names that mean something to a proxy. Most names mean nothing, and finding that out costs one
// look into a table.

export const FieldRole = {
  other: 0,
  host: 1,
  contentLength: 2,
  transferEncoding: 3,
  connection: 4,
  expect: 5,
  upgrade: 6,
  /** For one hop only (RFC 9110 section 7.6.1, and what old proxies invented). */
  hop: 7,
  requestId: 8,
  /** Said by us alone: an app behind a proxy believes these. */
  ours: 9,
  date: 10,
  maxForwards: 11,
} as const;
export type FieldRole = (typeof FieldRole)[keyof typeof FieldRole];

const ROLES: Readonly<Record<string, FieldRole>> = {
  host: FieldRole.host,
  'content-length': FieldRole.contentLength,
  'transfer-encoding': FieldRole.transferEncoding,
  connection: FieldRole.connection,
  expect: FieldRole.expect,
  upgrade: FieldRole.upgrade,
  'keep-alive': FieldRole.hop,
  'proxy-authenticate': FieldRole.hop,
  'proxy-authorization': FieldRole.hop,
  'proxy-connection': FieldRole.hop,
  'http2-settings': FieldRole.hop,
  te: FieldRole.hop,
  trailer: FieldRole.hop,
  'x-request-id': FieldRole.requestId,
  date: FieldRole.date,
  'max-forwards': FieldRole.maxForwards,
  forwarded: FieldRole.ours,
  'x-real-ip': FieldRole.ours,
  'x-request-start': FieldRole.ours,
  'x-scheme': FieldRole.ours,
  'x-url-scheme': FieldRole.ours,
  'front-end-https': FieldRole.ours,
};
const OUR_PREFIXES = ['x-forwarded-', 'x-tandem-'].map((prefix) => Buffer.from(prefix));

/** Of a name's octets, case aside: start with 0, add them one by one. */
export const addToHash = (hash: number, octet: number): number =>
  (Math.imul(hash, 31) + (octet | 0x20)) | 0;

interface Entry {
  readonly name: Buffer;
  readonly hash: number;
  readonly role: FieldRole;
}

const TABLE_MASK = 0xff;
/** By the low bits of the hash; a test sees that no two names share a place. */
const TABLE: readonly (Entry | undefined)[] = buildTable();

function buildTable(): (Entry | undefined)[] {
  const places = new Array<Entry | undefined>(TABLE_MASK + 1).fill(undefined);
  for (const [text, role] of Object.entries(ROLES)) {
    const name = Buffer.from(text);
    const hash = name.reduce(addToHash, 0);
    if (places[hash & TABLE_MASK]) throw new Error(`field-role: ${text} has no place of its own`);
    places[hash & TABLE_MASK] = { name, hash, role };
  }
  return places;
}

/** Of the name at `start` to `end`, whose hash is `hash`. */
export function roleOf(bytes: Uint8Array, start: number, end: number, hash: number): FieldRole {
  const entry = TABLE[hash & TABLE_MASK];
  if (entry !== undefined && entry.hash === hash && entry.name.length === end - start)
    if (startsWith(bytes, start, entry.name)) return entry.role;
  const isExtension = ((bytes[start] as number) | 0x20) === 0x78 && bytes[start + 1] === 0x2d;
  return isExtension && hasOurPrefix(bytes, start, end) ? FieldRole.ours : FieldRole.other;
}

function hasOurPrefix(bytes: Uint8Array, start: number, end: number): boolean {
  return OUR_PREFIXES.some(
    (prefix) => end - start >= prefix.length && startsWith(bytes, start, prefix),
  );
}

/** `expected` in lower case. */
function startsWith(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let index = 0; index < expected.length; index += 1) {
    const octet = bytes[start + index] as number;
    const lower = octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
    if (lower !== expected[index]) return false;
  }
  return true;
}
