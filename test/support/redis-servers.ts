// Redis servers of apps for a test: the real service kind, held by the real runner in real sandboxes.
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { instanceAddresses, serviceUid } from '../../packages/platform/src/domain/installation.ts';
import { systemClock } from '../../packages/platform/src/lib/system-clock.ts';
import type { ImageStore } from '../../packages/platform/src/ports/image-store.ts';
import { volumesDirectory } from '../../packages/platform/src/ports/paths.ts';
import type { ObservedInstance, Runner } from '../../packages/platform/src/ports/runner.ts';
import type { ServiceAttachment } from '../../packages/platform/src/ports/service-kind.ts';
import { FakeVolumes } from '../../packages/platform/src/runner/fake-volumes.ts';
import { createRunner } from '../../packages/platform/src/runner/runner.ts';
import {
  AppRedis,
  type RedisCredentials,
} from '../../packages/platform/src/services/redis/index.ts';
import { createSandboxFixture, type SandboxFixture } from './sandbox-fixture.ts';

const SETTLE_TIMEOUT_MS = 60_000;
/** Above those that the sandbox fixture hands out. */
const FIRST_ADDRESS = 1_000;

export type RedisAttachment = ServiceAttachment<RedisCredentials>;

export class RedisServers {
  readonly fixture: SandboxFixture;
  readonly service: AppRedis;
  readonly #runner: Runner;
  #attached: readonly RedisAttachment[] = [];

  private constructor(fixture: SandboxFixture, runner: Runner) {
    this.fixture = fixture;
    this.#runner = runner;
    let address = FIRST_ADDRESS;
    this.service = new AppRedis({
      clock: systemClock,
      stack: fixture.stack,
      volumesDirectory: volumesDirectory(fixture.paths),
      takeAddress: async () => instanceAddresses(fixture.installation, (address += 1)),
      uidOf: (appId) => serviceUid(fixture.installation.slot, appId),
      logPathOf: (_appId, id) => join(fixture.paths.data, 'logs', `${id}.log`),
    });
  }

  static async create(): Promise<RedisServers> {
    const fixture = await createSandboxFixture('redis');
    return new RedisServers(fixture, await openRunner(fixture));
  }

  /** Attached and answering, beside those that are. */
  async attach(appId: number): Promise<RedisCredentials> {
    const credentials = await this.service.attach({ appId, formation: {} });
    await this.run([...this.#attached, { appId, appName: `app-${appId}`, credentials }]);
    await this.service.waitUntilHealthy(AbortSignal.timeout(SETTLE_TIMEOUT_MS), credentials);
    return credentials;
  }

  /** Resolves once nothing else runs; what is wanted may still be starting. */
  async run(attached: readonly RedisAttachment[]): Promise<void> {
    this.#attached = attached;
    this.#runner.apply(this.service.instances(attached));
    const signal = AbortSignal.timeout(SETTLE_TIMEOUT_MS);
    while (this.#hasOthers()) await sleep(20, undefined, { signal });
  }

  /** Measured by the newest wish: a later call may have come meanwhile. */
  #hasOthers(): boolean {
    const wanted = this.service.instances(this.#attached).map(({ instanceId }) => instanceId);
    return this.#runner.observe().some(({ instanceId }) => !wanted.includes(instanceId));
  }

  observed(appId: number): ObservedInstance | undefined {
    const prefix = `redis-${appId}-`;
    return this.#runner.observe().find(({ instanceId }) => instanceId.startsWith(prefix));
  }

  async untilReady(appId: number): Promise<number> {
    const signal = AbortSignal.timeout(SETTLE_TIMEOUT_MS);
    for (;;) {
      const { state, pid } = this.observed(appId) ?? {};
      if (state === 'ready' && pid !== undefined) return pid;
      await sleep(20, undefined, { signal });
    }
  }

  async close(): Promise<void> {
    await this.run([]);
    await this.#runner.close();
    await this.fixture.close();
  }
}

async function openRunner(fixture: SandboxFixture): Promise<Runner> {
  const runner = createRunner({
    sandbox: await fixture.openSandbox(),
    imageStore: { has: async () => true } as unknown as ImageStore,
    clock: systemClock,
    volumes: new FakeVolumes(),
    paths: fixture.paths,
    note: () => undefined,
  });
  await runner.recover();
  return runner;
}
