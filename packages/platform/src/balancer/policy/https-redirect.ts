// Sends who comes by HTTP to HTTPS, path and query kept, and tells browsers to come by HTTPS at once.
import type { HttpsPolicy } from '../../domain/route-policy.ts';
import type { Exchange } from '../exchange.ts';
import { badRequest } from '../refusal.ts';
import type { AdmissionPolicy, Verdict } from './admission.ts';

/** Authorities ask by HTTP, on port 80, and nothing else (RFC 8555 section 8.3). */
const CHALLENGE = /^\/\.well-known\/acme-challenge\/[A-Za-z0-9_-]{1,256}$/;
/** Under `*.suffix` a client names hosts as it likes. */
const PLAIN_HOST = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])$/;

export class HttpsRedirect implements AdmissionPolicy {
  readonly #port: string;

  constructor({ port = 443 }: HttpsPolicy) {
    this.#port = port === 443 ? '' : `:${port}`;
  }

  judge({ origin, host, path, target, method }: Exchange): Verdict {
    if (origin.proto === 'https' || CHALLENGE.test(path)) return undefined;
    if (host === undefined || !PLAIN_HOST.test(host))
      return badRequest('The request names no valid host.');
    const location = `https://${host}${this.#port}${target === '*' ? '/' : target}`;
    return {
      // Of a 301 a browser makes a GET, whatever the method was.
      status: method === 'GET' || method === 'HEAD' ? 301 : 308,
      title: 'Moved',
      detail: `This site is at https://${host}${this.#port}/.`,
      headers: ['Location', location],
    };
  }
}

/** Undefined without HSTS. Browsers believe it by HTTPS only (RFC 6797 section 7.2). */
export function strictTransportField(policy: HttpsPolicy | undefined): string | undefined {
  if (policy?.hstsMaxAgeS === undefined) return undefined;
  const subdomains = policy.hstsIncludesSubdomains === true ? '; includeSubDomains' : '';
  return `Strict-Transport-Security: max-age=${policy.hstsMaxAgeS}${subdomains}\r\n`;
}
