// Host names as people write them, as the DNS and the route table spell them: ASCII, lower case, no
// trailing dot; `*.example` for every name one label below.
import { domainToASCII } from 'node:url';

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;
const LENGTH_MAX = 253;
/** Parts of a URL, and what URLs allow to be written in several ways. */
const FOREIGN = /[\s%/\\:@?#[\]<>^|`]/;

export type HostnameVerdict = { readonly host: string } | { readonly reason: string };

/** `Müller.example.` becomes `xn--mller-kva.example`; a reason, for people, when it is no host name. */
export function readHostname(text: string): HostnameVerdict {
  const written = text.trim().replace(/\.$/, '');
  const isWild = written.startsWith('*.');
  const name = isWild ? written.slice(2) : written;
  if (name === '') return { reason: 'it is empty' };
  if (name.includes('*')) return { reason: 'a * stands for the whole first label only' };
  if (FOREIGN.test(name)) return { reason: 'a host name has no scheme, port, path or blanks' };
  const ascii = domainToASCII(name);
  const labels = ascii.split('.');
  if (!labels.every((label) => LABEL.test(label)))
    return { reason: 'its parts have letters, digits and inner hyphens, at most 63 each' };
  if (labels.length < 2) return { reason: 'it has no dot' };
  if (/^\d+$/.test(labels.at(-1) ?? '')) return { reason: 'an address is no host name' };
  const host = isWild ? `*.${ascii}` : ascii;
  return host.length > LENGTH_MAX ? { reason: `it is over ${LENGTH_MAX} characters` } : { host };
}

/** As Django's ALLOWED_HOSTS spells it: `.example` for every name below. */
export const asAllowedHost = (host: string): string => host.replace(/^\*\./, '.');

export const isWildcard = (host: string): boolean => host.startsWith('*.');

/** Names that every machine resolves to itself; no certificate authority knows them. */
export function isLocalHostname(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost');
}

/** `a.example` -> `*.example`; undefined when nothing can stand there. */
export function wildcardAbove(host: string): string | undefined {
  const dot = host.indexOf('.');
  return dot <= 0 || isWildcard(host) ? undefined : `*${host.slice(dot)}`;
}
