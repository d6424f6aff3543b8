import { lstat, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenPrivately } from './private-socket.ts';

describe('listenPrivately', () => {
  let directory: string;
  const servers: Server[] = [];

  const server = (greeting: string): Server => {
    const made = createServer((socket) => socket.end(greeting));
    servers.push(made);
    return made;
  };
  const greeting = async (path: string): Promise<string> => {
    const socket = connect(path);
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    return data.toString();
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'private-socket-'));
  });
  afterEach(async () => {
    for (const made of servers.splice(0)) made.close();
    await rm(directory, { recursive: true });
  });

  it('makes a socket of mode 0600 and leaves nothing else', async () => {
    const path = join(directory, 'control.sock');
    await listenPrivately(server('a'), path);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual(['control.sock']);
    expect(await greeting(path)).toBe('a');
  });

  it('takes the place of what a killed process left', async () => {
    const path = join(directory, 'control.sock');
    await writeFile(path, '');
    await listenPrivately(server('b'), path);
    expect(await greeting(path)).toBe('b');
  });

  it('removes its own socket, never that of a successor', async () => {
    const path = join(directory, 'control.sock');
    const first = await listenPrivately(server('a'), path);
    const second = await listenPrivately(server('b'), path);
    await first.remove();
    expect(await greeting(path)).toBe('b');
    await second.remove();
    expect(await readdir(directory)).toEqual([]);
  });

  it('refuses a path that the kernel would cut, and leaves nothing', async () => {
    const path = join(directory, `${'x'.repeat(120)}.sock`);
    await expect(listenPrivately(server('a'), path)).rejects.toThrow('too long for a unix socket');
    expect(await readdir(directory)).toEqual([]);
  });
});
