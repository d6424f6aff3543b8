// Typed reading and writing of documents, with the optimistic retry that every change goes through.
import { TandemError } from '@tandem/protocol';
import type { Compare, StateStore, Write } from '../../ports/state-store.ts';
import type {
  AppDocument,
  AttachmentDocument,
  ClusterDocument,
  ConfigDocument,
  CountersDocument,
  DeployDocument,
  InstanceDocument,
  PolicyDocument,
  ReleaseDocument,
} from './schemas.ts';

export interface Revised<T> {
  readonly value: T;
  readonly revision: number;
}

export const KEYS = {
  counters: 'counters',
  cluster: (kind: string) => `services/${kind}/shared`,
  appName: (name: string) => `app-names/${name}`,
  apps: 'apps/',
  app: (appId: number) => `apps/${appId}`,
  config: (appId: number) => `apps/${appId}/config`,
  policy: (appId: number) => `apps/${appId}/policy`,
  releases: (appId: number) => `apps/${appId}/releases/`,
  release: (appId: number, number: number) => `apps/${appId}/releases/${number}`,
  deploys: (appId: number) => `apps/${appId}/deploys/`,
  deploy: (appId: number, number: number) => `apps/${appId}/deploys/${number}`,
  instances: (appId: number) => `apps/${appId}/instances/`,
  instance: (appId: number, instanceId: string) => `apps/${appId}/instances/${instanceId}`,
  attachment: (appId: number, kind: string) => `apps/${appId}/services/${kind}`,
  domains: 'domains/',
  domain: (host: string) => `domains/${hostSegment(host)}`,
  certificates: 'certificates/',
  certificate: (host: string) => `certificates/${hostSegment(host)}`,
  certificateAccount: (id: string) => `certificate-accounts/${id}`,
} as const;

/** No host name has an underscore, and no key an asterisk. */
function hostSegment(host: string): string {
  return host.replace(/^\*/, '_');
}

export function put(key: string, value: unknown): Write {
  return { kind: 'put', key, value };
}

const ATTEMPTS_MAX = 50;
const FIRST_COUNTERS: CountersDocument = {
  schemaVersion: 1,
  nextAppId: 1,
  nextAddress: 16,
  epoch: 0,
};

export class Repository {
  readonly store: StateStore;

  constructor(store: StateStore) {
    this.store = store;
  }

  async get<T>(key: string): Promise<Revised<T> | undefined> {
    const document = await this.store.get(key);
    return document && { value: document.value as T, revision: document.revision };
  }

  async list<T>(prefix: string): Promise<T[]> {
    const { documents } = await this.store.list(prefix);
    return documents.map((document) => document.value as T);
  }

  app = (appId: number) => this.get<AppDocument>(KEYS.app(appId));
  config = (appId: number) => this.get<ConfigDocument>(KEYS.config(appId));
  policy = (appId: number) => this.get<PolicyDocument>(KEYS.policy(appId));
  release = (appId: number, number: number) =>
    this.get<ReleaseDocument>(KEYS.release(appId, number));
  deploy = (appId: number, number: number) => this.get<DeployDocument>(KEYS.deploy(appId, number));
  attachment = (appId: number, kind: string) =>
    this.get<AttachmentDocument>(KEYS.attachment(appId, kind));
  cluster = (kind: string) => this.get<ClusterDocument>(KEYS.cluster(kind));
  instances = (appId: number) => this.list<InstanceDocument>(KEYS.instances(appId));
  releases = (appId: number) => this.list<ReleaseDocument>(KEYS.releases(appId));
  deploys = (appId: number) => this.list<DeployDocument>(KEYS.deploys(appId));

  async apps(): Promise<AppDocument[]> {
    const { documents } = await this.store.list(KEYS.apps);
    return documents
      .filter((document) => /^apps\/\d+$/.test(document.key))
      .map((document) => document.value as AppDocument);
  }

  async appByName(name: string): Promise<AppDocument> {
    const entry = await this.get<{ appId: number }>(KEYS.appName(name));
    const app = entry && (await this.app(entry.value.appId));
    if (!app) {
      throw new TandemError('APP_NOT_FOUND', `there is no app "${name}"`, {
        hint: 'tandem apps   (lists the apps)',
      });
    }
    return app.value;
  }

  async currentRelease(app: AppDocument): Promise<ReleaseDocument> {
    const release =
      app.currentRelease === undefined ? undefined : await this.release(app.id, app.currentRelease);
    if (!release) {
      throw new TandemError('APP_HAS_NO_RELEASE', `app "${app.name}" has no release yet`, {
        hint: `tandem deploy -a ${app.name}`,
      });
    }
    return release.value;
  }

  /**
   * Reads documents, lets `change` decide the writes, commits them if none of the documents read
   * changed meanwhile, and starts again otherwise. `change` must have no effect but its result.
   */
  async update<T>(
    keys: readonly string[],
    change: (read: ReadonlyMap<string, unknown>) => { writes: readonly Write[]; result: T },
  ): Promise<T> {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const read = new Map<string, unknown>();
      const compares: Compare[] = [];
      for (const key of keys) {
        const document = await this.store.get(key);
        if (document) read.set(key, document.value);
        compares.push({ key, revision: document?.revision ?? 0 });
      }
      const { writes, result } = change(read);
      if (writes.length === 0) return result;
      const outcome = await this.store.transact(compares, writes);
      if (outcome.committed) return result;
    }
    throw new TandemError(
      'INTERNAL',
      `document ${keys.join(', ')} changed too often to be updated`,
    );
  }

  /** Changes one existing document; returns what was written. */
  async modify<T>(key: string, change: (value: T) => T): Promise<T> {
    return await this.update([key], (read) => {
      const before = read.get(key) as T | undefined;
      if (before === undefined) throw new TandemError('NOT_FOUND', `document ${key} is gone`);
      const value = change(before);
      return { writes: [{ kind: 'put', key, value }], result: value };
    });
  }

  modifyApp = (appId: number, change: (app: AppDocument) => AppDocument) =>
    this.modify(KEYS.app(appId), change);
  modifyDeploy = (
    appId: number,
    number: number,
    change: (deploy: DeployDocument) => DeployDocument,
  ) => this.modify(KEYS.deploy(appId, number), change);

  /** Takes `count` address numbers that nobody else ever gets; returns the first. */
  async takeAddresses(count: number): Promise<number> {
    return await this.#count('nextAddress', count);
  }

  async takeAppId(): Promise<number> {
    return await this.#count('nextAppId', 1);
  }

  async lastEpoch(): Promise<number> {
    return (await this.get<CountersDocument>(KEYS.counters))?.value.epoch ?? 0;
  }

  async persistEpoch(epoch: number): Promise<void> {
    await this.#counters((before) => ({ ...before, epoch: Math.max(before.epoch, epoch) }));
  }

  async #count(field: 'nextAddress' | 'nextAppId', by: number): Promise<number> {
    const after = await this.#counters((before) => ({ ...before, [field]: before[field] + by }));
    return after[field] - by;
  }

  async #counters(change: (before: CountersDocument) => CountersDocument) {
    return await this.update([KEYS.counters], (read) => {
      const before = read.get(KEYS.counters) as CountersDocument | undefined;
      const value = change(before ?? FIRST_COUNTERS);
      return { writes: [{ kind: 'put', key: KEYS.counters, value }], result: value };
    });
  }
}
