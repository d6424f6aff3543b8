// The services of an app: which its image wants, what the store keeps of them, and what runs for them.
import type { BuiltImage } from '../domain/release.ts';
import type { InstanceSpec, ServiceLink } from '../ports/runner.ts';
import type { ServiceApp, ServiceCredentials, ServiceKind } from '../ports/service-kind.ts';
import { openCredentials, sealCredentials } from './app-secrets.ts';
import type { NexusContext } from './context.ts';
import { KEYS, put } from './documents/repository.ts';
import type { AppDocument } from './documents/schemas.ts';

export interface AttachedService {
  readonly kind: ServiceKind;
  readonly credentials: ServiceCredentials;
}

type Kinds = Pick<NexusContext, 'database' | 'redis'>;

const kindsOf = ({ database, redis }: Kinds): readonly ServiceKind[] => [database, redis];

export function wantedKinds(
  { database, redis }: Kinds,
  image: Pick<BuiltImage, 'needsDatabase' | 'needsRedis'>,
): readonly ServiceKind[] {
  return [...(image.needsDatabase ? [database] : []), ...(image.needsRedis ? [redis] : [])];
}

export async function credentialsOf(
  { repository, secrets }: Pick<NexusContext, 'repository' | 'secrets'>,
  { kind }: ServiceKind,
  appId: number,
): Promise<ServiceCredentials | undefined> {
  const attachment = await repository.attachment(appId, kind);
  return attachment && openCredentials(secrets, appId, kind, attachment.value.credentials);
}

/** Of the kinds given, those that the app has. */
export async function attachedServices(
  context: NexusContext,
  appId: number,
  kinds: readonly ServiceKind[] = kindsOf(context),
): Promise<AttachedService[]> {
  const found = await Promise.all(
    kinds.map(async (kind) => {
      const credentials = await credentialsOf(context, kind, appId);
      return credentials ? [{ kind, credentials }] : [];
    }),
  );
  return found.flat();
}

export function environmentOf(attached: readonly AttachedService[]): Record<string, string> {
  return Object.assign(
    {},
    ...attached.map(({ kind, credentials }) => kind.environment(credentials)),
  ) as Record<string, string>;
}

export function linksOf(attached: readonly AttachedService[]): ServiceLink[] {
  return attached.map(({ kind, credentials }) => kind.link(credentials));
}

/** The credentials are kept before anything runs with them; `isNew` says that nothing does yet. */
export async function attachService(
  context: NexusContext,
  kind: ServiceKind,
  app: ServiceApp,
): Promise<{ readonly credentials: ServiceCredentials; readonly isNew: boolean }> {
  const { repository, secrets } = context;
  const before = await credentialsOf(context, kind, app.appId);
  const credentials = await kind.attach(app, before);
  if (before) return { credentials, isNew: false };
  const sealed = sealCredentials(secrets, app.appId, kind.kind, credentials);
  const key = KEYS.attachment(app.appId, kind.kind);
  await repository.store.transact([], [put(key, { schemaVersion: 1, credentials: sealed })]);
  return { credentials, isNew: true };
}

/** Servers that only this app has. */
export async function ownInstances(
  context: NexusContext,
  { id, name }: AppDocument,
): Promise<InstanceSpec[]> {
  const attached = await attachedServices(context, id);
  return attached.flatMap(({ kind, credentials }) => {
    const shared = new Set(kind.instances([]).map(({ instanceId }) => instanceId));
    return kind
      .instances([{ appId: id, appName: name, credentials }])
      .filter(({ instanceId }) => !shared.has(instanceId));
  });
}

/** What shall run for the services of these apps, servers that all share included. */
export async function serviceInstances(
  context: NexusContext,
  apps: readonly AppDocument[],
): Promise<InstanceSpec[]> {
  const specs = await Promise.all(
    kindsOf(context).map(async (kind) => {
      const attached = await Promise.all(
        apps.map(async ({ id, name }) => {
          const credentials = await credentialsOf(context, kind, id);
          return credentials ? [{ appId: id, appName: name, credentials }] : [];
        }),
      );
      return kind.instances(attached.flat());
    }),
  );
  return specs.flat();
}
