// Whether the DNS leads a name to this machine. A certificate is not asked for before it does: the
// authority would find somebody else, and count the failure against us.

export interface DnsFacts {
  readonly host: string;
  /** Of A and AAAA records. */
  readonly found: readonly string[];
  /** Where the world reaches this machine; undefined when it cannot know, behind a translation. */
  readonly own: readonly string[] | undefined;
}

export type DnsVerdict =
  { readonly leadsHere: true } | { readonly reason: string; readonly hint: string };

const SHOWN_MAX = 4;

export function dnsVerdict({ host, found, own }: DnsFacts): DnsVerdict {
  const record = (address: string): string => (address.includes(':') ? 'AAAA' : 'A');
  const wanted = own?.[0];
  const hint =
    wanted === undefined
      ? `Add a record for ${host} with the public address of this machine.`
      : `Set the ${record(wanted)} record of ${host} to ${wanted}; it is looked up again by itself.`;
  if (found.length === 0) return { reason: `${host} has no address in the DNS`, hint };
  if (own === undefined) return { leadsHere: true };
  const here = new Set(own.map(canonical));
  // All of them: the authority chooses one, and prefers IPv6.
  const strays = found.filter((address) => !here.has(canonical(address)));
  if (strays.length === 0) return { leadsHere: true };
  const where = strays.slice(0, SHOWN_MAX).join(', ');
  const isPartly = strays.length < found.length;
  return {
    reason: `the DNS leads ${host} ${isPartly ? 'also ' : ''}to ${where}, which is not this machine`,
    hint: isPartly
      ? `Remove the ${record(strays[0] ?? '')} record of ${host} that leads elsewhere; the certificate authority may take that one.`
      : hint,
  };
}

/** One spelling for each address. */
function canonical(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (!plain.includes(':')) return plain;
  return URL.canParse(`http://[${plain}]`) ? new URL(`http://[${plain}]`).hostname : plain;
}
