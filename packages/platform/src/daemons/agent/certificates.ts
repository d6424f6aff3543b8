// Certificates of this installation: which authority, which DNS, and how it is shown that a name is
// ours. Without an authority everything is signed by ourselves.
import { readFile } from 'node:fs/promises';
import { TandemError } from '@tandem/protocol';
import { createAcmeProcesses } from '../../adapters/acme/order-process.ts';
import { dnsHookSolver } from '../../adapters/acme/dns-hook.ts';
import { createDnsResolver } from '../../adapters/dns/dns-resolver.ts';
import { selfSign } from '../../adapters/self-signed/self-signed.ts';
import type { CertificateSettings, Installation } from '../../domain/installation.ts';
import { CertificateKeeper } from '../../nexus/certificates/certificate-keeper.ts';
import type { AuthorityAccess } from '../../nexus/certificates/obtain-certificate.ts';
import type { NexusContext } from '../../nexus/context.ts';
import type { CertificateAuthority, ChallengeSolver } from '../../ports/certificate-authority.ts';

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
    resolver: createDnsResolver({
      ...(publicAddresses && { publicAddresses }),
      ...(dnsServers && { servers: dnsServers }),
    }),
    suffix: installation.suffix,
    holder: installation.nodeName,
    random: Math.random,
    ...(access && { access }),
  });
}

async function openAccess(
  { report }: Context,
  settings: CertificateSettings,
  solver: ChallengeSolver | undefined,
): Promise<AuthorityAccess | undefined> {
  if (settings.directoryUrl === undefined) return undefined;
  const authority = await openAuthority(settings.directoryUrl, settings);
  const [command, ...words] = settings.dnsHook ?? [];
  const dnsSolver =
    command === undefined ? undefined : dnsHookSolver({ argv: [command, ...words], report });
  return { authority, ...(solver && { solver }), ...(dnsSolver && { dnsSolver }) };
}

/** A file that is not there fails every order, where it is seen, and not the agent. */
async function openAuthority(
  directoryUrl: string,
  { extraCaFile, contactEmail }: CertificateSettings,
): Promise<CertificateAuthority> {
  const contact = contactEmail === undefined ? {} : { contactEmail };
  if (extraCaFile === undefined) return createAcmeProcesses({ directoryUrl, ...contact });
  try {
    const extraCaPem = await readFile(extraCaFile, 'utf8');
    return createAcmeProcesses({ directoryUrl, extraCaPem, ...contact });
  } catch (cause) {
    const order = async (): Promise<never> => {
      const what = `what ${directoryUrl} is trusted by cannot be read: ${(cause as Error).message}`;
      throw new TandemError('CERTIFICATE_AUTHORITY_UNREACHABLE', what, {
        where: extraCaFile,
        hint: 'script/up --acme-ca FILE',
        cause,
      });
    };
    return { id: directoryUrl, order };
  }
}
