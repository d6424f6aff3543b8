// `tandem explain` from a failure to its words: real store and deploys, real texts of logs.
import { readFileSync } from 'node:fs';
import { TandemError } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { image } from '../support/fake-node.ts';
import { eventually, NexusFixture } from '../support/nexus-fixture.ts';

let nexus: NexusFixture;
const explain = (about = {}) => nexus.backend.explain('bakery', about);
const textOf = (name: string): string =>
  readFileSync(
    new URL(`../../packages/platform/src/domain/diagnosis/texts/${name}.txt`, import.meta.url),
    'utf8',
  );
const write = (process: string, release: string, text: string): void => {
  const line = { atMs: Date.now(), process, release, stream: 'stderr' as const };
  nexus.logs.push(...text.split('\n').map((part) => ({ ...line, text: part })));
};

beforeEach(async () => {
  nexus = await NexusFixture.start();
});
afterEach(() => nexus.close());

describe('explain', () => {
  it('says that an app was never deployed', async () => {
    await nexus.backend.createApp('bakery');
    expect(await explain()).toMatchObject({ state: 'empty', lines: [], processes: [] });
  });

  it('says that the last deploy succeeded, and what runs', async () => {
    await nexus.live();
    expect(await explain()).toMatchObject({
      subject: 'd1',
      state: 'live',
      summary: 'The last deploy of "bakery", d1, succeeded; v1 serves.',
      processes: [{ name: 'web.1', release: 1, state: 'running', restarts: 0 }],
    });
    expect(await explain({ release: 1 })).toMatchObject({ subject: 'v1', state: 'live' });
  });

  it('gives the recorded cause of a failed build and the lines that led to it', async () => {
    nexus.builder.build = async () => {
      write('build', 'd1', textOf('sqlalchemy-no-driver'));
      throw new TandemError('DATABASE_DRIVER_MISSING', 'No driver.', { where: 'main.py:2' });
    };
    await nexus.finished(await nexus.deploy());
    const told = await explain();
    expect(told).toMatchObject({
      subject: 'd1',
      state: 'failed',
      summary: 'Deploy d1 of "bakery" failed in build; nothing serves.',
      cause: { code: 'DATABASE_DRIVER_MISSING', where: 'main.py:2' },
    });
    expect(told.lines.join('\n')).toContain('File "/app/main.py", line 2');
    expect(told.candidates.map(({ code }) => code)).toEqual(['MODULE_MISSING']);
  });

  it('finds the cause of a release command in its log', async () => {
    nexus.builder.build = async () => image({ code: 'r', releaseCommands: ['flask db upgrade'] });
    nexus.runner.job = async () => {
      write('release', 'v1', 'sh: 1: exec: flask: not found\n');
      write('release', 'v1', textOf('no-postgresql-driver'));
      return { exitCode: 1 };
    };
    const status = await nexus.finished(await nexus.deploy());
    expect(status.error).toMatchObject({
      code: 'DATABASE_DRIVER_MISSING',
      message: expect.stringMatching(/^release command "flask db upgrade" .*: No driver/) as string,
      log: expect.stringContaining('-p release') as string,
    });
    expect(await explain({ deploy: 1 })).toMatchObject({
      state: 'failed',
      cause: { code: 'DATABASE_DRIVER_MISSING' },
    });
  });

  it('reads two newest migrations out of the log of the job', async () => {
    nexus.builder.build = async () => image({ code: 'm', migrations: ['shop.0001_initial'] });
    nexus.runner.job = async () => {
      write('release', 'v1', textOf('migration-conflict'));
      return { exitCode: 1, result: '{"applied": [], "newly": [], "error": {"message": "no"}}' };
    };
    const status = await nexus.finished(await nexus.deploy());
    expect(status.error).toMatchObject({
      code: 'MIGRATION_CONFLICT',
      hint: expect.stringContaining('--merge') as string,
    });
  });

  it('explains a process that crashes, though its deploy succeeded', async () => {
    await nexus.live();
    write('web.1', 'v1', textOf('keyerror-variable'));
    nexus.runner.become('a1-1', { state: 'backoff', reason: 'retry 3/5 in 16 s', restarts: 3 });
    await eventually(async () => (await explain()).state === 'unhealthy');
    const told = await explain();
    expect(told).toMatchObject({
      subject: 'web.1',
      cause: {
        code: 'VARIABLE_MISSING',
        log: 'tandem logs -a bakery --release v1 -p web.1',
      },
      processes: [{ name: 'web.1', state: 'crashed', restarts: 3 }],
    });
  });

  it('does not blame the log for a process that took too much memory', async () => {
    await nexus.live();
    write('web.1', 'v1', textOf('keyerror-variable'));
    const error = { code: 'OUT_OF_MEMORY', message: 'killed' } as const;
    nexus.runner.become('a1-1', { state: 'backoff', reason: 'out of memory', error, restarts: 1 });
    await eventually(async () => (await explain()).state === 'unhealthy');
    expect((await explain()).cause?.code).toBe('OUT_OF_MEMORY');
  });

  it('explains an older deploy or release that failed, after a good one', async () => {
    nexus.runner.behaviour = () => ({
      state: 'failed',
      error: { code: 'PORT_NOT_BOUND', message: 'web.1: nothing listened' },
    });
    await nexus.finished(await nexus.deploy());
    nexus.runner.behaviour = () => ({ state: 'ready' });
    await nexus.live();
    expect((await explain()).state).toBe('live');
    expect(await explain({ release: 1 })).toMatchObject({ subject: 'd1', state: 'failed' });
    expect((await explain({ deploy: 1 })).cause?.code).toBe('PORT_NOT_BOUND');
  });

  it('refuses what does not exist', async () => {
    await nexus.live();
    await expect(explain({ deploy: 9 })).rejects.toMatchObject({ code: 'DEPLOY_NOT_FOUND' });
    await expect(explain({ release: 9 })).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND' });
  });
});
