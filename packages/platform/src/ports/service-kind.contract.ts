// What every kind of service keeps to, whether all apps share its server or each has its own. A
// shared server runs before the suite begins.
import { describe, expect, it } from 'vitest';
import type {
  ServiceApp,
  ServiceAttachment,
  ServiceCredentials,
  ServiceKind,
} from './service-kind.ts';

export interface ServiceKindHarness<Credentials extends ServiceCredentials> {
  readonly service: ServiceKind<Credentials>;
  /** As the nexus and the runner do: what the service wants for these apps runs, and nothing else. */
  readonly run: (attached: readonly ServiceAttachment<Credentials>[]) => Promise<void>;
  /** Opens a session with the credentials and closes it; rejects when the service refuses them. */
  readonly use: (credentials: Credentials) => Promise<void>;
  /** Stores a value through the credentials, or reads it back. */
  readonly write: (credentials: Credentials, value: string) => Promise<void>;
  readonly read: (credentials: Credentials) => Promise<string | undefined>;
}

let appIdLast = 1_000;
const newApp = (): ServiceApp => ({ appId: (appIdLast += 1), formation: {} });
const soon = (): AbortSignal => AbortSignal.timeout(30_000);

/** Keeps what is attached, as the store does. */
class Attachments<Credentials extends ServiceCredentials> {
  readonly #harness: ServiceKindHarness<Credentials>;
  readonly #kept = new Map<number, ServiceAttachment<Credentials>>();

  constructor(harness: ServiceKindHarness<Credentials>) {
    this.#harness = harness;
  }

  async attach(app: ServiceApp, known?: Credentials): Promise<Credentials> {
    const { service } = this.#harness;
    const credentials = await service.attach(app, known);
    this.#kept.set(app.appId, { appId: app.appId, appName: `app-${app.appId}`, credentials });
    await this.#run();
    await service.waitUntilHealthy(soon(), credentials);
    return credentials;
  }

  async detach({ appId }: ServiceApp): Promise<void> {
    await this.#harness.service.detach(appId);
    this.#kept.delete(appId);
    await this.#run();
  }

  async destroy(app: ServiceApp): Promise<void> {
    await this.detach(app);
    await this.#harness.service.destroy(app.appId);
  }

  instances(): readonly unknown[] {
    return this.#harness.service.instances([...this.#kept.values()]);
  }

  async #run(): Promise<void> {
    await this.#harness.run([...this.#kept.values()]);
  }
}

export function serviceKindContract<Credentials extends ServiceCredentials>(
  name: string,
  harness: () => ServiceKindHarness<Credentials>,
): void {
  const open = () => ({ ...harness(), apps: new Attachments(harness()) });

  describe(`${name} as a service kind`, () => {
    it('is healthy for an app that is attached, and says so', async () => {
      const { service, apps } = open();
      const health = await service.health(await apps.attach(newApp()));
      expect(health.healthy).toBe(true);
      expect(health.detail).not.toBe('');
    });

    it('names the same instances as long as nothing changes', async () => {
      const { apps } = open();
      await apps.attach(newApp());
      expect(apps.instances()).toEqual(apps.instances());
      expect(apps.instances().length).toBeGreaterThan(0);
    });

    it('gives each app credentials of its own that work', async () => {
      const { apps, use } = open();
      const [first, second] = await Promise.all([apps.attach(newApp()), apps.attach(newApp())]);
      expect(first).not.toEqual(second);
      await use(first);
      await use(second);
    });

    it('keeps known credentials and data when it attaches again', async () => {
      const { apps, write, read } = open();
      const app = newApp();
      const credentials = await apps.attach(app);
      await write(credentials, 'kept');
      expect(await apps.attach(app, credentials)).toEqual(credentials);
      expect(await read(credentials)).toBe('kept');
    });

    it('replaces lost credentials, and the data stay', async () => {
      const { apps, use, write, read } = open();
      const app = newApp();
      const lost = await apps.attach(app);
      await write(lost, 'kept');
      const found = await apps.attach(app);
      expect(await read(found)).toBe('kept');
      await expect(use(lost)).rejects.toThrow();
    });

    it('attaches one app twice at once', async () => {
      const { apps, use } = open();
      const app = newApp();
      const known = await apps.attach(app);
      await Promise.all([apps.attach(app, known), apps.attach(app, known)]);
      await use(known);
    });

    it('puts credentials into the environment as text', async () => {
      const { service, apps } = open();
      const credentials = await apps.attach(newApp());
      const env = service.environment(credentials);
      expect(Object.keys(env).length).toBeGreaterThan(0);
      expect(Object.values(env).join('\n')).toContain(service.link(credentials).hostname);
    });

    it('refuses a detached app until it is attached again, and keeps its data', async () => {
      const { apps, use, write, read } = open();
      const app = newApp();
      const credentials = await apps.attach(app);
      await write(credentials, 'kept');
      await apps.detach(app);
      await expect(use(credentials)).rejects.toThrow();
      await apps.attach(app, credentials);
      expect(await read(credentials)).toBe('kept');
    });

    it('destroys an app, twice, and one that never was', async () => {
      const { apps, use, read, write } = open();
      const app = newApp();
      const credentials = await apps.attach(app);
      await write(credentials, 'gone');
      await apps.destroy(app);
      await apps.destroy(app);
      await apps.destroy(newApp());
      await expect(use(credentials)).rejects.toThrow();
      expect(await read(await apps.attach(app))).toBeUndefined();
    });
  });
}
