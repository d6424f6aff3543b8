// Projects that want Redis, from folder to site: the server is there, keeps what it is given through
// releases and its own death, and goes with the app.
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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
const redisOf = async (app: string) =>
  (await t.client.listProcesses(app)).find(({ name }) => name === 'redis');

describe('a Flask site that counts its visits in Redis', () => {
  const app = 'redis-counter';
  let volume: string;

  beforeAll(async () => {
    await deploy(app, COUNTER);
    volume = join(volumesDirectory(t.paths), String((await t.client.getApp(app)).id), 'redis');
  });

  it('counts on through a release and a rollback', async () => {
    expect((await t.get(app)).body).toBe('visit 1');
    await deploy(app, { ...COUNTER, 'app.py': `${COUNTER['app.py']}\nprint("second")\n` });
    expect((await t.get(app)).body).toBe('visit 2');
    expect((await t.get(app, '/code')).body).toBe('visits: 2');
    await t.mustTandem(['rollback', '-a', app]);
    expect((await t.get(app)).body).toBe('visit 3');
  });

  it('counts on when the agent and the server are killed', async () => {
    const before = await redisOf(app);
    process.kill(await t.pid('agent'), 'SIGKILL');
    await expect.poll(async () => (await redisOf(app))?.state, { timeout: 60_000 }).toBe('running');
    expect((await redisOf(app))?.instanceId).toBe(before?.instanceId);
    expect((await t.get(app)).body).toBe('visit 4');
  });

  it('shows its server and the log of it', async () => {
    const { stdout } = await t.mustTandem(['ps', '-a', app]);
    expect(stdout).toMatch(/^redis +- +\S+ +running/m);
    const { stdout: log } = await t.mustTandem(['logs', '-a', app, '-p', 'redis']);
    expect(log).toContain('Ready to accept connections');
  });

  it('is told when its server is full, and goes on', async () => {
    expect((await t.get(app, '/fill')).body).toMatch(
      /^OOM command not allowed|^command not allowed/,
    );
    expect((await t.get(app)).body).toBe('visit 5');
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
    expect((await t.get(app)).body).toBe('visit 1: remember the milk');
    expect((await t.get(app)).body).toBe('visit 2: remember the milk');
    const { stdout: log } = await t.mustTandem(['logs', '-a', app, '-p', 'worker']);
    expect(log).toContain('redis.internal:6379/2');
    expect(log).toMatch(/Task notes\.tasks\.write_note\[[^\]]+\] succeeded/);
  });
});
