// A host whose certificate browsers trust leads them to HTTPS: its app's routes follow its certificate.
import type { CertificateChange } from '../certificates/certificate-feed.ts';
import type { CertificateKeeper } from '../certificates/certificate-keeper.ts';
import type { NexusContext } from '../context.ts';
import { KEYS } from '../documents/repository.ts';
import type { DomainDocument } from '../documents/schemas.ts';
import type { RoutePublisher } from './route-publisher.ts';

export interface SecureRoutes {
  readonly context: Pick<NexusContext, 'repository' | 'installation' | 'report'>;
  readonly certificates: Pick<CertificateKeeper, 'onCertificate'>;
  readonly routes: Pick<RoutePublisher, 'publish'>;
}

/**
 * From now on, until `signal` fires; what was published before knows of the certificates there were.
 * Whoever follows certificates since before this has told the balancers of one when its routes follow.
 */
export function followCertificates(parts: SecureRoutes, signal: AbortSignal): void {
  let isFollowing = false;
  const end = parts.certificates.onCertificate((change) => {
    if (!isFollowing) return;
    republish(parts, hostOf(change)).catch((error: unknown) => {
      parts.context.report(`routes do not follow the certificate of ${hostOf(change)}`, error);
    });
  });
  isFollowing = true;
  signal.addEventListener('abort', end, { once: true });
}

async function republish({ context, routes }: SecureRoutes, host: string): Promise<void> {
  const { repository, installation } = context;
  if (host === `*.${installation.suffix}`) {
    for (const app of await repository.apps()) await routes.publish(app.id);
    return;
  }
  const claim = (await repository.get<DomainDocument>(KEYS.domain(host)))?.value;
  if (claim) await routes.publish(claim.appId);
}

const hostOf = (change: CertificateChange): string =>
  change.kind === 'set' ? change.certificate.host : change.host;
