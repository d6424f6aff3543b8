// What every kind of service keeps to, whatever it is. The server runs before the suite begins.
import { describe, expect, it } from 'vitest';
import type { ServiceApp, ServiceCredentials, ServiceKind } from './service-kind.ts';

export interface ServiceKindHarness<Credentials extends ServiceCredentials> {
  readonly service: ServiceKind<Credentials>;
  /** Opens a session with the credentials and closes it; rejects when the service refuses them. */
  readonly use: (credentials: Credentials) => Promise<void>;
  /** Stores a value through the credentials, or reads it back. */
  readonly write: (credentials: Credentials, value: string) => Promise<void>;
  readonly read: (credentials: Credentials) => Promise<string | undefined>;
}

let appIdLast = 1_000;
const newApp = (): ServiceApp => ({ appId: (appIdLast += 1), formation: {} });

export function serviceKindContract<Credentials extends ServiceCredentials>(
  name: string,
  harness: () => ServiceKindHarness<Credentials>,
): void {
  describe(`${name} as a service kind`, () => {
    it('is healthy and says so', async () => {
      const health = await harness().service.health();
      expect(health.healthy).toBe(true);
      expect(health.detail).not.toBe('');
    });

    it('names the same instances as long as nothing changes', () => {
      const { service } = harness();
      expect(service.instances()).toEqual(service.instances());
      expect(service.instances().length).toBeGreaterThan(0);
    });

    it('gives each app credentials of its own that work', async () => {
      const { service, use } = harness();
      const [first, second] = await Promise.all([
        service.attach(newApp()),
        service.attach(newApp()),
      ]);
      expect(first).not.toEqual(second);
      await use(first);
      await use(second);
    });

    it('keeps known credentials and data when it attaches again', async () => {
      const { service, write, read } = harness();
      const app = newApp();
      const credentials = await service.attach(app);
      await write(credentials, 'kept');
      expect(await service.attach(app, credentials)).toEqual(credentials);
      expect(await read(credentials)).toBe('kept');
    });

    it('replaces lost credentials, and the data stay', async () => {
      const { service, use, write, read } = harness();
      const app = newApp();
      const lost = await service.attach(app);
      await write(lost, 'kept');
      const found = await service.attach(app);
      expect(await read(found)).toBe('kept');
      await expect(use(lost)).rejects.toThrow();
    });

    it('attaches one app twice at once', async () => {
      const { service, use } = harness();
      const app = newApp();
      const known = await service.attach(app);
      await Promise.all([service.attach(app, known), service.attach(app, known)]);
      await use(known);
    });

    it('puts credentials into the environment as text', async () => {
      const { service } = harness();
      const env = service.environment(await service.attach(newApp()));
      expect(Object.keys(env).length).toBeGreaterThan(0);
      expect(Object.values(env).join('\n')).toContain(service.link().hostname);
    });

    it('refuses a detached app until it is attached again, and keeps its data', async () => {
      const { service, use, write, read } = harness();
      const app = newApp();
      const credentials = await service.attach(app);
      await write(credentials, 'kept');
      await service.detach(app.appId);
      await expect(use(credentials)).rejects.toThrow();
      await service.attach(app, credentials);
      expect(await read(credentials)).toBe('kept');
    });

    it('destroys an app, twice, and one that never was', async () => {
      const { service, use, read, write } = harness();
      const app = newApp();
      const credentials = await service.attach(app);
      await write(credentials, 'gone');
      await service.destroy(app.appId);
      await service.destroy(app.appId);
      await service.destroy(newApp().appId);
      await expect(use(credentials)).rejects.toThrow();
      expect(await read(await service.attach(app))).toBeUndefined();
    });
  });
}
