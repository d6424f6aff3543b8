// One certificate from the authority: the DNS is looked at first, then it is ordered, and what comes
// is examined like one that a stranger brought.
import { TandemError } from '@tandem/protocol';
import { examinePair, type CertificatePair } from '../../domain/certificate/certificate-pair.ts';
import { dnsVerdict } from '../../domain/certificate/dns-verdict.ts';
import { isWildcard } from '../../domain/hostname.ts';
import type { CertificateAuthority, ChallengeSolver } from '../../ports/certificate-authority.ts';
import type { NameResolver } from '../../ports/name-resolver.ts';
import { makeKey } from './certificate-documents.ts';

export interface AuthorityAccess {
  readonly authority: CertificateAuthority;
  /** HTTP-01 and TLS-ALPN-01, through the balancers. */
  readonly solver?: ChallengeSolver;
  /** DNS-01, through a command of the operator's. */
  readonly dnsSolver?: ChallengeSolver;
}

export interface Obtaining extends AuthorityAccess {
  readonly resolver: NameResolver;
  readonly accountKeyPem: string;
  readonly names: readonly [string, ...string[]];
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
}

/** Throws what the authority throws, DOMAIN_ELSEWHERE and DNS_HOOK_MISSING. */
export async function obtainCertificate(obtaining: Obtaining): Promise<CertificatePair> {
  const { authority, accountKeyPem, names, nowMs, signal } = obtaining;
  const solver = solverFor(obtaining);
  if (!solver.kinds.includes('dns-01'))
    for (const host of names) await assertLeadsHere(obtaining.resolver, host, signal);
  const privateKeyPem = makeKey();
  const order = { accountKeyPem, privateKeyPem, names, solver, signal };
  const pair = { chainPem: await authority.order(order), privateKeyPem };
  const verdict = examinePair(pair, { hosts: names, nowMs: nowMs() });
  if ('facts' in verdict) return pair;
  throw new TandemError(
    'CERTIFICATE_REFUSED',
    `what ${authority.id} gave for ${names.join(', ')} cannot be used: ${verdict.problem}`,
    { where: authority.id, hint: 'Look at the clock of this machine, and at the authority.' },
  );
}

function solverFor({ names, solver, dnsSolver }: Obtaining): ChallengeSolver {
  const wildcard = names.find(isWildcard);
  const chosen = wildcard === undefined ? (solver ?? dnsSolver) : dnsSolver;
  if (chosen) return chosen;
  throw new TandemError(
    'DNS_HOOK_MISSING',
    `${wildcard ?? names[0]} needs a command that writes DNS records, and there is none`,
    { hint: 'Name every host by itself, or give the platform a DNS hook.' },
  );
}

async function assertLeadsHere(
  resolver: NameResolver,
  host: string,
  signal: AbortSignal,
): Promise<void> {
  let found: readonly string[];
  try {
    found = await resolver.addresses(host, signal);
  } catch (error) {
    signal.throwIfAborted();
    const { code = 'no answer' } = error as NodeJS.ErrnoException;
    throw elsewhere(host, `the DNS does not answer for ${host} (${code})`, {
      hint: 'Look at the name servers of the domain, and at those of this machine.',
      cause: error,
    });
  }
  const verdict = dnsVerdict({ host, found, own: resolver.ownAddresses() });
  if ('reason' in verdict) throw elsewhere(host, verdict.reason, { hint: verdict.hint });
}

function elsewhere(
  host: string,
  message: string,
  details: { hint: string; cause?: unknown },
): TandemError {
  return new TandemError('DOMAIN_ELSEWHERE', message, { where: host, ...details });
}
