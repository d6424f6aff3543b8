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

interface Entry {
  readonly name: Buffer;
  readonly role: FieldRole;
}

const TABLE_MASK = 0xff;

/** Of length and two octets, case aside: enough to tell the names above from each other. */
const placeOf = (length: number, first: number, last: number): number =>
  (length + (first | 0x20) * 7 + (last | 0x20)) & TABLE_MASK;

const TABLE: readonly (Entry | undefined)[] = buildTable();

function buildTable(): (Entry | undefined)[] {
  const table = new Array<Entry | undefined>(TABLE_MASK + 1).fill(undefined);
  for (const [text, role] of Object.entries(ROLES)) {
    const name = Buffer.from(text);
    const place = placeOf(name.length, name[0] as number, name.at(-1) as number);
    if (table[place]) throw new Error(`field-role: ${text} has no place of its own`);
    table[place] = { name, role };
  }
  return table;
}

/** Of the name from `start` to `end`. */
export function roleOf(bytes: Uint8Array, start: number, end: number): FieldRole {
  const first = bytes[start] as number;
  const entry = TABLE[placeOf(end - start, first, bytes[end - 1] as number)];
  if (entry !== undefined && entry.name.length === end - start)
    if (startsWith(bytes, start, entry.name)) return entry.role;
  const isExtension = (first | 0x20) === 0x78 && bytes[start + 1] === 0x2d;
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
