// Ctrl-C in each phase of a deploy, and two deploys of one app at once.
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlSocket } from '../../packages/platform/src/ports/paths.ts';
import { CliProcess, type CliResult } from '../support/cli-process.ts';
import { sharedInstallation } from '../support/installation.ts';
import { StandingSite, withFolder, type Files } from '../support/standing-site.ts';
import { TINY_DJANGO, TINY_FLASK } from '../support/tiny-projects.ts';

const BUNDLE = join(import.meta.dirname, '../../packages/cli/dist/tandem.js');
/** Longer than a cancelled deploy may take. */
const FOREVER_S = 300;
const BETWEEN_MS = 1_000;

const t = await sharedInstallation();

const importing = (line: string): Files => ({
  'app.py': `import os, time\n${line}\n${TINY_FLASK['app.py']}`,
});
const migrating = (operation: string): Files => ({
  'notes/migrations/0002_long.py': `import time

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [${operation}]
`,
});

/** Starts a deploy, waits until the CLI shows `shown` and a moment more, and presses Ctrl-C. */
async function interruptAfter(shown: string, folder: string, app: string): Promise<CliResult> {
  const env = { TANDEM_SOCKET: controlSocket(t.paths), HOME: t.place.dataRoot, LANG: 'C.UTF-8' };
  const cli = new CliProcess(BUNDLE, ['deploy', folder, '-a', app], { cwd: folder, env });
  await cli.shows(shown);
  await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  cli.interrupt();
  return await cli.ended();
}

async function expectCancelled(site: StandingSite, changes: Files, shown: string): Promise<void> {
  const beganMs = Date.now();
  const { result, failedVisits } = await site.deployVisited(changes, (folder) =>
    interruptAfter(shown, folder, site.app).then((ended) => ({
      ...ended,
      exitCode: ended.exitCode ?? -1,
    })),
  );
  expect(result.exitCode, result.stdout + result.stderr).toBe(130);
  expect(result.stdout).toMatch(/Cancel +asked for[^]*Cancelled +.*v\d+ serves/);
  expect(failedVisits).toEqual([]);
  await site.expectUntouched();
  expect((await t.client.listDeploys(site.app))[0]).toMatchObject({ state: 'cancelled' });
  expect(Date.now() - beganMs).toBeLessThan(60_000);
}

describe('Ctrl-C', () => {
  let flask: StandingSite;
  let django: StandingSite;
  beforeAll(async () => {
    flask = await StandingSite.deploy(t, 'cancel-flask', TINY_FLASK);
    django = await StandingSite.deploy(t, 'cancel-django', TINY_DJANGO);
  });
  afterAll(async () => {
    await flask.destroy();
    await django.destroy();
  });

  it('ends a build', async () => {
    await expectCancelled(flask, importing(`time.sleep(${FOREVER_S})`), 'dependencies 9 packages');
  });

  it('ends a migration that runs code, and one that runs a statement', async () => {
    const code = `migrations.RunPython(lambda *_: time.sleep(${FOREVER_S}))`;
    await expectCancelled(django, migrating(code), 'Release');
    const statement = `migrations.RunSQL("SELECT pg_sleep(${FOREVER_S})")`;
    await expectCancelled(django, migrating(statement), 'Release');
    // Neither left its lock or a half-made schema behind.
    await django.deployGood(migrating('migrations.RunSQL("CREATE TABLE done (id int)")'));
  });

  it('ends a start', async () => {
    const line = `if "TANDEM_RELEASE" in os.environ: time.sleep(${FOREVER_S})`;
    await expectCancelled(flask, importing(line), 'Release');
  });
});

describe('two deploys of one app', () => {
  it('at once: the second is refused and the first goes live', async () => {
    const site = await StandingSite.deploy(t, 'twice', TINY_FLASK);
    await withFolder(t, { ...TINY_FLASK, ...importing('time.sleep(3)') }, async (folder) => {
      const first = t.mustTandem(['deploy', folder, '-a', site.app]);
      await expect
        .poll(async () => (await t.client.getApp(site.app)).state, { timeout: 10_000 })
        .toBe('deploying');
      const second = await t.tandem(['deploy', folder, '-a', site.app]);
      expect(second.exitCode).toBe(1);
      expect(second.stderr).toMatch(
        /DEPLOY_IN_PROGRESS[^]*d2 of app "twice"[^]*Fix +tandem deploys 2 --follow -a twice/,
      );
      expect((await first).stdout).toMatch(/Live +v2/);
    });
    const deploys = await t.client.listDeploys(site.app);
    expect(deploys.map(({ state }) => state)).toEqual(['live', 'live']);
    await site.destroy();
  });

  it('of a name that is new: one of them makes it', async () => {
    await withFolder(t, TINY_FLASK, async (folder) => {
      const both = [0, 1].map(() => t.tandem(['deploy', folder, '-a', 'newcomer']));
      const results = await Promise.all(both);
      const codes = results.map(({ exitCode }) => exitCode).toSorted();
      expect(codes, JSON.stringify(results)).toEqual([0, 1]);
      const refused = results.find(({ exitCode }) => exitCode === 1);
      expect(refused?.stderr).toMatch(/DEPLOY_IN_PROGRESS|APP_NAME_TAKEN/);
      expect((await t.get('newcomer')).body).toBe('good');
      await t.mustTandem(['destroy', '-a', 'newcomer', '--confirm', 'newcomer']);
    });
  });
});
