// A hostile app against files: its own code, the host's, and those of other apps.
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSandboxFixture, type SandboxFixture } from '../support/sandbox-fixture.ts';

describe('a hostile app and files', () => {
  let fixture: SandboxFixture;
  beforeAll(async () => {
    fixture = await createSandboxFixture();
  });
  afterAll(async () => {
    await fixture.close();
  });

  it('finds nothing of the host in its tree', async () => {
    const { output } = await fixture.run(
      'ls /run /run/tandem /home /root /var/lib/tandem /work /mnt 2>/dev/null; find / -xdev -name store.sqlite',
    );
    expect(output).not.toMatch(/store\.sqlite|control\.sock|netns|docker/);
    expect((await fixture.run('cat /proc/1/root/etc/hostname')).output).not.toContain('vm\n');
  });

  it('has its own scratch disk and shared memory', async () => {
    const first = fixture.spec('echo mine > /tmp/f; echo mine > /dev/shm/f; sleep 60');
    const holder = await fixture.sandbox.start(first);
    const { output } = await fixture.run('ls -A /tmp /dev/shm');
    expect(output).toBe('/dev/shm:\n\n/tmp:\n');
    await holder.remove();
  });

  it('fills its own disk only', async () => {
    const full = 'dd if=/dev/zero of=/tmp/f bs=1M 2>&1 | grep -o "No space"; echo left > /dev/null';
    expect((await fixture.run(full)).output).toBe('No space\n');
    expect(
      (await fixture.run('dd if=/dev/zero of=/tmp/f bs=1M count=5 2>/dev/null && echo room'))
        .output,
    ).toBe('room\n');
  });

  it('writes to a volume that is its own, and not to one given read-only', async () => {
    const volume = join(fixture.paths.data, 'volume');
    await mkdir(volume);
    await chmod(volume, 0o777);
    const at = (readOnly: boolean) => ({
      mounts: [{ source: volume, target: '/media/files', readOnly }],
    });
    expect((await fixture.run('echo x > /media/files/f && echo wrote', at(false))).output).toBe(
      'wrote\n',
    );
    expect(await readFile(join(volume, 'f'), 'utf8')).toBe('x\n');
    const refused = await fixture.run('echo y > /media/files/g', at(true));
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('Read-only');
  });

  it('makes no device node and no setuid file that counts, on a volume either', async () => {
    const volume = join(fixture.paths.data, 'volume2');
    await mkdir(volume);
    await chmod(volume, 0o777);
    const script =
      'cp /bin/sh /media/v/sh; chmod 6755 /media/v/sh; /media/v/sh -c "id -u"; mknod /media/v/d b 8 0';
    const mounts = [{ source: volume, target: '/media/v', readOnly: false }];
    const { output } = await fixture.run(script, { mounts });
    expect(output).toContain(`${fixture.spec('').uid}\n`);
    await expect(stat(join(volume, 'd'))).rejects.toThrow(/ENOENT/);
  });

  it('does not lead the platform astray with links in a volume', async () => {
    const volume = join(fixture.paths.data, 'volume3');
    await mkdir(volume);
    await symlink('/etc', join(volume, 'link'));
    const mounts = [{ source: volume, target: '/media/v', readOnly: false }];
    const { output } = await fixture.run('cat /media/v/link/hostname', { mounts });
    // The link is followed inside: to the sandbox's own /etc.
    expect(output).toBe('web-1\n');
  });

  it('receives a result file to write, and nothing around it', async () => {
    const result = join(fixture.paths.data, 'result');
    await writeFile(result, '');
    await chmod(result, 0o666);
    const mounts = [{ source: result, target: '/run/tandem/result', readOnly: false }];
    const { output } = await fixture.run(
      'echo 42 > /run/tandem/result; echo z > /run/tandem/other',
      { mounts },
    );
    expect(output).toContain('Read-only');
    expect(await readFile(result, 'utf8')).toBe('42\n');
  });

  it("does not reach the platform's sockets, by path or by abstract name", async () => {
    const path = join(fixture.paths.run, 'control.sock');
    const name = `\0tandem-test-${fixture.installation.id}`;
    const servers = [path, name].map((at) => createServer((socket) => socket.end('x')).listen(at));
    await Promise.all(servers.map((server) => once(server, 'listening')));
    const script = `
import socket
for at in (${JSON.stringify(path)}, '\\0tandem-test-${fixture.installation.id}'):
    try: socket.socket(socket.AF_UNIX).connect(at); print('connected')
    except OSError as e: print(type(e).__name__)
`;
    const { output } = await fixture.run('', { args: ['/usr/bin/python3', '-c', script] });
    expect(output).toBe('FileNotFoundError\nConnectionRefusedError\n');
    for (const server of servers) server.close();
  });

  it('does not find its config on a disk that others can read', async () => {
    const secret = { env: { PATH: '/usr/bin:/bin', SECRET: 'hidden' } };
    const process = await fixture.sandbox.start(fixture.spec('sleep 60', secret));
    const directory = join(fixture.paths.run, 'sandboxes', process.id);
    expect((await stat(directory)).mode & 0o077).toBe(0);
    expect((await stat(join(directory, 'config.json'))).mode & 0o077).toBe(0);
    expect((await stat(join(fixture.paths.run, 'crun'))).mode & 0o077).toBe(0);
    await process.remove();
  });
});
