// A request of HTTP/2 written as HTTP/1.1 and read by the reader of HTTP/1.1: what one version refuses
// the other does not let through (RFC 9113 sections 8.2, 8.3 and 10.3).
import { Fault } from '../http1/field-scanner.ts';
import { type RequestHead, RequestHeadReader } from '../http1/request-head.ts';

export type ReadRequest = { readonly head: RequestHead } | { readonly fault: Fault };

interface Pseudo {
  readonly method: string;
  readonly path: string;
  readonly scheme: string;
  readonly authority: string | undefined;
}

const reader = new RequestHeadReader();

/** `fields`: name, value, name, value ... as received. */
export function readRequest(
  fields: readonly string[],
  { hasBody }: { readonly hasBody: boolean },
): ReadRequest {
  const text = requestText(fields, hasBody);
  if (typeof text === 'number') return { fault: text };
  const bytes = Buffer.from(text, 'latin1');
  const end = reader.read(bytes, 0, bytes.length);
  if (end === bytes.length) return { head: reader.head };
  return { fault: end < -1 ? (end as Fault) : Fault.value };
}

/** Field lines behind a body; undefined when they are none. */
export function trailerText(fields: readonly string[]): string | undefined {
  let text = '';
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [name = '', value = ''] = [fields[index], fields[index + 1]];
    if (!isField(name, value) || CONNECTION_FIELDS.has(name)) return undefined;
    text += `${name}: ${value}\r\n`;
  }
  return text;
}

function requestText(fields: readonly string[], hasBody: boolean): string | Fault {
  const [pseudo, from] = readPseudo(fields);
  if (pseudo === undefined) return Fault.startLine;
  let [lines, cookies, host, hasLength] = ['', '', undefined as string | undefined, false];
  for (let index = from; index + 1 < fields.length; index += 2) {
    const [name = '', value = ''] = [fields[index], fields[index + 1]];
    if (!isField(name, value)) return name.startsWith(':') ? Fault.startLine : Fault.value;
    if (CONNECTION_FIELDS.has(name)) return Fault.transferCoding;
    if (name === 'te' && value.toLowerCase() !== 'trailers') return Fault.transferCoding;
    if (name === 'host') {
      if (host !== undefined) return Fault.host;
      host = value;
    } else if (name === 'cookie') cookies += cookies === '' ? value : `; ${value}`;
    else {
      hasLength ||= name === 'content-length';
      lines += `${name}: ${value}\r\n`;
    }
  }
  const fault = pseudoFault(pseudo, host);
  if (fault !== 0) return fault;
  if (cookies !== '') lines += `cookie: ${cookies}\r\n`;
  if (hasBody && !hasLength) lines += 'transfer-encoding: chunked\r\n';
  const authority = pseudo.authority ?? host;
  return `${pseudo.method} ${pseudo.path} HTTP/1.1\r\nhost: ${authority}\r\n${lines}\r\n`;
}

/** They stand before all others, each once. */
function readPseudo(fields: readonly string[]): [Pseudo | undefined, from: number] {
  const found = new Map<string, string>();
  let index = 0;
  for (; index + 1 < fields.length && fields[index]?.startsWith(':'); index += 2) {
    const [name = '', value = ''] = [fields[index], fields[index + 1]];
    if (!PSEUDO.has(name) || found.has(name)) return [undefined, index];
    if (/[^\x21-\x7e]/.test(value)) return [undefined, index];
    found.set(name, value);
  }
  const [method, path] = [found.get(':method'), found.get(':path')];
  // CONNECT has neither scheme nor path, and is for forward proxies.
  const [scheme, authority] = [found.get(':scheme'), found.get(':authority')];
  if (method === undefined || path === undefined || scheme === undefined) return [undefined, index];
  return [{ method, path, scheme, authority }, index];
}

function pseudoFault({ method, path, scheme, authority }: Pseudo, host?: string): Fault | 0 {
  if (scheme !== 'https' && scheme !== 'http') return Fault.startLine;
  if (!path.startsWith('/') && !(path === '*' && method === 'OPTIONS')) return Fault.target;
  // Of a user before the host no two readers think the same.
  if (authority?.includes('@')) return Fault.host;
  if (authority === undefined) return host === undefined ? Fault.host : 0;
  const agree = host === undefined || host.toLowerCase() === authority.toLowerCase();
  return agree ? 0 : Fault.host;
}

/** What must not stand in the text of a line: the end of it, and names that are none. */
const isField = (name: string, value: string): boolean =>
  name !== '' && !/[A-Z:\s]/.test(name) && !/[\r\n\0]/.test(value);

const PSEUDO: ReadonlySet<string> = new Set([':method', ':scheme', ':authority', ':path']);
const CONNECTION_FIELDS: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'transfer-encoding', 'upgrade'],
  'http2-settings',
]);
