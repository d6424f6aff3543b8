// Projects that want Redis, from folder to site: the server is there, keeps what it is given through
// releases and its own death, and goes with the app.
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serviceUid } from '../../packages/platform/src/domain/installation.ts';
import { volumesDirectory } from '../../packages/platform/src/ports/paths.ts';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import { COUNTER, DIGEST } from '../support/redis-projects.ts';
import { withFolder, type Files } from '../support/standing-site.ts';

let t: TestInstallation;

beforeAll(async () => {
  t = await sharedInstallation();
});

const deploy = async (app: string, files: Files) =>
  await withFolder(t, files, (folder) => t.mustTandem(['deploy', folder, '-a', app]));
const destroy = (app: string) => t.mustTandem(['destroy', '-a', app, '--confirm', app]);
const visit = async () => (await t.get('redis-counter', '/visit')).body;
const SOON = { timeout: 60_000 };

async function stateOf(app: string): Promise<string | undefined> {
  const processes = await t.client.listProcesses(app).catch(() => []);
  return processes.find(({ name }) => name === 'redis')?.state;
}

async function serverPid(app: string): Promise<number> {
  const uid = serviceUid(t.installation.slot, (await t.client.getApp(app)).id);
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  for (const pid of pids) {
    const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
    if (/^Name:\tredis-server$/m.test(status) && status.includes(`\nUid:\t${uid}\t`)) {
      return Number(pid);
    }
  }
  throw new Error(`no server of ${app}`);
}

describe('a Flask site that counts its visits in Redis', () => {
  const app = 'redis-counter';
  let volume: string;

  beforeAll(async () => {
    await deploy(app, COUNTER);
    volume = join(volumesDirectory(t.paths), String((await t.client.getApp(app)).id), 'redis');
  });

  it('counts on through a release and a rollback', async () => {
    expect(await visit()).toBe('visit 1');
    await deploy(app, { ...COUNTER, 'app.py': `${COUNTER['app.py']}\nprint("second")\n` });
    expect(await visit()).toBe('visit 2');
    expect((await t.get(app, '/code')).body).toBe('visits: 2');
    await t.mustTandem(['rollback', '-a', app]);
    expect(await visit()).toBe('visit 3');
  });

  it('counts on with the same server when the agent is killed', async () => {
    const before = await serverPid(app);
    process.kill(await t.pid('agent'), 'SIGKILL');
    await expect.poll(() => stateOf(app), SOON).toBe('running');
    expect(await serverPid(app)).toBe(before);
    expect(await visit()).toBe('visit 4');
  });

  it('counts on when the server is killed a second later', async () => {
    await sleep(1_500);
    const before = await serverPid(app);
    process.kill(before, 'SIGKILL');
    await expect.poll(() => serverPid(app).catch(() => before), SOON).not.toBe(before);
    await expect.poll(visit, SOON).toBe('visit 5');
  });

  it('shows its server and the log of it', async () => {
    await expect.poll(() => stateOf(app), SOON).toBe('running');
    const { stdout } = await t.mustTandem(['ps', '-a', app]);
    expect(stdout).toMatch(/^redis +- +\S+ +running/m);
    const { stdout: log } = await t.mustTandem(['logs', '-a', app, '-p', 'redis']);
    expect(log).toContain('Ready to accept connections');
  });

  it('is told when its server is full, and goes on', async () => {
    expect((await t.get(app, '/fill')).body).toMatch(
      /^OOM command not allowed|^command not allowed/,
    );
    expect(await visit()).toBe('visit 6');
  });

  it('takes server and data with it', async () => {
    await access(volume);
    await destroy(app);
    await expect(access(volume)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('a Django site whose settings name the hosts of a compose file', () => {
  const app = 'redis-digest';

  afterAll(() => destroy(app));

  it('has its cache, and its tasks run', async () => {
    const { stdout, stderr } = await deploy(app, DIGEST);
    expect(stdout + stderr).toContain('Live     v1');
    const posted = await t.request(app, '/', { method: 'POST', body: 'remember the milk' });
    expect(posted.body).toBe('note 1');
    const visits = [await t.get(app), await t.get(app)].map(({ body }) => {
      expect(body).toMatch(/^visit \d+: remember the milk$/);
      return parseInt(body.slice('visit '.length), 10);
    });
    expect(visits[1]).toBeGreaterThan(visits[0] ?? Infinity);
    const { stdout: log } = await t.mustTandem(['logs', '-a', app, '-p', 'worker']);
    expect(log).toContain('redis.internal:6379/2');
    expect(log).toMatch(/Task notes\.tasks\.write_note\[[^\]]+\] succeeded/);
  });
});
