// `tandem login ssh://...` through a real sshd to a control socket behind it.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startControlServer } from '../../packages/platform/src/nexus/control/control-server.ts';
import { CliProcess, useCliBundle } from '../support/cli-process.ts';
import { eventually, useControlServer } from '../support/control-fixture.ts';
import {
  appSummary,
  deployEvents,
  deployStatus,
  finished,
} from '../support/fake-control-backend.ts';
import { SshServer } from '../support/ssh-server.ts';

const fixture = useControlServer();
const bundle = useCliBundle();
let ssh: SshServer;
let folder: string;
let installation: string;
let config: string;
let closeRemote: () => Promise<void>;

beforeEach(async () => {
  folder = join(fixture.directory, 'site');
  await mkdir(folder);
  await writeFile(join(folder, 'app.py'), '');
  ssh = await SshServer.start(join(fixture.directory, 'ssh'));
  config = join(fixture.directory, 'config');
  installation = `test-${randomBytes(4).toString('hex')}`;
  await mkdir(`/run/tandem/${installation}`, { recursive: true, mode: 0o700 });
  const remote = await startControlServer({
    socketPath: `/run/tandem/${installation}/control.sock`,
    backend: fixture.backend,
    onDefect: () => undefined,
  });
  closeRemote = () => remote.close();
});

afterEach(async () => {
  await closeRemote();
  await ssh.stop();
  await rm(`/run/tandem/${installation}`, { recursive: true });
});

const begin = (...args: string[]) =>
  new CliProcess(bundle(), args, {
    cwd: folder,
    env: { XDG_CONFIG_HOME: config, TANDEM_SSH_CONFIG: ssh.clientConfig },
  });
const tandem = (...args: string[]) => begin(...args).ended();
const login = () => tandem('login', ssh.url, '--on', 'lab', '--installation', installation);

/** Tunnels of this test's sshd, by the port that stands in their arguments. */
function tunnels(): string[] {
  const processes = execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' }).split('\n');
  return processes.filter((line) => line.includes('ssh -F') && line.includes(`-p ${ssh.port} `));
}

describe('tandem login', () => {
  it('stores a context for the user alone, and uses it from then on', async () => {
    const { exitCode, stdout, stderr } = await login();
    expect([exitCode, stderr]).toEqual([0, '']);
    expect(stdout).toBe(`Login    lab (${ssh.url}), Tandem 0.1.0; used from here on\n`);
    const file = join(config, 'tandem', 'contexts.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({
      current: 'lab',
      contexts: { lab: { url: ssh.url, installation } },
    });
    fixture.backend.apps.set('far', appSummary('far'));
    expect((await tandem('apps')).stdout).toContain('far');
    expect((await tandem('login', 'local')).exitCode).toBe(0);
    expect((await tandem('apps', '--on', 'lab')).stdout).toContain('far');
    expect((await tandem('login')).stdout).toContain('*  local');
    expect(tunnels()).toEqual([]);
  });

  it('deploys through the tunnel, and remembers where', async () => {
    await login();
    const { exitCode, stdout } = await tandem('deploy');
    expect([exitCode, stdout.split('\n')[0]]).toEqual([
      0,
      'Target   lab, new app "site" (folder name; change: -a)',
    ]);
    const link = JSON.parse(
      await readFile(join(folder, '.tandem', 'link.json'), 'utf8'),
    ) as unknown;
    expect(link).toEqual({ app: 'site', on: 'lab' });
  });

  it('stores nothing when the platform does not answer', async () => {
    const absent = await tandem('login', ssh.url, '--installation', 'absent');
    expect(absent.exitCode).toBe(69);
    await writeFile(join(fixture.directory, 'ssh', 'authorized_keys'), '');
    const refused = await login();
    expect(refused.exitCode).toBe(69);
    expect(refused.stderr).toMatch(/Permission denied/);
    expect(refused.stderr).toContain(`ssh -p ${ssh.port} `);
    await expect(stat(join(config, 'tandem'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect((await tandem('login', 'ssh://-oProxyCommand=x')).exitCode).toBe(2);
  });
});

describe('the tunnel', () => {
  it('is opened again when it breaks in the middle of a deploy', async () => {
    await login();
    const building = { type: 'phase', phase: 'build', state: 'done', detail: 'code 77ab01', ms: 5 };
    const events = deployEvents(building, finished(deployStatus({ app: 'site' })));
    const release = Promise.withResolvers<void>();
    fixture.backend.deployEvents = async function* (_app, _deploy, { from }) {
      if (from === 0) yield events[0]!;
      await release.promise;
      yield events[1]!;
    };
    const cli = begin('deploy');
    await cli.shows('code 77ab01');
    const [pid] = tunnels().map((line) => Number.parseInt(line.trim(), 10));
    process.kill(pid!, 'SIGKILL');
    await eventually(() =>
      expect(tunnels().filter((line) => !line.includes(` ${pid} `))).toHaveLength(1),
    );
    release.resolve();
    const { exitCode, stdout } = await cli.ended();
    expect(exitCode).toBe(0);
    expect(stdout).toContain('Live');
    expect(tunnels()).toEqual([]);
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('ends with its command at %s', async (signal, exitCode) => {
    await login();
    fixture.backend.logs = async function* (_app, _query, gone) {
      yield { atMs: 1, process: 'web.1', release: 'v1', stream: 'stdout', text: 'hello' };
      await once(gone, 'abort');
    };
    const cli = begin('logs', '-f', '-a', 'site');
    await cli.shows('hello');
    expect(tunnels()).toHaveLength(1);
    cli.child.kill(signal);
    expect((await cli.ended()).exitCode).toBe(exitCode);
    await eventually(() => expect(tunnels()).toEqual([]));
  });
});
