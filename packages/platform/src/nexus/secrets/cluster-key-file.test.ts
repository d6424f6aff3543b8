import {
  chmod,
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openClusterKeys } from './secret-box.ts';

describe('openClusterKeys', () => {
  let directory: string;
  let file: string;
  const path = 'apps/1/config/KEY';

  beforeEach(async () => {
    directory = join(await mkdtemp(join(tmpdir(), 'tandem-keys-')), 'keys');
    file = join(directory, 'cluster.key');
  });
  afterEach(() => rm(join(directory, '..'), { recursive: true }));

  const write = async (content: string, mode = 0o600): Promise<void> => {
    await mkdir(directory, { recursive: true });
    await writeFile(file, content, { mode });
    await chmod(file, mode);
  };
  const refusal = async (): Promise<{ code: string; message: string; hint?: string }> =>
    openClusterKeys(directory).then(
      () => ({ code: 'none', message: 'it was accepted' }),
      (error: { code: string; message: string; hint?: string }) => error,
    );

  it('makes a key on first use that only its owner can read, and leaves no draft', async () => {
    await openClusterKeys(directory);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect(await readdir(directory)).toEqual(['cluster.key']);
  });

  it('uses the same key the next time', async () => {
    const sealed = (await openClusterKeys(directory)).seal(path, 'secret');
    expect((await openClusterKeys(directory)).open(path, sealed)).toBe('secret');
  });

  it('makes one key when several start at once', async () => {
    const boxes = await Promise.all(Array.from({ length: 8 }, () => openClusterKeys(directory)));
    const sealed = boxes.map((box) => box.seal(path, 'secret'));
    expect(new Set(sealed.map(({ kid }) => kid)).size).toBe(1);
    for (const box of boxes) expect(box.open(path, sealed[0]!)).toBe('secret');
  });

  it('reads several keys, seals with the last and opens with all', async () => {
    const before = (await openClusterKeys(directory)).seal(path, 'older');
    const content = JSON.parse(await readFile(file, 'utf8')) as { keys: unknown[] };
    const key = Buffer.alloc(32, 7).toString('base64url');
    content.keys.push({ kid: 'abcdef01', key, createdAtMs: 1 });
    await write(JSON.stringify(content));
    const box = await openClusterKeys(directory);
    expect(box.seal(path, 'newer').kid).toBe('abcdef01');
    expect(box.open(path, before)).toBe('older');
  });

  it.each([0o644, 0o640, 0o604, 0o660, 0o620, 0o601])('refuses mode %i', async (mode) => {
    await openClusterKeys(directory);
    await chmod(file, mode);
    const error = await refusal();
    expect(error.code).toBe('CLUSTER_KEY_INVALID');
    expect(error.message).toContain(mode.toString(8));
    expect(error.hint).toBe(`chmod 600 ${file}`);
  });

  it('refuses a file of another owner', async () => {
    await openClusterKeys(directory);
    await chown(file, 65_534, 65_534);
    const error = await refusal();
    expect(error.code).toBe('CLUSTER_KEY_INVALID');
    expect(error.message).toContain('belongs to uid 65534');
  });

  it('refuses a symbolic link, also to a good file', async () => {
    await openClusterKeys(join(directory, 'elsewhere'));
    await symlink(join(directory, 'elsewhere', 'cluster.key'), file);
    expect((await refusal()).message).toContain('symbolic link');
  });

  it('refuses a directory', async () => {
    await mkdir(file, { recursive: true, mode: 0o700 });
    expect((await refusal()).message).toContain('is not a file');
  });

  const key = Buffer.alloc(32, 7).toString('base64url');
  const entry = { kid: 'abcdef01', key, createdAtMs: 1 };
  it.each([
    ['an empty file', ''],
    ['a file cut off', '{"schemaVersion":1,"keys":[{"kid":"abc'],
    ['no keys', JSON.stringify({ schemaVersion: 1, keys: [] })],
    ['a newer schema', JSON.stringify({ schemaVersion: 2, keys: [entry] })],
    ['a short key', JSON.stringify({ schemaVersion: 1, keys: [{ ...entry, key: 'AAAA' }] })],
    ['a repeated key id', JSON.stringify({ schemaVersion: 1, keys: [entry, entry] })],
    ['a huge file', ' '.repeat(100_000)],
  ])('refuses %s, keeps it, and does not quote it', async (_case, content) => {
    await write(content);
    const error = await refusal();
    expect(error.code).toBe('CLUSTER_KEY_INVALID');
    expect(error.message).toContain(file);
    expect(JSON.stringify(error)).not.toContain(key);
    expect(await readFile(file, 'utf8')).toBe(content);
  });
});
