import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TandemError } from '@tandem/protocol';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../lib/system-clock.ts';
import type { ImageStore } from '../ports/image-store.ts';
import type { InstanceSpec, InstanceState, JobSpec, ObservedInstance } from '../ports/runner.ts';
import type { RunnerContext } from './context.ts';
import { FakeSandbox } from './fake-sandbox.ts';
import { FakeVolumes } from './fake-volumes.ts';
import { createRunner } from './runner.ts';

let directory: string;
let sandbox: FakeSandbox;
let notes: string[];
let volumes: FakeVolumes;
let servers: Server[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-runner-'));
  sandbox = new FakeSandbox();
  notes = [];
  volumes = new FakeVolumes();
  servers = [];
});

afterEach(async () => {
  for (const server of servers) server.close();
  await rm(directory, { recursive: true, force: true });
});

function context(): RunnerContext {
  return {
    sandbox,
    imageStore: { has: async (sha256: string) => sha256 !== 'missing' } as ImageStore,
    clock: systemClock,
    volumes,
    paths: { data: join(directory, 'data'), run: join(directory, 'run'), stackCache: directory },
    note: (_, text) => notes.push(text),
  };
}

async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address ? address.port : 0;
}

const processSpec = {
  appId: 7,
  appName: 'bakery',
  uid: process.getuid?.() ?? 0,
  release: 3,
  layers: [{ sha256: 'present', sizeBytes: 1 }],
  command: 'gunicorn app:app',
  env: { SECRET: 'hush' },
  memoryBytes: 512 * 1024 * 1024,
  ipv6: '::1',
  ipv4: '127.0.0.1',
  links: [],
  volumes: [],
  logPath: '/dev/null',
};

function instance(overrides: Partial<InstanceSpec> = {}): InstanceSpec {
  return {
    ...processSpec,
    processName: 'web.1',
    instanceId: 'a7-1',
    desired: 'running',
    onProbation: true,
    stopSignal: 'SIGTERM',
    stopGraceMs: 50,
    ...overrides,
  };
}

function probeAt(port: number): NonNullable<InstanceSpec['probe']> {
  return { path: '/', host: 'bakery.localhost', port, startTimeoutMs: 2_000 };
}

type TestRunner = ReturnType<typeof createRunner>;

async function until(runner: TestRunner, id: string, state: InstanceState | 'gone') {
  for (let waitedMs = 0; waitedMs < 10_000; waitedMs += 10) {
    const observed = runner.observe().find((one) => one.instanceId === id);
    if (observed?.state === state || (state === 'gone' && !observed)) {
      return observed ?? ({} as ObservedInstance);
    }
    await sleep(10);
  }
  throw new Error(`${id} never became ${state}: ${JSON.stringify(runner.observe())}`);
}

describe('an instance', () => {
  it('is ready once it answers with its own host, behind TLS', async () => {
    const seen: unknown[] = [];
    const port = await serve((request, response) => {
      seen.push(request.headers.host, request.headers['x-forwarded-proto']);
      response.end('ok');
    });
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port) })]);
    const observed = await until(runner, 'a7-1', 'ready');
    expect(observed.address).toBe('127.0.0.1');
    expect(seen.slice(0, 2)).toEqual(['bakery.localhost', 'https']);
  });

  it.each([302, 401, 403, 404])('takes %i for a sign of life', async (status) => {
    const port = await serve((_, response) => response.writeHead(status).end());
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port) })]);
    await until(runner, 'a7-1', 'ready');
  });

  it('fails with HOST_REFUSED when it answers 400', async () => {
    const port = await serve((_, response) => response.writeHead(400).end());
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port) })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('HOST_REFUSED');
    expect(sandbox.last.removed).toBe(1);
  });

  it('forgives a server error at first and fails when it lasts', async () => {
    let answers = 0;
    const port = await serve((_, response) => {
      answers += 1;
      response.writeHead(500).end();
    });
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port) })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('PROBE_STATUS');
    expect(answers).toBeGreaterThan(1);
  });

  it('fails with PORT_NOT_BOUND when nothing ever listens', async () => {
    const runner = createRunner(context());
    runner.apply([instance({ probe: { ...probeAt(1), startTimeoutMs: 300 } })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('PORT_NOT_BOUND');
  });

  it('fails with PROBE_TIMEOUT when the answer never comes', async () => {
    const port = await serve(() => undefined);
    const runner = createRunner(context());
    runner.apply([instance({ probe: { ...probeAt(port), startTimeoutMs: 300 } })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('PROBE_TIMEOUT');
  });

  it('fails at once when it ends on probation, and says with what', async () => {
    sandbox.onStart = (process) => process.end({ code: 3, outOfMemory: false });
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(1) })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error).toMatchObject({
      code: 'CRASHED_AT_START',
      message: 'web.1 ended with exit status 3 before it was ready',
    });
    expect(sandbox.started).toHaveLength(1);
  });

  it('names memory when that was the cause', async () => {
    sandbox.onStart = (process) => process.end({ code: 137, outOfMemory: true });
    const runner = createRunner(context());
    runner.apply([instance()]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('OUT_OF_MEMORY');
    expect(observed.error?.hint).toContain('web=:1024M');
  });

  it('names memory when a server loses worker after worker', async () => {
    sandbox.onStart = (process) => (process.outOfMemoryKills = 3);
    const port = await serve(() => undefined);
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port) })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: 'web.1 was killed: it reached its memory limit of 512 MiB',
    });
  });

  it('names memory when one worker was lost and the probe failed', async () => {
    sandbox.onStart = (process) => (process.outOfMemoryKills = 1);
    const port = await serve(() => undefined);
    const runner = createRunner(context());
    runner.apply([instance({ probe: { ...probeAt(port), startTimeoutMs: 300 } })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('OUT_OF_MEMORY');
  });

  it('is not content with the worker that is left', async () => {
    sandbox.onStart = (process) => (process.outOfMemoryKills = 1);
    const port = await serve((_, response) => response.end('ok'));
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port) })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('OUT_OF_MEMORY');
  });

  it('fails when a layer is not here, without starting anything', async () => {
    const runner = createRunner(context());
    runner.apply([instance({ layers: [{ sha256: 'missing', sizeBytes: 1 }] })]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('IMAGE_FAILED');
    expect(sandbox.started).toHaveLength(0);
  });

  it('passes on why the sandbox could not start it', async () => {
    sandbox.failNext = new TandemError('DISK_FULL', 'no space for the scratch disk');
    const runner = createRunner(context());
    runner.apply([instance()]);
    const observed = await until(runner, 'a7-1', 'failed');
    expect(observed.error?.code).toBe('DISK_FULL');
  });

  it('is started again after a crash once it has served', async () => {
    const port = await serve((_, response) => response.end());
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(port), onProbation: false })]);
    await until(runner, 'a7-1', 'ready');
    sandbox.last.end({ code: 1, outOfMemory: false });
    const observed = await until(runner, 'a7-1', 'backoff');
    expect(observed.reason).toMatch(/retry 1\/5 in 1 s/);
    await until(runner, 'a7-1', 'ready');
    expect(sandbox.started.map((process) => process.id)).toEqual(['a7-1-1', 'a7-1-2']);
    expect(notes.join()).toContain('ended with exit status 1');
  });

  it('gets TERM, its grace, then KILL', async () => {
    const runner = createRunner(context());
    sandbox.onStart = (process) => {
      process.obedient = false;
    };
    runner.apply([instance()]);
    await until(runner, 'a7-1', 'ready');
    runner.apply([instance({ desired: 'stopped' })]);
    await until(runner, 'a7-1', 'gone');
    expect(sandbox.last.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(await readdir(join(directory, 'data', 'instances'))).toEqual([]);
  });

  it('can be stopped while it starts, and stopped twice', async () => {
    const runner = createRunner(context());
    runner.apply([instance({ probe: probeAt(1) })]);
    await until(runner, 'a7-1', 'starting');
    runner.apply([instance({ desired: 'stopped' })]);
    runner.apply([]);
    await until(runner, 'a7-1', 'gone');
    expect(sandbox.started.every((process) => process.removed > 0)).toBe(true);
  });

  it('ends when the nexus wants it no more', async () => {
    const runner = createRunner(context());
    runner.apply([instance()]);
    await until(runner, 'a7-1', 'ready');
    runner.apply([]);
    await until(runner, 'a7-1', 'gone');
    expect(sandbox.last.removed).toBeGreaterThan(0);
  });
});

describe('a new agent', () => {
  it('adopts a ready instance without touching it and calls it ready from the first moment', async () => {
    const port = await serve((_, response) => response.end());
    const spec = instance({ probe: probeAt(port), onProbation: false });
    const first = createRunner(context());
    first.apply([spec]);
    await until(first, 'a7-1', 'ready');
    await first.close();

    const second = createRunner(context());
    await second.recover();
    expect(sandbox.swept?.('a7-1-1')).toBe(true);
    expect(sandbox.swept?.('stranger')).toBe(false);
    second.apply([spec]);
    expect(second.observe()[0]).toMatchObject({ state: 'ready', address: '127.0.0.1' });
    await sleep(50);
    expect(sandbox.started).toHaveLength(1);
    sandbox.last.end({ code: 9, outOfMemory: false });
    await until(second, 'a7-1', 'backoff');
  });

  it('starts anew what had not been ready', async () => {
    const first = createRunner(context());
    first.apply([instance({ probe: probeAt(1) })]);
    await until(first, 'a7-1', 'starting');
    while (sandbox.recorded === 0) await sleep(5);
    const port = await serve((_, response) => response.end());
    const second = createRunner(context());
    await second.recover();
    second.apply([instance({ probe: probeAt(port) })]);
    await until(second, 'a7-1', 'ready');
    expect(sandbox.started[0]?.removed).toBeGreaterThan(0);
    expect(sandbox.last.id).toBe('a7-1-2');
  });

  it('removes what nobody wants any more', async () => {
    const first = createRunner(context());
    first.apply([instance()]);
    await until(first, 'a7-1', 'ready');
    const second = createRunner(context());
    await second.recover();
    second.apply([]);
    await sleep(50);
    expect(sandbox.last.removed).toBeGreaterThan(0);
  });
});

describe('a job', () => {
  const never = new AbortController().signal;
  const job = (overrides: Partial<JobSpec> = {}): JobSpec => ({
    ...processSpec,
    processName: 'release',
    jobId: 'j7-d1-migrate',
    timeoutMs: 5_000,
    ...overrides,
  });

  it('runs once for two callers', async () => {
    const runner = createRunner(context());
    const both = [runner.runJob(job(), never), runner.runJob(job(), never)];
    while (sandbox.recorded === 0) await sleep(5);
    sandbox.last.end({ code: 0, outOfMemory: false });
    const results = await Promise.all(both);
    expect(results.map((result) => result.exitCode)).toEqual([0, 0]);
    expect(sandbox.started).toHaveLength(1);
  });

  it('gives the result again to whoever asks later', async () => {
    sandbox.onStart = (process) => process.end({ code: 4, outOfMemory: false });
    const runner = createRunner(context());
    await runner.runJob(job(), never);
    const again = await createRunner(context()).runJob(job(), never);
    expect(again.exitCode).toBe(4);
    expect(sandbox.started).toHaveLength(1);
    await runner.forgetJob('j7-d1-migrate');
    await runner.runJob(job(), never);
    expect(sandbox.started).toHaveLength(2);
  });

  it('is adopted by the next agent while it runs', async () => {
    const first = createRunner(context());
    void first.runJob(job(), never);
    while (sandbox.recorded === 0) await sleep(5);
    await sleep(20);
    const second = createRunner(context());
    const result = second.runJob(job(), never);
    await sleep(20);
    sandbox.last.end({ code: 0, outOfMemory: false });
    expect((await result).exitCode).toBe(0);
    expect(sandbox.started).toHaveLength(1);
  });

  it('counts as failed when the machine went down under it', async () => {
    const first = createRunner(context());
    void first.runJob(job(), never);
    while (sandbox.recorded === 0) await sleep(5);
    await sleep(20);
    sandbox.last.removed = 1;
    const result = await createRunner(context()).runJob(job(), never);
    expect(result.exitCode).toBe(255);
    expect(sandbox.started).toHaveLength(1);
  });

  it('is ended when it outlasts its time', async () => {
    const runner = createRunner(context());
    const result = await runner.runJob(job({ timeoutMs: 50 }), never);
    expect(result.timedOut).toBe(true);
    expect(sandbox.last.signals).toEqual(['SIGTERM']);
  });

  it('leaves nothing behind when it is cancelled', async () => {
    const runner = createRunner(context());
    const cancel = new AbortController();
    const result = runner.runJob(job(), cancel.signal);
    while (sandbox.recorded === 0) await sleep(5);
    cancel.abort(new TandemError('CANCELLED', 'the deploy was cancelled'));
    await expect(result).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(sandbox.last.removed).toBe(1);
    expect(await readdir(join(directory, 'data', 'jobs'))).toEqual([]);
  });
});
