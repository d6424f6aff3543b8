// What a request asks for, or why it is refused. node:http has parsed it strictly already (llhttp
// without leniency); here is what it lets through and we do not (RFC 9112 sections 3.2, 6.1).
import { normalizeHost } from '../domain/route-match.ts';
import { LIMITS } from '../domain/limits.ts';
import { badRequest, headTooLarge, type Refusal } from './refusal.ts';

export interface RawRequest {
  readonly method: string;
  readonly url: string;
  readonly httpVersion: string;
  /** Name, value, name, value ... as received. */
  readonly rawHeaders: readonly string[];
}

export interface RequestHead {
  readonly method: string;
  /** Normalized; undefined when it is no host. */
  readonly host: string | undefined;
  /** As the client wrote it, with its port. */
  readonly hostHeader: string;
  /** Origin form, path and query. */
  readonly target: string;
  readonly path: string;
  readonly refusal: Refusal | undefined;
}

export function readRequestHead(request: RawRequest): RequestHead {
  const hosts = valuesOf(request.rawHeaders, 'host');
  const { authority, target } = splitTarget(request.url);
  // The authority of an absolute target wins over the Host header (RFC 9112 section 3.2.2).
  const hostHeader = authority ?? hosts[0] ?? '';
  const query = target.indexOf('?');
  return {
    method: request.method,
    host: normalizeHost(hostHeader),
    hostHeader,
    target,
    path: query < 0 ? target : target.slice(0, query),
    refusal: findFault(request, hosts, target),
  };
}

export function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name,
  );
}

function splitTarget(url: string): { authority: string | undefined; target: string } {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (!absolute) return { authority: undefined, target: url };
  const rest = absolute[2] ?? '';
  return { authority: absolute[1], target: rest.startsWith('/') ? rest : `/${rest}` };
}

function findFault(
  { method, httpVersion, rawHeaders }: RawRequest,
  hosts: readonly string[],
  target: string,
): Refusal | undefined {
  const [coding, ...otherCodings] = valuesOf(rawHeaders, 'transfer-encoding');
  if (rawHeaders.length / 2 > LIMITS.balancer.headerCountMax) return headTooLarge;
  if (hosts.length > 1) return badRequest('The request has more than one Host header.');
  if (hosts.length === 0) return badRequest('The request has no Host header.');
  if (valuesOf(rawHeaders, 'content-length').length > 1)
    return badRequest('The request has more than one Content-Length header.');
  if (coding !== undefined && (otherCodings.length > 0 || coding.toLowerCase() !== 'chunked'))
    return badRequest('The only transfer coding understood is "chunked".');
  if (coding !== undefined && httpVersion !== '1.1')
    return badRequest('Transfer-Encoding needs HTTP/1.1.');
  if (coding !== undefined && valuesOf(rawHeaders, 'content-length').length > 0)
    return badRequest('The request has both Content-Length and Transfer-Encoding.');
  const wellFormed = target.startsWith('/') || (target === '*' && method === 'OPTIONS');
  if (!wellFormed || /[#\s\\\u0000-\u0020\u007f]/.test(target))
    return badRequest('The request target is not a path.');
  return undefined;
}
