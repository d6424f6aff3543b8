// Puts the nexus together and brings it to life in an order that lets a killed agent's successor
// take over without anybody noticing: adopt, apply, publish, open, resume.
import type { TandemError } from '@tandem/protocol';
import type { CertificateSettings, Installation } from '../../domain/installation.ts';
import type { CertificatePublisher } from '../../nexus/certificates/certificate-publisher.ts';
import { BalancerSolver } from '../../nexus/certificates/balancer-solver.ts';
import type { NexusContext } from '../../nexus/context.ts';
import { startControlServer } from '../../nexus/control/control-server.ts';
import { settleDomains } from '../../nexus/operations/domains.ts';
import { createOperations } from '../../nexus/operations/operations.ts';
import type { PlatformProbe } from '../../nexus/operations/context.ts';
import { sweepUploads } from '../../nexus/operations/deploys.ts';
import { Deploys } from '../../nexus/scheduler/deploys.ts';
import { InstanceKeeper } from '../../nexus/scheduler/instance-keeper.ts';
import { followCertificates } from '../../nexus/scheduler/secure-routes.ts';
import { RoutePublisher } from '../../nexus/scheduler/route-publisher.ts';
import { controlSocket } from '../../ports/paths.ts';
import { openCertificates } from './certificates.ts';

export interface NexusOptions {
  readonly context: Omit<NexusContext, 'isSecure'>;
  readonly platform: PlatformProbe;
  readonly certificates: CertificateSettings;
  readonly certificatePublisher: CertificatePublisher;
  readonly signal: AbortSignal;
}

export interface RunningNexus {
  /** After the signal; then nothing of it uses the store any more. */
  close(): Promise<void>;
  /** Ends all instances of this node in order; they start again with the next agent. */
  endInstances(timeoutMs: number): Promise<void>;
}

export async function startNexus({
  context: given,
  platform,
  certificates: settings,
  certificatePublisher,
  signal,
}: NexusOptions): Promise<RunningNexus> {
  const { resolver, installation } = given;
  const solver = new BalancerSolver({ resolver, kinds: challengeKinds(installation) });
  const certificates = await openCertificates(given, settings, solver);
  await certificates.load();
  certificatePublisher.follow(certificates, signal);
  const context: NexusContext = {
    ...given,
    isSecure: (host) => installation.httpsPort !== undefined && certificates.isTrusted(host),
  };
  const routes = new RoutePublisher(context);
  const keeper = new InstanceKeeper(context, routes);
  const deploys = new Deploys({ context, keeper, routes });
  const operations = { ...context, deploys, keeper, routes, certificates, platform };

  await context.runner.recover();
  await context.builder.sweep(new Set());
  await sweepUploads(operations);
  await keeper.refresh();
  await context.resolver.open();
  followCertificates({ context, certificates, routes }, signal);
  void keeper.run(signal);
  await Promise.all([context.database.waitUntilHealthy(signal), warmUp(context)]);
  await deploys.resume();
  await settleDomains(operations);
  const certificatesEnded = certificates.run(signal);
  const control = await startControlServer({
    socketPath: controlSocket(context.paths),
    backend: createOperations(operations),
    onDefect: (error: TandemError, request: string) => {
      context.report(`${request}: ${error.message}`, error.cause ?? error);
    },
  });
  return {
    close: async () => {
      await Promise.all([control.close(), certificatesEnded]);
    },
    endInstances: (timeoutMs) => keeper.endAll(timeoutMs),
  };
}

/**
 * The authority comes to port 80 or 443. Where we have neither, somebody passes them on to us, and
 * plain HTTP is what they pass on more often.
 */
function challengeKinds({
  httpPort,
  httpsPort,
}: Pick<Installation, 'httpPort' | 'httpsPort'>): ('http-01' | 'tls-alpn-01')[] {
  if (httpsPort === undefined) return ['http-01'];
  const isTlsAlone = httpPort !== 80 && httpsPort === 443;
  return isTlsAlone ? ['tls-alpn-01', 'http-01'] : ['http-01', 'tls-alpn-01'];
}

/** Costs some seconds once per node; a failure shows again, with its cause, in the first build. */
async function warmUp({ builder, report }: NexusContext): Promise<void> {
  await builder.warmUp().catch((error: unknown) => {
    report('the default interpreter could not be prepared', error);
  });
}
