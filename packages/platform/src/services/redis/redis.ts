// Redis: a server of its own for every app that asks for one, run like any instance. It shares
// nothing with other apps: uid, volume, address and password are this app's alone.
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LIMITS } from '../../domain/limits.ts';
import { redisEnvironment } from '../../domain/redis-environment.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LayerRef } from '../../ports/image-store.ts';
import type { InstanceSpec, ServiceLink } from '../../ports/runner.ts';
import type {
  ServiceApp,
  ServiceAttachment,
  ServiceHealth,
  ServiceKind,
} from '../../ports/service-kind.ts';
import { generatePassword } from '../password.ts';
import { waitUntilHealthy } from '../wait-until-healthy.ts';
import type { RedisCredentials } from './credentials.ts';
import { askReadiness } from './readiness.ts';
import { REDIS, REDIS_PORT, redisInstance } from './server.ts';

export const REDIS_HOSTNAME = 'redis.internal';

const READINESS_TIMEOUT_MS = 2_000;

export interface RedisDependencies {
  readonly clock: Clock;
  /** The stack that holds Redis. */
  readonly stack: LayerRef;
  /** Where volumes lie: `<appId>/<volume>`. */
  readonly volumesDirectory: string;
  /** Never the same twice. */
  readonly takeAddress: () => Promise<{ readonly ipv6: string; readonly ipv4: string }>;
  readonly uidOf: (appId: number) => number;
  readonly logPathOf: (appId: number, instanceId: string) => string;
}

export class AppRedis implements ServiceKind<RedisCredentials> {
  readonly kind = REDIS;
  readonly #dependencies: RedisDependencies;

  constructor(dependencies: RedisDependencies) {
    this.#dependencies = dependencies;
  }

  instances(attached: readonly ServiceAttachment<RedisCredentials>[]): readonly InstanceSpec[] {
    const { stack, uidOf, logPathOf } = this.#dependencies;
    return attached.map((attachment) =>
      redisInstance(attachment, {
        layers: [stack],
        uid: uidOf(attachment.appId),
        logPathOf: (instanceId) => logPathOf(attachment.appId, instanceId),
      }),
    );
  }

  async health({ ipv6, password }: RedisCredentials): Promise<ServiceHealth> {
    return await askReadiness({ host: ipv6, port: REDIS_PORT, password }, READINESS_TIMEOUT_MS);
  }

  async waitUntilHealthy(signal: AbortSignal, credentials: RedisCredentials): Promise<void> {
    await waitUntilHealthy({
      name: 'Redis',
      look: () => this.health(credentials),
      timeoutMs: LIMITS.redis.startTimeoutMs,
      hint: `tandem logs -p ${REDIS}`,
      clock: this.#dependencies.clock,
      signal,
    });
  }

  link({ ipv6 }: RedisCredentials): ServiceLink {
    return { hostname: REDIS_HOSTNAME, ipv6, port: REDIS_PORT };
  }

  /** The server itself is not there yet: it follows from the credentials, see `instances`. */
  async attach(_app: ServiceApp, known?: RedisCredentials): Promise<RedisCredentials> {
    if (known) return known;
    const { ipv6, ipv4 } = await this.#dependencies.takeAddress();
    return { ipv6, ipv4, password: generatePassword() };
  }

  environment({ password }: RedisCredentials): Readonly<Record<string, string>> {
    return redisEnvironment({ host: REDIS_HOSTNAME, port: REDIS_PORT, password });
  }

  /** The server ends with its place in the desired set. */
  async detach(): Promise<void> {}

  async destroy(appId: number): Promise<void> {
    const volume = join(this.#dependencies.volumesDirectory, String(appId), REDIS);
    await rm(volume, { recursive: true, force: true });
  }
}
