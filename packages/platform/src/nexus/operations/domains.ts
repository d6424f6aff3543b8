// Domains: host names of an app besides its own. A claim in the store makes each belong to one app;
// routes follow the app's list, certificates are kept for whatever is claimed.
import { TandemError, type DomainView } from '@tandem/protocol';
import { isWildcard, readHostname } from '../../domain/hostname.ts';
import { LIMITS } from '../../domain/limits.ts';
import type { ControlBackend } from '../control/backend.ts';
import { KEYS, put } from '../documents/repository.ts';
import type { AppDocument, DomainDocument } from '../documents/schemas.ts';
import { hostnamesOf } from '../process-specs.ts';
import type { OperationsContext } from './context.ts';

type DomainOperations = Pick<
  ControlBackend,
  'listDomains' | 'addDomain' | 'removeDomain' | 'importCertificate'
>;

/** Balancers that are slower follow by themselves. */
const ROUTES_TIMEOUT_MS = 5_000;

export function domainOperations(context: OperationsContext): DomainOperations {
  const { repository, certificates } = context;
  return {
    async listDomains(name) {
      return await viewDomains(context, await repository.appByName(name));
    },
    async addDomain(name, text) {
      const host = checkHost(context, text);
      const app = await claim(context, await repository.appByName(name), host);
      // The route first: who looks for the host while its certificate is ordered finds the app.
      await publish(context, app);
      await certificates.ensure(host);
      return await viewDomain(context, app, host);
    },
    async removeDomain(name, text) {
      const app = await repository.appByName(name);
      const host = ownHost(app, text);
      await release(context, app.id, host);
      await publish(context, app);
      await certificates.remove(host);
    },
    async importCertificate(name, text, upload) {
      const app = await repository.appByName(name);
      const host = ownHost(app, text);
      await certificates.import(upload, [host]);
      return await viewDomain(context, app, host);
    },
  };
}

/** For an app that is taken away. */
export async function removeDomains(context: OperationsContext, app: AppDocument): Promise<void> {
  for (const host of app.domains ?? []) {
    await release(context, app.id, host);
    await context.certificates.remove(host);
  }
}

/** What a kill between a claim and its certificate left apart. */
export async function settleDomains(context: OperationsContext): Promise<void> {
  const { repository, certificates } = context;
  const claims = await repository.list<DomainDocument>(KEYS.domains);
  const claimed = new Set(claims.map(({ host }) => host));
  const kept = new Set((await certificates.domains()).map(({ host }) => host));
  for (const host of claimed) if (!kept.has(host)) await certificates.ensure(host);
  for (const host of kept)
    if (!claimed.has(host) && host !== fallbackHost(context)) await certificates.remove(host);
}

async function viewDomains(context: OperationsContext, app: AppDocument): Promise<DomainView[]> {
  const kept = new Map(
    (await context.certificates.domains()).map(({ host, ...certificate }) => [host, certificate]),
  );
  const [given, ...others] = hostnamesOf(context, app);
  const none = { state: 'none' as const };
  return [
    { host: given, given: true, certificate: kept.get(fallbackHost(context)) ?? none },
    ...others.map((host) => ({ host, given: false, certificate: kept.get(host) ?? none })),
  ];
}

async function viewDomain(
  context: OperationsContext,
  app: AppDocument,
  host: string,
): Promise<DomainView> {
  const view = (await viewDomains(context, app)).find((one) => one.host === host);
  return view ?? { host, given: false, certificate: { state: 'none' } };
}

function checkHost({ installation }: OperationsContext, text: string): string {
  const verdict = readHostname(text);
  if ('reason' in verdict) {
    throw new TandemError('DOMAIN_INVALID', `"${text}" is no domain: ${verdict.reason}`, {
      hint: 'Write it as www.example.com, or *.example.com for every name below.',
    });
  }
  const { host } = verdict;
  const { suffix } = installation;
  if (host === suffix || host.endsWith(`.${suffix}`)) {
    throw new TandemError('DOMAIN_INVALID', `"${host}" belongs to the platform`, {
      hint: `Names below ${suffix} follow from the names of apps.`,
    });
  }
  return host;
}

function ownHost(app: AppDocument, text: string): string {
  const verdict = readHostname(text);
  if ('host' in verdict && app.domains?.includes(verdict.host)) return verdict.host;
  throw new TandemError('DOMAIN_NOT_FOUND', `app "${app.name}" has no domain "${text}"`, {
    hint: `tandem domains -a ${app.name}`,
  });
}

/** Safe to repeat. Returns the app as it is then. */
async function claim(
  { repository, clock }: OperationsContext,
  { id, name }: AppDocument,
  host: string,
): Promise<AppDocument> {
  const keys = { app: KEYS.app(id), domain: KEYS.domain(host) };
  return await repository.update(Object.values(keys), (read) => {
    const app = read.get(keys.app) as AppDocument | undefined;
    if (!app || app.state === 'destroying')
      throw new TandemError('APP_NOT_FOUND', `there is no app "${name}" any more`);
    const known = read.get(keys.domain) as DomainDocument | undefined;
    if (known) {
      if (known.appId === id) return { writes: [], result: app };
      // Whose it is, is nobody else's business.
      throw new TandemError('DOMAIN_TAKEN', `${host} is in use already`, {
        hint: 'Remove it where it is used first.',
      });
    }
    const domains = [...(app.domains ?? []), host].toSorted(byHost);
    if (domains.length > LIMITS.certificates.domainsPerAppMax) {
      const most = LIMITS.certificates.domainsPerAppMax;
      throw new TandemError('DOMAIN_INVALID', `an app has at most ${most} domains`);
    }
    const result = { ...app, domains };
    const document = { schemaVersion: 1, host, appId: id, addedAtMs: clock.nowMs() };
    return { writes: [put(keys.app, result), put(keys.domain, document)], result };
  });
}

async function release(
  { repository }: OperationsContext,
  appId: number,
  host: string,
): Promise<void> {
  const keys = { app: KEYS.app(appId), domain: KEYS.domain(host) };
  await repository.update(Object.values(keys), (read) => {
    const app = read.get(keys.app) as AppDocument | undefined;
    const claimed = read.get(keys.domain) as DomainDocument | undefined;
    if (!app || claimed?.appId !== appId) return { writes: [], result: undefined };
    const domains = (app.domains ?? []).filter((one) => one !== host);
    return {
      writes: [put(keys.app, { ...app, domains }), { kind: 'delete', key: keys.domain }],
      result: undefined,
    };
  });
}

async function publish({ routes, resolver }: OperationsContext, app: AppDocument): Promise<void> {
  const epoch = await routes.publish(app.id);
  const signal = new AbortController().signal;
  await resolver.waitAcknowledged(epoch, { timeoutMs: ROUTES_TIMEOUT_MS, signal });
}

/** Names before wildcards, each by the alphabet. */
function byHost(a: string, b: string): number {
  return Number(isWildcard(a)) - Number(isWildcard(b)) || (a < b ? -1 : 1);
}

const fallbackHost = ({ installation }: OperationsContext): string => `*.${installation.suffix}`;
