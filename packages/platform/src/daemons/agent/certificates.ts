// Certificates of this installation: which authority, which DNS, and how it is shown that a name is
// ours. Without an authority everything is signed by ourselves.
import { readFile } from 'node:fs/promises';
import { createAcmeAuthority } from '../../adapters/acme/acme-authority.ts';
import { dnsHookSolver } from '../../adapters/acme/dns-hook.ts';
import { createDnsResolver } from '../../adapters/dns/dns-resolver.ts';
import { selfSign } from '../../adapters/self-signed/self-signed.ts';
import type { Installation } from '../../domain/installation.ts';
import { CertificateKeeper } from '../../nexus/certificates/certificate-keeper.ts';
import type { AuthorityAccess } from '../../nexus/certificates/obtain-certificate.ts';
import type { NexusContext } from '../../nexus/context.ts';
import type { ChallengeSolver } from '../../ports/certificate-authority.ts';

export interface CertificateSettings {
  /** Of the ACME authority. */
  readonly directoryUrl?: string;
  /** PEM file; trusted for that authority alone. */
  readonly extraCaFile?: string;
  readonly contactEmail?: string;
  /** Command that writes DNS records. */
  readonly dnsHook?: readonly [string, ...string[]];
  /** Where the world reaches this machine, when its interfaces do not show it. */
  readonly publicAddresses: readonly string[];
  /** Default: those of the machine. */
  readonly dnsServers?: readonly string[];
}

type Context = Pick<NexusContext, 'repository' | 'secrets' | 'clock' | 'report'> & {
  readonly installation: Pick<Installation, 'suffix' | 'nodeName'>;
};

/** `solver`: through the balancers. Without one, names are shown to be ours by the DNS hook alone. */
export async function openCertificates(
  context: Context,
  settings: CertificateSettings,
  solver?: ChallengeSolver,
): Promise<CertificateKeeper> {
  const { installation, repository, secrets, clock, report } = context;
  const { dnsServers, publicAddresses } = settings;
  const access = await openAccess(context, settings, solver);
  return new CertificateKeeper({
    repository,
    secrets,
    clock,
    report,
    selfSign,
    resolver: createDnsResolver({ publicAddresses, ...(dnsServers && { servers: dnsServers }) }),
    suffix: installation.suffix,
    holder: installation.nodeName,
    random: Math.random,
    ...(access && { access }),
  });
}

async function openAccess(
  { report }: Context,
  { directoryUrl, extraCaFile, contactEmail, dnsHook }: CertificateSettings,
  solver: ChallengeSolver | undefined,
): Promise<AuthorityAccess | undefined> {
  if (directoryUrl === undefined) return undefined;
  const authority = createAcmeAuthority({
    directoryUrl,
    ...(extraCaFile !== undefined && { extraCaPem: await readFile(extraCaFile, 'utf8') }),
    ...(contactEmail !== undefined && { contactEmail }),
  });
  const dnsSolver = dnsHook && dnsHookSolver({ argv: dnsHook, report });
  return { authority, ...(solver && { solver }), ...(dnsSolver && { dnsSolver }) };
}
