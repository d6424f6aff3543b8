// What an installation may leave in the kernel, made here by hand: found, and removed without
// touching anything that only looks alike.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { removeCgroups } from '../../packages/platform/src/adapters/leftovers/cgroups.ts';
import { endProcesses } from '../../packages/platform/src/adapters/leftovers/end-processes.ts';
import { findLeftovers } from '../../packages/platform/src/adapters/leftovers/find-leftovers.ts';
import {
  MARK_VARIABLE,
  markOf,
  type Mark,
} from '../../packages/platform/src/adapters/leftovers/mark.ts';
import {
  detachLoopDevices,
  unmountAll,
} from '../../packages/platform/src/adapters/leftovers/mounts.ts';
import { waitFor } from '../../packages/platform/src/adapters/s6/service-state.ts';
import { platformUid } from '../../packages/platform/src/domain/installation.ts';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';
import { pathsOf } from '../../packages/platform/src/ports/paths.ts';

/** A slot that no installation claims: the registry goes up to 255, and uids that Node takes to 494. */
const SLOT = 260 + (randomBytes(1).readUInt8() % 200);
const ENV = { PATH: '/usr/bin:/bin' };
const SWEEP = { graceMs: 3_000, killTimeoutMs: 5_000 };

let root: string;
let mark: Mark;
const children: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-left-'));
  const paths = pathsOf('x', { data: join(root, 'data'), run: join(root, 'run') });
  await mkdir(paths.data, { recursive: true });
  await mkdir(paths.run, { recursive: true });
  const id = randomBytes(3).toString('hex');
  const rest = { ipv6Prefix: 'fdfe:dead:beef:1', nodeName: 'n', suffix: 'x', httpPort: 1 };
  mark = markOf({ schemaVersion: 1, name: 'x', id, slot: SLOT, ...rest }, paths);
});

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await unmountAll(mark);
  await detachLoopDevices(mark);
  await removeCgroups(mark);
  await rm(root, { recursive: true, force: true });
});

function start(argv: readonly [string, ...string[]], options: object = {}): ChildProcess {
  const [file, ...args] = argv;
  const child = spawn(file, args, { env: ENV, stdio: 'ignore', ...options });
  children.push(child);
  return child;
}

const isRunning = (child: ChildProcess): boolean =>
  child.exitCode === null && child.signalCode === null;

describe('processes', () => {
  it('are found by mark, uid and cgroup, and ended', async () => {
    const { first } = mark.uids;
    const marked = start(['sleep', '600'], { env: { ...ENV, [MARK_VARIABLE]: mark.id } });
    const byUid = start(['sleep', '601'], { uid: first + 7, gid: first + 7 });
    const grouped = start(['sleep', '602']);
    await moveToGroup(grouped.pid ?? 0, `${mark.cgroup}/web-1`);
    expect(await findLeftovers(mark)).toEqual(
      expect.arrayContaining([
        `process ${marked.pid} sleep 600`,
        `process ${byUid.pid} sleep 601`,
        `process ${grouped.pid} sleep 602`,
      ]),
    );

    expect(await endProcesses(mark, SWEEP)).toEqual([]);
    expect([marked, byUid, grouped].map((child) => child.killed)).toEqual([false, false, false]);
    expect(await waitFor(async () => !isRunning(marked) && !isRunning(byUid), 2_000)).toBe(true);
    await removeCgroups(mark);
    expect(await findLeftovers(mark)).toEqual([]);
  });

  it('of others stay: another mark, the next slot, the name, our paths as arguments', async () => {
    const others = [
      start(['sleep', '610'], { env: { ...ENV, [MARK_VARIABLE]: 'ffffff' } }),
      start(['sleep', '611'], { uid: platformUid(SLOT + 1, 0), gid: platformUid(SLOT + 1, 0) }),
      start(['sleep', '612'], { cwd: mark.runDirectory }),
      start(['tail', '-f', '/dev/null', join(mark.runDirectory, 'log')]),
    ];
    await endProcesses(mark, { graceMs: 100, killTimeoutMs: 500 });
    expect(others.slice(0, 3).map(isRunning)).toEqual([true, true, true]);
  });

  it('in a sandbox get an INT and time for it; only then a KILL', async () => {
    const said = join(root, 'said');
    const orderly = start([
      'sh',
      '-c',
      `trap 'echo orderly >${said}; exit' INT; while :; do sleep 0.1; done`,
    ]);
    const deaf = start(['sh', '-c', `trap '' INT; while :; do sleep 0.1; done`]);
    await moveToGroup(orderly.pid ?? 0, `${mark.cgroup}/db-1`);
    await moveToGroup(deaf.pid ?? 0, `${mark.cgroup}/web-1`);
    await waitFor(async () => (await findLeftovers(mark)).length >= 2, 2_000);
    expect(await endProcesses(mark, { graceMs: 1_000, killTimeoutMs: 5_000 })).toEqual([]);
    await access(said);
  });

  it('that fork while they are being ended are ended too', async () => {
    const bomb = 'while :; do sleep 30 & sleep 0.02; done';
    start(['sh', '-c', bomb], { env: { ...ENV, [MARK_VARIABLE]: mark.id } });
    expect(await endProcesses(mark, { graceMs: 100, killTimeoutMs: 5_000 })).toEqual([]);
  });
});

describe('mounts and loop devices', () => {
  it('below the run directory go, nested ones too', async () => {
    const outer = join(mark.runDirectory, 'with space');
    await mkdir(outer, { recursive: true });
    await mount(['-t', 'tmpfs', 'none', outer]);
    await mkdir(join(outer, 'inner'));
    await mount(['-t', 'tmpfs', 'none', join(outer, 'inner')]);
    expect(await findLeftovers(mark)).toEqual([`mount ${outer}/inner`, `mount ${outer}`]);
    await unmountAll(mark);
    expect(await findLeftovers(mark)).toEqual([]);
  });

  it('leaves a disk that an operator put below the data directory', async () => {
    const disk = join(mark.dataDirectory, 'volumes');
    await mkdir(disk);
    await mount(['-t', 'tmpfs', 'none', disk]);
    await unmountAll(mark);
    await writeFile(join(disk, 'kept'), '');
    await runCommand(['mountpoint', '-q', disk], { timeoutMs: 5_000 });
    await runCommand(['umount', disk], { timeoutMs: 5_000 });
  });

  it('lets go of loop devices on files of ours, mounted or not', async () => {
    const file = join(mark.dataDirectory, 'disk');
    await runCommand(['truncate', '-s', '16M', file], { timeoutMs: 5_000 });
    await runCommand(['mkfs.ext4', '-q', file], { timeoutMs: 20_000 });
    const mounted = join(mark.dataDirectory, 'mounted');
    await mkdir(mounted);
    await mount(['-o', 'loop', file, mounted]);
    expect((await findLeftovers(mark)).map((line) => line.split(' ')[0])).toEqual([
      'mount',
      'loop',
    ]);
    await unmountAll(mark);
    await detachLoopDevices(mark);
    expect(await findLeftovers(mark)).toEqual([]);
  });
});

async function mount(args: readonly string[]): Promise<void> {
  await runCommand(['mount', ...args], { timeoutMs: 10_000 });
}

/** In the pids hierarchy, or the one of cgroup v2. */
async function moveToGroup(pid: number, path: string): Promise<void> {
  const v1 = '/sys/fs/cgroup/pids';
  const root = await access(v1).then(
    () => v1,
    () => '/sys/fs/cgroup',
  );
  await mkdir(join(root, path), { recursive: true });
  await writeFile(join(root, path, 'cgroup.procs'), String(pid));
}
