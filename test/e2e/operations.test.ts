// The daily verbs on a running site, through the real command.
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigView, ProcessList, ReleaseList } from '@tandem/protocol';
import * as v from 'valibot';
import { findLeftovers } from '../../packages/platform/src/adapters/leftovers/find-leftovers.ts';
import { appDirectory, logsDirectory } from '../../packages/platform/src/ports/paths.ts';
import { sharedInstallation, type TestInstallation } from '../support/installation.ts';
import { ledger, migration, Workshop, type Files } from '../support/projects.ts';

const APP = 'daily';
const SHOWN_TIMEOUT_MS = 60_000;

const flask = (version: string): Files => ({
  'requirements.txt': 'flask==3.1.0\ngunicorn==23.0.0\n',
  Procfile: 'web: gunicorn -w 1 app:app\nworker: python worker.py\n',
  'app.py': `import os
from flask import Flask, request

app = Flask(__name__)
print("hello from ${version}", flush=True)


@app.get("/")
def index():
    if "visit" in request.args:
        print("visit " + request.args["visit"] + ".", flush=True)
    return "${version} " + os.environ.get("COLOUR", "none")
`,
  'worker.py': 'import time\nprint("working", flush=True)\nwhile True: time.sleep(1)\n',
});

let t: TestInstallation;
let workshop: Workshop;
let source: string;

const tandem = async (...args: string[]): Promise<string> =>
  (await t.mustTandem([...args, '-a', APP])).stdout;
const json = async <T>(schema: v.GenericSchema<unknown, T>, ...args: string[]): Promise<T> =>
  v.parse(schema, JSON.parse(await tandem(...args, '--json')));
const page = async (): Promise<string> => (await t.get(APP)).body;

beforeAll(async () => {
  t = await sharedInstallation();
  workshop = await Workshop.open();
  source = await workshop.write(APP, flask('one'));
  await tandem('deploy', source);
});
afterAll(async () => {
  await t.tandem(['destroy', '-a', APP, '--confirm', APP]);
  await workshop.close();
});

describe('config', () => {
  it('reaches the site in a release of its own', async () => {
    expect(await page()).toBe('one none');
    await tandem('config', 'set', 'COLOUR=red');
    expect(await page()).toBe('one red');
    await tandem('config:unset', 'COLOUR');
    expect(await page()).toBe('one none');
  });

  it('waits for the next deploy when it is staged', async () => {
    await tandem('config', 'set', '--stage', 'COLOUR=blue');
    expect(await page()).toBe('one none');
    expect((await json(ConfigView, 'config')).staged).toBe(true);
    await tandem('deploy', source);
    expect(await page()).toBe('one blue');
  });

  it('never shows a secret again', async () => {
    await tandem('config', 'set', '--stage', '--secret', 'TOKEN=hush-hush');
    expect(await tandem('config')).not.toContain('hush-hush');
    expect(await tandem('config', '--json')).not.toContain('hush-hush');
    const run = await t.mustTandem(['run', '-a', APP, '--', 'printenv', 'COLOUR']);
    expect(run.stdout).toBe('blue\n');
  });

  it('refuses what the platform owns, and unusable names', async () => {
    const refused = await t.tandem(['config', 'set', 'PORT=1', '-a', APP]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr + refused.stdout).toContain('CONFIG_KEY_INVALID');
  });
});

describe('processes', () => {
  it('are scaled up and down, each with a size', async () => {
    await tandem('scale', 'web=2', 'worker=1:96M');
    const { processes } = await json(ProcessList, 'ps');
    const running = processes.filter(({ state }) => state === 'running');
    expect(running.map(({ name }) => name)).toEqual(['web.1', 'web.2', 'worker.1']);
    expect(running.at(-1)?.memoryLimitBytes).toBe(96 * 1024 * 1024);
    await tandem('scale', 'web=1');
    expect(await page()).toContain('one');
  });

  it('say what they refuse, and why', async () => {
    const refused = await t.tandem(['scale', 'nothing=1', '-a', APP]);
    expect(refused.exitCode).toBe(1);
    expect(refused.stdout + refused.stderr).toMatch(/SCALE_INVALID[^]*nothing[^]*web, worker/);
  });

  it('are replaced by a restart', async () => {
    const before = await json(ProcessList, 'ps');
    const said = await tandem('restart');
    expect(said).toMatch(/^Live +http:/m);
    const after = await json(ProcessList, 'ps');
    const ids = ({ processes }: typeof before): string[] =>
      processes
        .filter(({ state }) => state === 'running')
        .map(({ instanceId }) => instanceId)
        .toSorted();
    expect(ids(after)).toHaveLength(2);
    expect(ids(after).some((id) => ids(before).includes(id))).toBe(false);
    expect(await tandem('ps', '--why')).toContain('web.1');
  });
});

describe('run', () => {
  it('passes input, output and exit code through', async () => {
    const cat = await t.mustTandem(['run', '-a', APP, '--', 'cat'], { input: 'some input\n' });
    expect(cat.stdout).toBe('some input\n');
    const failing = await t.tandem(['run', '-a', APP, '--', 'sh', '-c', 'exit 7']);
    expect(failing.exitCode).toBe(7);
  });

  it('keeps words as they are', async () => {
    const words = ['two words', "it's", '$HOME', '*'];
    const script = 'import sys; print(sys.argv[1:])';
    const { stdout } = await t.mustTandem([
      'run',
      '-a',
      APP,
      '--',
      'python',
      '-c',
      script,
      ...words,
    ]);
    expect(stdout.trim()).toBe(`['two words', "it's", '$HOME', '*']`);
  });

  it('is in a sandbox of its own', async () => {
    const { stdout } = await t.mustTandem(['run', '-a', APP, '--', 'sh', '-c', 'ls /proc; id -u']);
    expect(stdout).not.toMatch(/gunicorn/);
    expect(stdout.trim().split('\n').at(-1)).not.toBe('0');
  });
});

describe('logs and releases', () => {
  it('show what processes wrote and what visitors asked for, across deploys', async () => {
    await writeFile(join(source, 'app.py'), flask('two')['app.py'] ?? '');
    await tandem('deploy', source);
    await t.get(APP, '/somewhere-else');
    await expect
      .poll(() => tandem('logs', '-n', '500'), { timeout: 20_000 })
      .toContain('GET daily.localhost/somewhere-else 404');
    const lines = await tandem('logs', '-n', '5000');
    expect(lines).toContain('hello from one');
    expect(lines).toContain('hello from two');
    expect(lines).toContain('working');
    expect(await tandem('logs', '-p', 'worker')).not.toContain('hello');
  });

  it('go back and forth', async () => {
    expect(await page()).toContain('two');
    await tandem('rollback');
    expect(await page()).toContain('one');
    const { releases } = await json(ReleaseList, 'releases');
    expect(releases[0]).toMatchObject({ kind: 'rollback', current: true });
    const unknown = await t.tandem(['rollback', 'v999', '-a', APP]);
    expect(unknown.exitCode).toBe(1);
    expect(unknown.stdout + unknown.stderr).toContain('RELEASE_NOT_FOUND');
  });
});

describe('logs -f', () => {
  it('shows every line once, across a deploy and the death of the agent', async () => {
    const cli = t.startTandem(['logs', '-f', '-n', '1', '-p', 'web', '-a', APP]);
    await cli.shows('web.1');
    let visits = 0;
    const visit = async (): Promise<void> => {
      for (let n = 0; n < 5; n += 1) await t.get(APP, `/?visit=${(visits += 1)}`);
      await cli.shows(`visit ${visits}.`, SHOWN_TIMEOUT_MS);
    };
    await visit();
    await writeFile(join(source, 'app.py'), flask('three')['app.py'] ?? '');
    await tandem('deploy', source);
    await visit();
    process.kill(await t.pid('agent'), 'SIGKILL');
    await visit();

    cli.interrupt();
    const { exitCode, stdout } = await cli.ended();
    expect(exitCode).toBe(130);
    expect(stdout).toContain('hello from three');
    const shown = [...stdout.matchAll(/visit (\d+)\./g)].map(([, number]) => Number(number));
    expect(shown).toEqual(Array.from({ length: visits }, (_, index) => index + 1));
  });
});

describe('deploy --retry', () => {
  it('goes on after the build once what was missing is there', async () => {
    const before = await page();
    const check = 'import os, sys\nif "gunicorn" in sys.argv[0]: os.environ["NEEDED"]\n';
    await writeFile(join(source, 'app.py'), check + (flask('four')['app.py'] ?? ''));
    const failed = await t.tandem(['deploy', source, '-a', APP]);
    expect(failed.exitCode).toBe(1);
    expect(failed.stdout + failed.stderr).toMatch(/VARIABLE_MISSING[^]*NEEDED/);
    expect(await page()).toBe(before);
    await tandem('config', 'set', '--stage', 'NEEDED=1');
    const retried = await tandem('deploy', '--retry');
    expect(retried).not.toMatch(/Upload|dependencies/);
    expect(retried).toContain('Live');
    expect(await page()).toContain('four');
    const nothing = await t.tandem(['deploy', '--retry', '-a', APP]);
    expect(nothing.exitCode).toBe(1);
  });
});

describe('a rollback past a migration', () => {
  const SHOP = 'daily-ledger';

  it('names it and asks; --force goes back and leaves the schema', async () => {
    const shop = await workshop.write(SHOP, ledger('1'));
    await t.mustTandem(['deploy', shop, '-a', SHOP]);
    const names = await readdir(join(shop, 'entries/migrations'));
    const last =
      names
        .filter((name) => /^\d{4}_.*\.py$/.test(name))
        .toSorted()
        .at(-1) ?? '';
    const note = 'migrations.AddField("entry", "note", models.TextField(default=""))';
    await writeFile(
      join(shop, 'entries/migrations/0099_note.py'),
      migration([last.replace('.py', '')], note),
    );
    await t.mustTandem(['deploy', shop, '-a', SHOP]);
    const refused = await t.tandem(['rollback', '-a', SHOP]);
    expect(refused.exitCode).toBe(1);
    const said = refused.stdout + refused.stderr;
    expect(said).toMatch(/ROLLBACK_PAST_MIGRATIONS[^]*entries\.0099_note[^]*--force/);
    await t.mustTandem(['rollback', '-a', SHOP, '--force']);
    expect((await t.get(SHOP)).body).toContain('ledger 1');
    await t.mustTandem(['destroy', '-a', SHOP, '--confirm', SHOP]);
  });
});

describe('destroy', () => {
  const GONE = 'daily-gone';

  it('asks for the name, and then leaves nothing of the app', async () => {
    const gone = await workshop.write(GONE, flask('gone'));
    await t.mustTandem(['deploy', gone, '-a', GONE]);
    const { id } = (await t.client.listApps()).find(({ name }) => name === GONE) ?? { id: 0 };
    const refused = await t.tandem(['destroy', '-a', GONE, '--confirm', 'another']);
    expect(refused.exitCode).not.toBe(0);
    expect((await t.get(GONE)).status).toBe(200);
    await t.mustTandem(['destroy', '-a', GONE, '--confirm', GONE]);
    expect((await t.get(GONE)).status).toBe(404);
    const left = (await findLeftovers(t.mark)).filter((line) => line.includes(`a${id}-`));
    expect(left).toEqual([]);
    await expect(readdir(appDirectory(t.paths, id))).rejects.toThrow(/ENOENT/);
    await expect(readdir(join(logsDirectory(t.paths), String(id)))).rejects.toThrow(/ENOENT/);
  });
});
