// Steps of one build that run at the same time, each in its own words.
import { appendFile, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { BuildSession, type Step } from '../../packages/platform/src/builder/build-session.ts';
import type { BuilderOptions } from '../../packages/platform/src/builder/collaborators.ts';
import { formatLogLines } from '../../packages/platform/src/lib/log-line.ts';
import type { BuildRequest } from '../../packages/platform/src/ports/builder.ts';
import type { SandboxSpec } from '../../packages/platform/src/ports/sandbox.ts';

let root: string;
let session: BuildSession;
/** Writes for a process that the test plays. */
const running = new Map<string, { spec: SandboxSpec; end: (code: number) => void }>();

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-session-'));
  const scratch = {
    create: async () => {
      await mkdir(join(root, 'disk'));
      return join(root, 'disk');
    },
    remove: () => rm(join(root, 'disk'), { recursive: true }),
  };
  const sandbox = {
    start: (spec: SandboxSpec) => {
      const { promise: exited, resolve } = Promise.withResolvers();
      const end = (code: number) => resolve({ code, outOfMemory: false });
      running.set(spec.id.replace(/^.*-/, ''), { spec, end });
      return Promise.resolve({ exited, remove: () => Promise.resolve() });
    },
  };
  const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
  const options = { scratch, sandbox, clock } as unknown as BuilderOptions;
  const signal = new AbortController().signal;
  const logPath = join(root, 'build.log');
  const request = { buildId: 'b1', appName: 'shop', buildUid: 1000, logPath, signal, network: {} };
  session = await BuildSession.open(options, request as unknown as BuildRequest);
});
afterEach(async () => {
  await session.close();
  await rm(root, { recursive: true });
});

const step = (name: string, aside: boolean): Step => ({
  name,
  aside,
  layers: [],
  args: ['true'],
  uid: 1000,
  mounts: [],
  network: false,
});

async function write(name: string, text: string): Promise<void> {
  const { spec } = running.get(name) ?? {};
  await appendFile(spec?.logPath ?? '', formatLogLines(Date.now(), 'stderr', text));
}

it('do not speak into a traceback', async () => {
  const prepared = session.run(step('prepare', false));
  const added = session.run(step('add', true));
  await expect.poll(() => running.size).toBe(2);
  await write('prepare', 'Traceback (most recent call last):\n  File "/app/a.py", line 1');
  await write('add', 'Resolved 1 package in 181ms');
  running.get('add')?.end(0);
  expect((await added).logTail).toBe('Resolved 1 package in 181ms\n');
  await write('prepare', "KeyError: 'PAY_TOKEN'");
  running.get('prepare')?.end(1);
  expect(await prepared).toEqual({
    exit: { code: 1, outOfMemory: false },
    logTail:
      'Traceback (most recent call last):\n  File "/app/a.py", line 1\nKeyError: \'PAY_TOKEN\'\n',
  });
  expect(await readFile(join(root, 'build.log'), 'utf8')).toContain('Resolved 1 package');
});
