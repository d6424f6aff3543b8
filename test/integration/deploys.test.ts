// Deploys as a state machine: real store, real phases, doubles for what a node does.
import { TandemError } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildRequest } from '../../packages/platform/src/ports/builder.ts';
import { image } from '../support/fake-node.ts';
import { eventually, NexusFixture } from '../support/nexus-fixture.ts';

let nexus: NexusFixture;
const never = new Promise<never>(() => undefined);

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

describe('a deploy', () => {
  it('makes the app, a release and a route', async () => {
    const status = await nexus.live();
    expect(status).toMatchObject({ state: 'live', release: 1, kind: 'deploy' });
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
    const app = await nexus.backend.getApp('bakery');
    expect(app).toMatchObject({
      state: 'live',
      release: 1,
      urls: ['http://bakery.localhost:8080'],
    });
  });

  it('drains the old instance and stops it, and never routes to nobody', async () => {
    await nexus.live();
    await nexus.live();
    expect(nexus.resolver.serving(1)).toEqual(['a1-2']);
    await eventually(() => !nexus.runner.states.has('a1-1'));
    const targets = nexus.resolver.history.slice(1).map((app) => app.routes[0]?.target.kind);
    expect(targets.filter((kind) => kind !== 'upstreams')).toEqual(['upstreams'].slice(1));
    await eventually(async () => (await nexus.backend.listProcesses('bakery')).length === 1);
  });

  it('keeps the old release when the build fails, and says why', async () => {
    await nexus.live();
    nexus.builder.build = async () => {
      throw new TandemError('REQUIREMENTS_UNSATISFIABLE', 'no version of django==99');
    };
    const status = await nexus.finished(await nexus.deploy());
    expect(status).toMatchObject({
      state: 'failed',
      phase: 'build',
      error: { code: 'REQUIREMENTS_UNSATISFIABLE' },
    });
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
    expect((await nexus.backend.getApp('bakery')).state).toBe('live');
  });

  it('keeps the old release when an instance fails, and removes the new one', async () => {
    await nexus.live();
    nexus.runner.behaviour = () => ({
      state: 'failed',
      error: { code: 'HOST_REFUSED', message: 'web.1: 400' },
    });
    const status = await nexus.finished(await nexus.deploy());
    expect(status).toMatchObject({ phase: 'start', error: { code: 'HOST_REFUSED' } });
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
    await eventually(() => [...nexus.runner.states.keys()].join() === 'a1-1');
    expect((await nexus.backend.listReleases('bakery')).map(({ number }) => number)).toEqual([1]);
  });

  it('is refused while another is under way', async () => {
    nexus.builder.build = () => never;
    await nexus.deploy();
    await expect(nexus.deploy()).rejects.toMatchObject({ code: 'DEPLOY_IN_PROGRESS' });
  });

  it('tells watchers everything again, from any event on', async () => {
    const { deploy } = await nexus.live();
    const read = async (from: number) => {
      const { signal } = new AbortController();
      const events = [];
      for await (const event of nexus.backend.deployEvents('bakery', deploy, { from, signal })) {
        events.push(event);
      }
      return events;
    };
    const all = await read(0);
    expect(all.at(-1)).toMatchObject({ type: 'finished', status: { state: 'live' } });
    expect(await read(3)).toEqual(all.filter((event) => event.seq >= 3));
  });

  it('runs worker processes too, and stops the old ones at once', async () => {
    nexus.builder.build = async () => image({ code: '1', workers: true });
    await nexus.live();
    await nexus.live();
    await eventually(async () => (await nexus.backend.listProcesses('bakery')).length === 2);
    expect((await nexus.backend.listProcesses('bakery')).map((one) => one.name)).toEqual([
      'web.1',
      'worker.1',
    ]);
  });
});

describe('migrations', () => {
  const withMigrations = (names: string[]) => async () => image({ code: 'm', migrations: names });

  it('run once, and are recorded with the release', async () => {
    nexus.builder.build = withMigrations(['shop.0001_initial']);
    nexus.runner.job = async () => ({
      result: JSON.stringify({ applied: ['shop.0001_initial'], newly: ['shop.0001_initial'] }),
    });
    await nexus.live();
    expect(nexus.runner.jobs.map((job) => job.jobId)).toEqual(['j1-d1-migrate']);
    expect((await nexus.backend.listReleases('bakery'))[0]?.migrationsApplied).toBe(1);
  });

  it('need no job when the database has them all', async () => {
    nexus.builder.build = withMigrations(['shop.0001_initial']);
    nexus.database.applied = ['shop.0001_initial'];
    await nexus.live();
    expect(nexus.runner.jobs).toEqual([]);
  });

  it('fail the deploy before anything starts', async () => {
    nexus.builder.build = withMigrations(['shop.0001_initial']);
    nexus.runner.job = async () => ({
      exitCode: 1,
      result: JSON.stringify({
        applied: [],
        newly: [],
        error: { migration: 'shop.0001_initial', message: 'relation "x" does not exist' },
      }),
    });
    const status = await nexus.finished(await nexus.deploy());
    expect(status.error).toMatchObject({
      code: 'MIGRATION_FAILED',
      message: 'migration shop.0001_initial failed: relation "x" does not exist',
    });
    expect(nexus.runner.states.size).toBe(0);
  });

  it.each([
    [{ exitCode: 137, outOfMemory: true }, 'OUT_OF_MEMORY'],
    [{ exitCode: 143, timedOut: true }, 'MIGRATION_FAILED'],
    [{ exitCode: 0, result: 'no json' }, 'MIGRATION_FAILED'],
    [{ exitCode: 0, result: '{"applied": 3}' }, 'MIGRATION_FAILED'],
  ])('%j is %s', async (outcome, code) => {
    nexus.builder.build = withMigrations(['shop.0001_initial']);
    nexus.runner.job = async () => outcome;
    const status = await nexus.finished(await nexus.deploy());
    expect(status.error?.code).toBe(code);
  });

  it('stand beside release commands, each of which can fail the deploy', async () => {
    nexus.builder.build = async () => image({ code: 'r', releaseCommands: ['one', 'two'] });
    nexus.runner.job = async (job) => ({ exitCode: job.command === 'two' ? 7 : 0 });
    const status = await nexus.finished(await nexus.deploy());
    expect(nexus.runner.jobs.map((job) => job.command)).toEqual(['one', 'two']);
    expect(status.error).toMatchObject({
      code: 'RELEASE_COMMAND_FAILED',
      message: 'release command "two" ended with exit status 7',
    });
  });
});

describe('an agent killed in the middle', () => {
  it('builds again', async () => {
    nexus.builder.build = () => never;
    const deploy = await nexus.deploy();
    await nexus.kill();
    nexus.builder.build = async () => image({ code: '2' });
    await nexus.open();
    expect((await nexus.finished(deploy)).state).toBe('live');
  });

  it('joins the migration instead of starting a second one', async () => {
    nexus.builder.build = async () => image({ code: '1', migrations: ['a.0001'] });
    nexus.runner.job = () => never;
    const deploy = await nexus.deploy();
    await eventually(() => nexus.runner.jobs.length === 1);
    await nexus.kill();
    nexus.runner.job = async () => ({
      result: JSON.stringify({ applied: ['a.0001'], newly: [] }),
    });
    await nexus.open();
    expect(await nexus.finished(deploy)).toMatchObject({ state: 'live', release: 1 });
    expect(new Set(nexus.runner.jobs.map((job) => job.jobId))).toEqual(new Set(['j1-d1-migrate']));
  });

  it('waits for the instances it had started', async () => {
    await nexus.live();
    nexus.runner.behaviour = () => undefined;
    const deploy = await nexus.deploy();
    await eventually(() => nexus.runner.states.has('a1-2'));
    await nexus.kill();
    await nexus.open();
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
    nexus.runner.become('a1-2', { state: 'ready' });
    expect((await nexus.finished(deploy)).state).toBe('live');
    expect(nexus.resolver.serving(1)).toEqual(['a1-2']);
    expect([...nexus.runner.specs.keys()]).toEqual(['a1-1', 'a1-2']);
  });

  it('finishes a switch that was committed', async () => {
    await nexus.live();
    nexus.resolver.waitAcknowledged = () => never;
    const deploy = await nexus.deploy();
    await eventually(() => nexus.resolver.serving(1).join() === 'a1-2');
    await nexus.kill();
    nexus.resolver.waitAcknowledged = async () => ({ acknowledged: ['b'], silent: [] });
    await nexus.open();
    expect(await nexus.finished(deploy)).toMatchObject({ state: 'live', release: 2 });
    expect((await nexus.backend.listReleases('bakery'))[0]).toMatchObject({ current: true });
  });

  it('can still be told to cancel', async () => {
    nexus.builder.build = () => never;
    const deploy = await nexus.deploy();
    await nexus.kill();
    nexus.builder.build = untilCancelled;
    await nexus.open();
    await nexus.backend.cancelDeploy('bakery', deploy);
    expect((await nexus.finished(deploy)).state).toBe('cancelled');
  });
});

describe('cancelling', () => {
  it.each(['build', 'migrate', 'start'] as const)('in %s leaves the old release', async (phase) => {
    await nexus.live();
    nexus.builder.build = (request) =>
      phase === 'build'
        ? untilCancelled(request)
        : Promise.resolve(image({ code: 'x', migrations: ['a.0001'] }));
    nexus.runner.job = async () =>
      phase === 'migrate' ? never : { result: JSON.stringify({ applied: [], newly: [] }) };
    nexus.runner.behaviour = () => undefined;
    const deploy = await nexus.deploy();
    await eventually(async () => (await nexus.backend.getDeploy('bakery', deploy)).phase === phase);
    await nexus.backend.cancelDeploy('bakery', deploy);
    const status = await nexus.finished(deploy);
    expect(status).toMatchObject({ state: 'cancelled', error: { code: 'CANCELLED' } });
    expect(nexus.resolver.serving(1)).toEqual(['a1-1']);
    await eventually(() => [...nexus.runner.states.keys()].join() === 'a1-1');
  });
});
