// From documents to what the runner is told: the complete specification of an instance or a job.
import { appUid, originOf } from '../domain/installation.ts';
import { LIMITS } from '../domain/limits.ts';
import { layersOf } from '../domain/release.ts';
import type { InstanceSpec, JobSpec, ProcessSpec } from '../ports/runner.ts';
import { logsDirectory } from '../ports/paths.ts';
import { join } from 'node:path';
import { openConfig, openSecretKey } from './app-secrets.ts';
import type { NexusContext } from './context.ts';
import type { AppDocument, InstanceDocument, ReleaseDocument } from './documents/schemas.ts';
import { buildEnvironment } from './environment.ts';
import { attachedServices, environmentOf, linksOf, wantedKinds } from './services.ts';

type NamedApp = Pick<AppDocument, 'name' | 'domains'>;

/** Names under which the app answers; the first one is its own for ever. */
export function hostnamesOf(context: NexusContext, app: NamedApp): [string, ...string[]] {
  return [`${app.name}.${context.installation.suffix}`, ...(app.domains ?? [])];
}

/** One for each name, as browsers should come. */
export function urlsOf(context: NexusContext, app: NamedApp): string[] {
  return hostnamesOf(context, app).map((host) => urlOf(context, host));
}

/**
 * All that browsers may come from. A name that is not secure yet may become so while the process
 * runs; of one that is, nothing that anybody on the way may write is believed.
 */
function originsOf(context: NexusContext, app: NamedApp): string[] {
  const { installation, isSecure } = context;
  return hostnamesOf(context, app).flatMap((host) => {
    const isBoth = installation.httpsPort !== undefined && !isSecure(host);
    return [urlOf(context, host), ...(isBoth ? [originOf(installation, 'https', host)] : [])];
  });
}

/** Of a host, or of a pattern for hosts: `NAME.localhost`. */
export function urlOf(
  context: Pick<NexusContext, 'installation' | 'isSecure'>,
  host: string,
): string {
  return originOf(context.installation, context.isSecure(host) ? 'https' : 'http', host);
}

export function appLogsDirectory(context: NexusContext, appId: number): string {
  return join(logsDirectory(context.paths), String(appId));
}

export function logPathOf(
  context: NexusContext,
  appId: number,
  name: { process: string; release: string; id: string },
): string {
  const file = `${name.process}~${name.release}~${name.id}.log`;
  return join(appLogsDirectory(context, appId), file);
}

export async function instanceSpec(
  context: NexusContext,
  app: AppDocument,
  release: ReleaseDocument,
  instance: InstanceDocument,
): Promise<InstanceSpec> {
  const type = release.image.processTypes[instance.processType];
  const processName = `${instance.processType}.${instance.index}`;
  const isWeb = type?.kind === 'web';
  const common = await processSpec(context, app, release, {
    processName,
    command: type?.command ?? 'false',
    memoryBytes: instance.memoryBytes,
    ipv6: instance.ipv6,
    ipv4: instance.ipv4,
    id: instance.instanceId,
  });
  return {
    ...common,
    instanceId: instance.instanceId,
    desired: instance.desired,
    onProbation: instance.onProbation,
    stopSignal: 'SIGTERM',
    stopGraceMs: isWeb ? LIMITS.drain.webMs : LIMITS.drain.workerMs,
    ...(isWeb ? { probe: probeOf(context, app) } : {}),
  };
}

export async function jobSpec(
  context: NexusContext,
  app: AppDocument,
  release: ReleaseDocument,
  job: {
    jobId: string;
    processName: string;
    command: string;
    ipv6: string;
    ipv4: string;
    timeoutMs: number;
    memoryBytes?: number;
  },
): Promise<JobSpec> {
  const common = await processSpec(context, app, release, {
    ...job,
    id: job.jobId,
    memoryBytes: job.memoryBytes ?? LIMITS.instance.memoryBytes,
  });
  return { ...common, jobId: job.jobId, timeoutMs: job.timeoutMs };
}

function probeOf(context: NexusContext, app: AppDocument): NonNullable<InstanceSpec['probe']> {
  return {
    path: '/',
    host: hostnamesOf(context, app)[0],
    port: LIMITS.instance.port,
    startTimeoutMs: LIMITS.probe.startTimeoutMs,
  };
}

interface ProcessDetails {
  readonly processName: string;
  readonly command: string;
  readonly memoryBytes: number;
  readonly ipv6: string;
  readonly ipv4: string;
  readonly id: string;
}

async function processSpec(
  context: NexusContext,
  app: AppDocument,
  release: ReleaseDocument,
  details: ProcessDetails,
): Promise<ProcessSpec> {
  const { processName, command, memoryBytes, ipv6, ipv4 } = details;
  const { image } = release;
  const services = await attachedServices(context, app.id, wantedKinds(context, image));
  const { workingDirectory } = image;
  return {
    appId: app.id,
    appName: app.name,
    uid: appUid(context.installation.slot, app.id),
    release: release.number,
    processName,
    layers: layersOf(image.layers),
    command,
    ...(workingDirectory === undefined ? {} : { workingDirectory }),
    env: buildEnvironment({
      appName: app.name,
      release: release.number,
      processName,
      hostnames: hostnamesOf(context, app),
      urls: urlsOf(context, app),
      origins: originsOf(context, app),
      memoryBytes,
      image,
      secretKey: openSecretKey(context.secrets, app.id, app.secretKey),
      services: environmentOf(services),
      config: openConfig(context.secrets, app.id, release.config),
    }),
    memoryBytes,
    ipv6,
    ipv4,
    links: linksOf(services),
    volumes: [],
    ...(release.image.volume === undefined ? {} : { volume: release.image.volume }),
    logPath: logPathOf(context, app.id, {
      process: processName,
      release: `v${release.number}`,
      id: details.id,
    }),
  };
}
