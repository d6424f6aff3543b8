import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pathsOf } from '../../ports/paths.ts';
import {
  findOrCreateInstallation,
  randomUlaPrefix,
  type InstallationRequest,
} from './create-installation.ts';
import { findInstallation, installationFile, readInstallation } from './installation-file.ts';
import { SlotRegistry } from './slots.ts';

let root: string;
let slots: SlotRegistry;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-registry-'));
  slots = new SlotRegistry(join(root, 'slots'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const request = (name: string): InstallationRequest => ({
  name,
  dataRoot: join(root, 'data'),
  runRoot: join(root, 'run'),
  nodeName: 'n1',
  suffix: 'localhost',
  httpPort: 8080,
});
const paths = (name: string) => pathsOf(name, { data: join(root, 'data'), run: join(root, 'run') });

describe('findOrCreateInstallation', () => {
  it('creates once and finds the same afterwards', async () => {
    const first = await findOrCreateInstallation(request('one'), slots);
    const second = await findOrCreateInstallation(request('one'), slots);
    expect(first.created).toBe(true);
    expect(second.created).toBe(false);
    expect(second.installation).toEqual(first.installation);
    expect(await readInstallation(paths('one'))).toEqual(first.installation);
  });

  it('gives every installation a slot of its own, also at the same instant', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `many-${index}`);
    const made = await Promise.all(
      names.map((name) => findOrCreateInstallation(request(name), slots)),
    );
    expect(new Set(made.map((each) => each.installation.slot)).size).toBe(20);
    expect(await readdir(join(root, 'slots'))).toHaveLength(20);
  });

  it('takes over the slot that a crash before the file left behind', async () => {
    const { dataRoot, runRoot } = request('one');
    const slot = await slots.claim({ name: 'one', dataRoot, runRoot });
    const { installation } = await findOrCreateInstallation(request('one'), slots);
    expect(installation.slot).toBe(slot);
  });

  it('keeps the identity of data whose slot is gone', async () => {
    const before = await findOrCreateInstallation(request('one'), slots);
    await slots.release(before.installation.slot, 'one');
    await findOrCreateInstallation(request('other'), slots);
    const after = await findOrCreateInstallation(request('one'), slots);
    expect(after.installation).toEqual({ ...before.installation, slot: 1 });
  });

  it('refuses a name that is in use elsewhere, naming the place', async () => {
    await findOrCreateInstallation(request('one'), slots);
    const elsewhere = { ...request('one'), dataRoot: join(root, 'elsewhere') };
    await expect(findOrCreateInstallation(elsewhere, slots)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringContaining(join(root, 'data')) as string,
    });
  });

  it.each(['', '../x', 'A', '9a', 'a/b', 'a'.repeat(32)])('refuses the name "%s"', async (name) => {
    await expect(findOrCreateInstallation(request(name), slots)).rejects.toMatchObject({
      code: 'USAGE',
    });
  });
});

describe('readInstallation', () => {
  it('says when there is none', async () => {
    expect(await findInstallation(paths('none'))).toBeUndefined();
    await expect(readInstallation(paths('none'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('names the damaged file', async () => {
    await findOrCreateInstallation(request('one'), slots);
    const file = installationFile(paths('one'));
    await writeFile(file, (await readFile(file, 'utf8')).slice(0, 20));
    await expect(readInstallation(paths('one'))).rejects.toMatchObject({
      code: 'MACHINE_UNFIT',
      where: file,
    });
  });
});

describe('SlotRegistry', () => {
  it('does not release a slot that somebody else holds', async () => {
    const { dataRoot, runRoot } = request('one');
    const slot = await slots.claim({ name: 'one', dataRoot, runRoot });
    await slots.release(slot, 'two');
    expect(await slots.find('one')).toMatchObject({ slot });
    await slots.release(slot, 'one');
    expect(await slots.find('one')).toBeUndefined();
  });
});

describe('randomUlaPrefix', () => {
  it('is a /64 below fd00::/8', () => {
    const prefix = randomUlaPrefix(Uint8Array.from([0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde]));
    expect(prefix).toBe('fd12:3456:789a:bcde');
  });
});
