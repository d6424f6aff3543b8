import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inCgroup } from './in-cgroup.ts';

let mountPoint: string;
const inSystemd = (...path: string[]) => join(mountPoint, 'systemd', ...path, 'cgroup.procs');

beforeEach(async () => {
  mountPoint = await mkdtemp(join(tmpdir(), 'in-cgroup-'));
  await mkdir(join(mountPoint, 'systemd', 'session.scope'), { recursive: true });
});

afterEach(async () => {
  await rm(mountPoint, { recursive: true });
});

describe('inCgroup', () => {
  it('is in the group while it spawns, and back in its own after', async () => {
    const own = '4:memory:/elsewhere\n1:name=systemd:/session.scope\n0::/session.scope\n';
    const spawned = inCgroup('/apps', () => 'child', { mountPoint, own });
    expect(spawned).toBe('child');
    expect(await readFile(inSystemd('apps'), 'utf8')).toBe(String(process.pid));
    expect(await readFile(inSystemd('session.scope'), 'utf8')).toBe(String(process.pid));
  });

  it('goes back when nothing could be spawned', async () => {
    const at = { mountPoint, own: '1:name=systemd:/session.scope\n' };
    const fail = () => {
      throw new Error('no such program');
    };
    expect(() => inCgroup('/apps', fail, at)).toThrow('no such program');
    expect(await readFile(inSystemd('session.scope'), 'utf8')).toBe(String(process.pid));
  });

  it('spawns all the same where the group cannot be made', async () => {
    await writeFile(join(mountPoint, 'systemd', 'apps'), 'in the way');
    const at = { mountPoint, own: '1:name=systemd:/session.scope\n' };
    expect(inCgroup('/apps', () => 'child', at)).toBe('child');
  });

  it('needs no control groups', () => {
    expect(inCgroup('/apps', () => 'child', { mountPoint, own: '' })).toBe('child');
  });
});
