// A service that an app has alone, through the life of the app: wanted by an image, kept by the
// store, held by the runner, gone with the app.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuiltImage } from '../../packages/platform/src/domain/release.ts';
import { image } from '../support/fake-node.ts';
import { eventually, NexusFixture } from '../support/nexus-fixture.ts';

let nexus: NexusFixture;

beforeEach(async () => {
  nexus = await NexusFixture.start();
  build({ code: '1', redis: true });
});
afterEach(() => nexus.close());

function build(options: Parameters<typeof image>[0]): void {
  nexus.builder.build = async (): Promise<BuiltImage> => image(options);
}

const redisRuns = (): boolean => nexus.runner.states.has('redis-1');
const envOf = (instanceId: string) => nexus.runner.specs.get(instanceId)?.env;

describe('an app whose image wants Redis', () => {
  it('has it, with a way to it, before anything of the release runs', async () => {
    build({ code: '1', redis: true, releaseCommands: ['warm-cache'] });
    let ranBefore: boolean | undefined;
    nexus.runner.job = async () => {
      ranBefore = redisRuns();
      return { result: '{"applied": [], "newly": []}' };
    };
    await nexus.live();
    expect(ranBefore).toBe(true);
    const { ipv6 } = nexus.runner.specs.get('redis-1') ?? {};
    for (const spec of [nexus.runner.specs.get('a1-1'), ...nexus.runner.jobs]) {
      expect(spec?.env['REDIS_URL']).toBe(`redis://${ipv6}`);
      expect(spec?.env['DATABASE_URL']).toBeDefined();
      expect(spec?.links).toContainEqual({ hostname: 'redis.internal', ipv6, port: 6379 });
    }
  });

  it('is shown with it, among its processes and its variables', async () => {
    await nexus.live();
    const processes = await nexus.backend.listProcesses('bakery');
    expect(processes.map(({ name, release, state }) => [name, release, state])).toEqual([
      ['redis', 0, 'running'],
      ['web.1', 1, 'running'],
    ]);
    const { entries } = await nexus.backend.getConfig('bakery');
    expect(entries).toContainEqual({ key: 'REDIS_URL', secret: true, source: 'platform' });
  });

  it('keeps the same one through deploys, a rollback and a new agent', async () => {
    await nexus.live();
    const first = nexus.runner.specs.get('redis-1');
    await nexus.live();
    await nexus.finished((await nexus.backend.rollback('bakery', {})).deploy);
    await nexus.kill();
    await nexus.open();
    expect(redisRuns()).toBe(true);
    expect(nexus.runner.specs.get('redis-1')).toEqual(first);
  });

  it('keeps it, but not its variables, while a release does not want it', async () => {
    await nexus.live();
    build({ code: '2' });
    await nexus.live();
    expect(redisRuns()).toBe(true);
    expect(envOf('a1-2')).not.toHaveProperty('REDIS_URL');
    expect(nexus.runner.specs.get('a1-2')?.links).toHaveLength(1);
  });

  it('is not released while it does not come up', async () => {
    nexus.redis.healthy = async () => {
      throw new Error('no answer');
    };
    const { state } = await nexus.finished(await nexus.deploy());
    expect(state).toBe('failed');
    nexus.redis.healthy = async () => undefined;
    await nexus.live();
  });
});

describe('an app whose image does not want Redis', () => {
  it('has none', async () => {
    build({ code: '1' });
    await nexus.live();
    expect(redisRuns()).toBe(false);
    expect(envOf('a1-1')).not.toHaveProperty('REDIS_URL');
  });
});

describe('destroying', () => {
  it('ends it after the last process of the app, then deletes its data', async () => {
    await nexus.live();
    const ends: string[] = [];
    nexus.runner.onChange(({ instanceId, state }) => {
      if (state === 'stopped') ends.push(instanceId);
    });
    await nexus.backend.destroyApp('bakery');
    expect(ends).toEqual(['a1-1', 'redis-1']);
    expect(nexus.redis.destroyed).toEqual([1]);
    expect((await nexus.repository.store.list('apps/')).documents).toEqual([]);
  });

  it('is finished by a second call, wherever the first one was ended', async () => {
    await nexus.live();
    await nexus.repository.modifyApp(1, (app) => ({ ...app, state: 'destroying' }));
    for (const { instanceId } of await nexus.repository.instances(1)) {
      const key = `apps/1/instances/${instanceId}`;
      await nexus.repository.store.transact([], [{ kind: 'delete', key }]);
    }
    await eventually(() => !redisRuns());
    await nexus.backend.destroyApp('bakery');
    expect(nexus.redis.destroyed).toEqual([1]);
    expect(nexus.runner.states.size).toBe(0);
  });
});
