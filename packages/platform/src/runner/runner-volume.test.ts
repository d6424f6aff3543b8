import { TandemError } from '@tandem/protocol';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../lib/system-clock.ts';
import type { ImageStore } from '../ports/image-store.ts';
import type { InstanceSpec, InstanceState } from '../ports/runner.ts';
import { FakeSandbox } from './fake-sandbox.ts';
import { FakeVolumes } from './fake-volumes.ts';
import { createRunner } from './runner.ts';

let directory: string;
let sandbox: FakeSandbox;
let volumes: FakeVolumes;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-runner-'));
  sandbox = new FakeSandbox();
  volumes = new FakeVolumes();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = () =>
  createRunner({
    sandbox,
    imageStore: { has: async () => true } as unknown as ImageStore,
    clock: systemClock,
    volumes,
    paths: { data: join(directory, 'data'), run: join(directory, 'run'), stackCache: directory },
    note: () => undefined,
  });

const processSpec = {
  appId: 7,
  appName: 'bakery',
  uid: process.getuid?.() ?? 0,
  release: 3,
  processName: 'worker.1',
  layers: [{ sha256: 'code', sizeBytes: 1 }],
  command: 'worker',
  env: {},
  memoryBytes: 512 * 1024 * 1024,
  ipv6: '::1',
  ipv4: '127.0.0.1',
  links: [],
  volumes: [],
  logPath: '/dev/null',
};

const instance = (more: Partial<InstanceSpec> = {}): InstanceSpec => ({
  ...processSpec,
  instanceId: 'a7-1',
  desired: 'running',
  onProbation: true,
  stopSignal: 'SIGTERM',
  stopGraceMs: 50,
  ...more,
});

async function until(runner: ReturnType<typeof open>, state: InstanceState) {
  await vi.waitFor(() => expect(runner.observe()[0]?.state).toBe(state), { timeout: 10_000 });
  return runner.observe()[0];
}

describe('the volume of an app', () => {
  const volume = {
    sizeBytes: 1024 ** 3,
    paths: [
      { path: '/app/media', isPublic: true, why: 'MEDIA_ROOT' },
      { path: '/app/db.sqlite3', kind: 'file' as const, why: 'SQLite' },
    ],
  };
  const mounts = () => [
    { source: join(directory, 'run/volumes/7/app+media'), target: '/app/media', readOnly: false },
    {
      source: join(directory, 'run/volumes/7/app+db.sqlite3'),
      target: '/run/tandem/files/app+db.sqlite3',
      readOnly: false,
    },
  ];

  it('is there before an instance starts, with every path in its place', async () => {
    const runner = open();
    runner.apply([instance({ volume })]);
    await until(runner, 'ready');
    expect(volumes.ensured).toMatchObject([{ appId: 7, plan: volume }]);
    expect(sandbox.last.spec.mounts).toEqual(mounts());
    expect(sandbox.last.spec.links).toEqual({
      '/app/db.sqlite3': '/run/tandem/files/app+db.sqlite3/db.sqlite3',
    });
  });

  it('is there before a job starts', async () => {
    sandbox.onStart = (process) => process.end({ code: 0, outOfMemory: false });
    const spec = { ...processSpec, volume, jobId: 'j-v', timeoutMs: 5_000 };
    await open().runJob(spec, new AbortController().signal);
    expect(volumes.ensured).toHaveLength(1);
    expect(sandbox.last.spec.mounts).toEqual(expect.arrayContaining(mounts()));
  });

  it('that cannot be had is why nothing starts', async () => {
    volumes.failNext = new TandemError('VOLUME_FAILED', 'damaged');
    const runner = open();
    runner.apply([instance({ volume })]);
    const observed = await until(runner, 'failed');
    expect(observed?.error?.code).toBe('VOLUME_FAILED');
    expect(sandbox.started).toHaveLength(0);
  });

  it('is not asked for by an app that has none', async () => {
    const runner = open();
    runner.apply([instance()]);
    await until(runner, 'ready');
    expect(volumes.ensured).toHaveLength(0);
  });
});
