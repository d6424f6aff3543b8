// `tandem balancer` from a bundle that lies in a checkout, and from one that does not.
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { balancer } from '../../packages/cli/src/verbs/balancer.ts';
import { HELP } from '../../packages/platform/src/daemons/standalone-balancer/options.ts';
import { ask, httpBackend } from '../support/balancer-server.ts';
import { CliProcess, useCliBundle } from '../support/cli-process.ts';

const DAEMONS = join(import.meta.dirname, '../../packages/platform/src/daemons');

const bundle = useCliBundle();
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-cli-balancer-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const begin = (cli: string, ...args: string[]): CliProcess =>
  new CliProcess(cli, ['balancer', ...args], {
    cwd: directory,
    env: { NODE_OPTIONS: '--conditions=development' },
  });

/** A tree like a checkout: our bundle, and the daemon of the sources where the built one would lie. */
async function checkout(): Promise<string> {
  const cli = join(directory, 'packages/cli/dist/tandem.mjs');
  const daemon = join(directory, 'packages/platform/dist/daemons/standalone-balancer.js');
  await mkdir(dirname(cli), { recursive: true });
  await mkdir(dirname(daemon), { recursive: true });
  await copyFile(bundle(), cli);
  await writeFile(daemon, `import ${JSON.stringify(join(DAEMONS, 'standalone-balancer.ts'))};\n`);
  await writeFile(join(directory, 'package.json'), '{"type": "module"}');
  return cli;
}

describe('in a checkout', () => {
  it('becomes the balancer: pid, signals, exit status', async () => {
    const cli = await checkout();
    const backend = await httpBackend((_, response) => response.end('hello'));
    const upstreams = [`127.0.0.1:${backend.port}`];
    const routes = [{ host: 'a.test', upstreams }];
    await writeFile(join(directory, 'r.json'), JSON.stringify({ routes }));
    const where = ['--listen', '127.0.0.1:0', '--listen', '127.0.0.1:0'];
    const process = begin(cli, ...where, '--routes', 'r.json', '--workers=1', '--access-log=-');
    await expect
      .poll(() => process.stderr.match(/listening on 127\.0\.0\.1:\d+/g)?.length, {
        timeout: 20_000,
      })
      .toBe(2);
    const command = await readFile(`/proc/${process.child.pid}/cmdline`, 'utf8');
    expect(command).toContain('standalone-balancer.js');
    const port = Number(/listening on 127\.0\.0\.1:(\d+)/.exec(process.stderr)?.[1]);
    expect((await ask(port)).body).toBe('hello');
    process.interrupt();
    const { exitCode, stdout, stderr } = await process.ended();
    await backend.close();
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ host: 'a.test', status: 200 });
    expect(stderr).not.toContain('Warning');
  });

  it('passes on what the daemon refuses', async () => {
    const cli = await checkout();
    await writeFile(join(directory, 'r.json'), '{"routes": [}');
    expect(await begin(cli, '--check', '--routes', 'r.json').ended()).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('r.json:1:13: ') as string,
    });
    expect(await begin(cli, '--routes', 'r.json').ended()).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--listen ADDRESS:PORT is missing') as string,
    });
  });

  it('that is not built, says how to build it', async () => {
    const cli = await checkout();
    await rm(join(directory, 'packages/platform/dist'), { recursive: true });
    await writeFile(join(directory, 'packages/platform/package.json'), '{}');
    const { exitCode, stderr } = await begin(cli, '--routes', 'r.json').ended();
    expect(exitCode).toBe(1);
    expect(stderr).toContain(join(directory, 'script/bootstrap'));
  });
});

describe('without a platform on the machine', () => {
  it('says that it is missing and where it comes from', async () => {
    const { exitCode, stderr } = await begin(bundle(), '--routes', 'r.json').ended();
    expect(exitCode).toBe(1);
    expect(stderr).toContain('standalone-balancer.js is missing');
    expect(stderr).toContain('script/bootstrap');
  });

  it('refuses an option that it does not have, and names the one that was meant', async () => {
    const { exitCode, stderr } = await begin(bundle(), '--route', 'r.json').ended();
    expect(exitCode).toBe(2);
    expect(stderr).toContain('--routes');
  });
});

it('has the options of the daemon, no more and no less', () => {
  const ofDaemon = [...HELP.matchAll(/^ {2}(--[a-z-]+)/gm)].map(([, flag]) => flag);
  const ofCommand = balancer.options?.map(([syntax]) => syntax.split(' ')[0]) ?? [];
  expect([...ofCommand, '--help'].sort()).toEqual(ofDaemon.sort());
});
