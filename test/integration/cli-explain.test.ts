// `tandem detect --toml` and `tandem explain` as their users start them, against a fake backend.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { CliProcess, useCliBundle, type CliResult } from '../support/cli-process.ts';
import { useControlServer } from '../support/control-fixture.ts';

const fixture = useControlServer();
const bundle = useCliBundle();
let folder: string;

beforeEach(async () => {
  folder = join(fixture.directory, 'bakery');
  await mkdir(folder);
  await writeFile(join(folder, 'app.py'), 'app = 1\n');
});

const tandem = (...args: string[]): Promise<CliResult> =>
  new CliProcess(bundle(), args, {
    cwd: folder,
    env: { TANDEM_SOCKET: fixture.socketPath },
  }).ended();

describe('commands that tell why', () => {
  it('keep what is found in a tandem.toml, never over another one', async () => {
    expect((await tandem('detect', '--toml')).stdout).toBe('python = "3.12"\n');
    expect((await tandem('detect', '--write')).exitCode).toBe(2);
    expect((await tandem('detect', '--toml', '--write')).stdout).toMatch(
      /^Wrote .*tandem\.toml\n$/,
    );
    expect(await readFile(join(folder, 'tandem.toml'), 'utf8')).toBe('python = "3.12"\n');
    await writeFile(join(folder, 'tandem.toml'), 'python = "3.11"\n');
    const again = await tandem('detect', '--toml', '--write');
    expect([again.exitCode, again.stderr]).toEqual([
      1,
      expect.stringContaining('--force') as string,
    ]);
    expect(await readFile(join(folder, 'tandem.toml'), 'utf8')).toBe('python = "3.11"\n');
    await tandem('detect', '--toml', '--write', '--force');
    expect(await readFile(join(folder, 'tandem.toml'), 'utf8')).toBe('python = "3.12"\n');
  });

  it('explain what failed', async () => {
    const { stdout } = await tandem('explain', '-a', 'x', '--deploy', 'd1');
    expect(stdout).toBe('Deploy d1 is live.\n');
    const document = await tandem('explain', '-a', 'x', '--json');
    expect(JSON.parse(document.stdout)).toMatchObject({ app: 'x', state: 'live' });
    const both = await tandem('explain', '-a', 'x', '--deploy', '1', '--release', 'v1');
    expect(both.exitCode).toBe(2);
  });
});
