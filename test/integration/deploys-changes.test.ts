// Everything else that goes through a deploy: rollback, config, scaling, room, replacing, destroying.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../packages/platform/src/ports/builder.ts';
import { image } from '../support/fake-node.ts';
import { eventually, NexusFixture } from '../support/nexus-fixture.ts';

let nexus: NexusFixture;

function untilCancelled({ signal }: BuildRequest): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error));
  });
}

beforeEach(async () => {
  nexus = await NexusFixture.start();
});
afterEach(() => nexus.close());

describe('rollback', () => {
  it('is a new release with the image of the old one, without a build', async () => {
    await nexus.live();
    await nexus.live();
    const { deploy } = await nexus.backend.rollback('bakery', {});
    expect(await nexus.finished(deploy)).toMatchObject({ state: 'live', release: 3 });
    expect(nexus.builder.builds).toHaveLength(2);
    const [current] = await nexus.backend.listReleases('bakery');
    expect(current).toMatchObject({ number: 3, imageOf: 1, current: true, kind: 'rollback' });
  });

  it('names the migrations that the old code does not know, and goes on when told to', async () => {
    await nexus.live();
    nexus.builder.build = async () => image({ code: '2', migrations: ['shop.0002_price'] });
    nexus.runner.job = async () => ({
      result: JSON.stringify({ applied: ['shop.0002_price'], newly: ['shop.0002_price'] }),
    });
    await nexus.live();
    await expect(nexus.backend.rollback('bakery', {})).rejects.toMatchObject({
      code: 'ROLLBACK_PAST_MIGRATIONS',
      message: expect.stringContaining('shop.0002_price') as string,
    });
    const { deploy } = await nexus.backend.rollback('bakery', { force: true });
    expect((await nexus.finished(deploy)).state).toBe('live');
  });

  it('says when there is nowhere to go', async () => {
    await nexus.live();
    await expect(nexus.backend.rollback('bakery', {})).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
    });
    await expect(nexus.backend.rollback('bakery', { to: 9 })).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
    });
  });

  it('takes back a change of config too, but none of a secret alone', async () => {
    const set = async (key: string, secret: boolean) => {
      const change = { set: { [key]: 'x' }, unset: [], secret, stage: false };
      const { deploy } = await nexus.backend.changeConfig('bakery', change);
      await nexus.finished(deploy as number);
    };
    await nexus.live();
    await set('TOKEN', true);
    await expect(nexus.backend.rollback('bakery', {})).rejects.toMatchObject({
      code: 'RELEASE_NOT_FOUND',
    });
    await set('COLOUR', false);
    const { deploy } = await nexus.backend.rollback('bakery', {});
    await nexus.finished(deploy);
    const [current] = await nexus.backend.listReleases('bakery');
    expect(current).toMatchObject({ number: 4, note: 'rollback to v2' });
    const running = [...nexus.runner.specs.values()].at(-1);
    expect(running?.env).toMatchObject({ TOKEN: 'x' });
    expect(running?.env).not.toHaveProperty('COLOUR');
  });

  it('takes the old config but no old secret', async () => {
    await nexus.live();
    const set = async (values: Record<string, string>, secret: boolean) => {
      const change = { set: values, unset: [], secret, stage: true };
      await nexus.backend.changeConfig('bakery', change);
    };
    await set({ COLOUR: 'red', TOKEN: 'old' }, false);
    await set({ TOKEN: 'old' }, true);
    await nexus.live();
    await set({ COLOUR: 'blue' }, false);
    await set({ TOKEN: 'new' }, true);
    await nexus.live();
    const { deploy } = await nexus.backend.rollback('bakery', { to: 2 });
    await nexus.finished(deploy);
    const running = [...nexus.runner.specs.values()].at(-1);
    expect(running?.env).toMatchObject({ COLOUR: 'red', TOKEN: 'new' });
  });
});

describe('config', () => {
  it('rolls a release at once, or waits for the next deploy', async () => {
    await nexus.live();
    const change = { set: { A: '1' }, unset: [], secret: false, stage: false };
    const { deploy } = await nexus.backend.changeConfig('bakery', change);
    expect(await nexus.finished(deploy ?? 0)).toMatchObject({ state: 'live', release: 2 });
    expect([...nexus.runner.specs.values()].at(-1)?.env['A']).toBe('1');
    const staged = await nexus.backend.changeConfig('bakery', { ...change, stage: true });
    expect(staged.deploy).toBeUndefined();
    expect((await nexus.backend.getConfig('bakery')).staged).toBe(true);
  });

  it('never shows a secret again', async () => {
    await nexus.live();
    const change = { set: { TOKEN: 'hush' }, unset: [], secret: true, stage: true };
    await nexus.backend.changeConfig('bakery', change);
    const view = await nexus.backend.getConfig('bakery');
    expect(JSON.stringify(view)).not.toContain('hush');
    expect(view.entries.find(({ key }) => key === 'TOKEN')).toMatchObject({ secret: true });
  });

  it.each(['PORT', 'TANDEM_APP', '1A', 'a-b', ''])('refuses the key "%s"', async (key) => {
    await nexus.live();
    const change = { set: { [key]: '1' }, unset: [], secret: false, stage: true };
    await expect(nexus.backend.changeConfig('bakery', change)).rejects.toMatchObject({
      code: 'CONFIG_KEY_INVALID',
    });
  });
});

describe('scaling', () => {
  it('adds instances beside those that run and takes the last ones away', async () => {
    await nexus.live();
    const up = await nexus.backend.scale('bakery', { processes: { web: { count: 3 } } });
    await nexus.finished(up.deploy);
    expect(nexus.resolver.serving(1)).toEqual(['a1-1', 'a1-2', 'a1-3']);
    const down = await nexus.backend.scale('bakery', { processes: { web: { count: 1 } } });
    await nexus.finished(down.deploy);
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
  });

  it.each([
    [{ worker: { count: 1 } }, 'no process type "worker"'],
    [{ web: { count: -1 } }, 'a count is 0 to 100'],
    [{ web: { count: 1.5 } }, 'a count is 0 to 100'],
    [{ web: { memoryBytes: 1 } }, 'at least 32M'],
  ])('refuses %j', async (processes, message) => {
    await nexus.live();
    await expect(nexus.backend.scale('bakery', { processes })).rejects.toMatchObject({
      code: 'SCALE_INVALID',
      message: expect.stringContaining(message) as string,
    });
  });
});

describe('room', () => {
  const MB = 1024 * 1024;

  it('refuses what does not fit, with the numbers', async () => {
    nexus.freeBytes = 300 * MB;
    const status = await nexus.finished(await nexus.deploy());
    expect(status.error).toMatchObject({
      code: 'NO_ROOM',
      message: 'app "bakery": the new instances need 512 MB, 236 MB are free',
    });
  });

  it('swaps in place while requests are held when only that fits', async () => {
    nexus.runner.behaviour = () => ({ state: 'ready', memoryBytes: 400 * MB });
    await nexus.live();
    nexus.freeBytes = 400 * MB;
    await nexus.live();
    const kinds = nexus.resolver.history.map((app) => app.routes[0]?.target.kind);
    expect(kinds.slice(-2)).toEqual(['hold', 'upstreams']);
    expect(nexus.resolver.serving(1)).toEqual(['a1-2']);
  });

  it('brings the old release back when the new one fails after the swap', async () => {
    nexus.runner.behaviour = () => ({ state: 'ready', memoryBytes: 400 * MB });
    await nexus.live();
    nexus.freeBytes = 400 * MB;
    nexus.runner.behaviour = (spec) =>
      spec.release === 2 ? { state: 'failed' } : { state: 'ready' };
    const status = await nexus.finished(await nexus.deploy());
    expect(status.state).toBe('failed');
    await eventually(() => nexus.resolver.serving(1).join() === 'a1-3');
    expect(nexus.runner.specs.get('a1-3')?.release).toBe(1);
  });

  describe('for one more instance at a time', () => {
    beforeEach(async () => {
      nexus.runner.behaviour = () => ({ state: 'ready', memoryBytes: 400 * MB });
      await nexus.live();
      await scaleTo(3);
      nexus.freeBytes = 600 * MB;
    });

    const scaleTo = async (count: number) => {
      const { deploy } = await nexus.backend.scale('bakery', { processes: { web: { count } } });
      await nexus.finished(deploy);
    };
    const live = () =>
      [...nexus.runner.states.keys()].map((id) => nexus.runner.specs.get(id)?.release).join();

    it('replaces them in turns; somebody serves at every moment', async () => {
      const alive: number[] = [];
      nexus.runner.behaviour = () => {
        alive.push(nexus.runner.states.size);
        return { state: 'ready', memoryBytes: 400 * MB };
      };
      const before = nexus.resolver.history.length;
      await nexus.live();
      await eventually(() => nexus.resolver.serving(1).length === 3);
      expect(live()).toBe('2,2,2');
      expect(Math.max(...alive)).toBe(3);
      const targets = nexus.resolver.history.slice(before).map((app) => app.routes[0]?.target.kind);
      expect(new Set(targets)).toEqual(new Set(['upstreams']));
    });

    it('goes back when a later one fails', async () => {
      let started = 0;
      nexus.runner.behaviour = (spec) => {
        if (spec.release !== 2) return { state: 'ready', memoryBytes: 400 * MB };
        started += 1;
        return started < 2 ? { state: 'ready', memoryBytes: 400 * MB } : { state: 'failed' };
      };
      expect((await nexus.finished(await nexus.deploy())).state).toBe('failed');
      await eventually(() => nexus.resolver.serving(1).length === 3);
      await eventually(() => live() === '1,1,1');
    });

    it('goes on where a killed agent left it', async () => {
      let release = 0;
      nexus.runner.behaviour = (spec) => {
        release += spec.release === 2 ? 1 : 0;
        return release === 2 ? undefined : { state: 'ready', memoryBytes: 400 * MB };
      };
      const deploy = await nexus.deploy();
      await eventually(() => release === 2);
      await nexus.kill();
      nexus.runner.behaviour = () => ({ state: 'ready', memoryBytes: 400 * MB });
      await nexus.open();
      for (const [id, { state }] of nexus.runner.states)
        if (state === 'starting') nexus.runner.become(id, { state: 'ready' });
      expect((await nexus.finished(deploy)).state).toBe('live');
      await eventually(() => nexus.resolver.serving(1).length === 3);
      await eventually(() => live() === '2,2,2');
    });
  });
});

describe('an instance that no longer answers', () => {
  it('is replaced, the new one first', async () => {
    await nexus.live();
    nexus.runner.behaviour = () => undefined;
    nexus.runner.become('a1-1', { state: 'unresponsive', address: 'fd00::1' });
    await eventually(() => nexus.runner.states.has('a1-2'));
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
    nexus.runner.become('a1-2', { state: 'ready' });
    await eventually(() => nexus.resolver.serving(1).join() === 'a1-2');
    await eventually(() => !nexus.runner.states.has('a1-1'));
  });

  it('holds requests while the only instance restarts', async () => {
    await nexus.live();
    nexus.runner.become('a1-1', { state: 'backoff' });
    await eventually(() => nexus.resolver.serving(1).join() === 'hold');
    nexus.runner.become('a1-1', { state: 'ready' });
    await eventually(() => nexus.resolver.serving(1).join() === 'a1-1');
  });
});

describe('destroying', () => {
  it('leaves nothing, and the name is free for another app with another id', async () => {
    await nexus.live();
    await nexus.backend.destroyApp('bakery');
    expect(nexus.runner.states.size).toBe(0);
    expect(nexus.database.destroyed).toEqual([1]);
    expect((await nexus.repository.store.list('apps/')).documents).toEqual([]);
    await expect(nexus.backend.getApp('bakery')).rejects.toMatchObject({ code: 'APP_NOT_FOUND' });
    await nexus.live();
    expect((await nexus.backend.getApp('bakery')).id).toBe(2);
  });

  it('ends a deploy that is under way', async () => {
    nexus.builder.build = untilCancelled;
    await nexus.deploy();
    await nexus.backend.destroyApp('bakery');
    expect(await nexus.backend.listApps()).toEqual([]);
  });
});

describe('names', () => {
  it('are unique', async () => {
    await nexus.backend.createApp('bakery');
    await expect(nexus.backend.createApp('bakery')).rejects.toMatchObject({
      code: 'APP_NAME_TAKEN',
    });
  });

  it('must exist, unless a deploy may make them', async () => {
    const target = { app: 'nobody', create: false };
    await expect(nexus.backend.prepareDeploy(target)).rejects.toMatchObject({
      code: 'APP_NOT_FOUND',
    });
  });
});
