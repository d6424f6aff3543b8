// The bundled CLI as its users start it, against a control server with a fake backend.
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TandemError, type DeployEvent, type LogLine } from '@tandem/protocol';
import { beforeEach, describe, expect, it } from 'vitest';
import { CliProcess, useCliBundle, type CliResult } from '../support/cli-process.ts';
import { eventually, useControlServer } from '../support/control-fixture.ts';
import {
  appSummary,
  deployEvents,
  deployStatus,
  finished,
  iterate,
} from '../support/fake-control-backend.ts';

const fixture = useControlServer();
const bundle = useCliBundle();
let folder: string;

beforeEach(async () => {
  folder = join(fixture.directory, 'bakery');
  await mkdir(folder);
  await writeFile(join(folder, 'app.py'), 'app = 1\n');
});

const begin = (args: readonly string[], input?: string, env: Record<string, string> = {}) =>
  new CliProcess(bundle(), args, {
    cwd: folder,
    env: { TANDEM_SOCKET: fixture.socketPath, ...env },
    ...(input === undefined ? {} : { input }),
  });
const tandem = (...args: string[]): Promise<CliResult> => begin(args).ended();

/** Events as a deploy that waits for the test: those given so far, then whatever comes. */
class LiveDeploy {
  readonly events: DeployEvent[] = [];
  #wake = Promise.withResolvers<void>();

  say(...bodies: Record<string, unknown>[]): void {
    const known = this.events.length;
    const all = deployEvents(...Array<Record<string, unknown>>(known).fill({}), ...bodies);
    this.events.push(...all.slice(known));
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async *from(from: number, signal: AbortSignal): AsyncGenerator<DeployEvent> {
    const gone = once(signal, 'abort');
    for (let at = from; !signal.aborted;) {
      const event = this.events[at];
      if (event) yield event;
      else await Promise.race([this.#wake.promise, gone]);
      if (event) at += 1;
      if (event?.type === 'finished') return;
    }
  }
}

function liveDeploy(): LiveDeploy {
  const live = new LiveDeploy();
  fixture.backend.deployEvents = (_app, _deploy, { from, signal }) => live.from(from, signal);
  return live;
}

const building = { type: 'phase', phase: 'build', state: 'done', detail: 'code 77ab01', ms: 1_300 };

describe('tandem deploy', () => {
  it('tells the way from folder to address, and links the folder', async () => {
    const { exitCode, stdout, stderr } = await tandem('deploy');
    expect([exitCode, stderr]).toEqual([0, '']);
    const lines = stdout.replaceAll(/ +\d+\.\d s$/gm, ' TIME').split('\n');
    expect(lines).toEqual([
      `Target   ${fixture.socketPath}, new app "bakery" (folder name; change: -a)`,
      expect.stringMatching(/^Upload {3}1 file, \d+ B TIME$/),
      'Build    code 77ab01 TIME',
      'Live     v1 http://bakery.localhost:8080 TIME',
      'Next     tandem manage createsuperuser',
      '',
    ]);
    const link = JSON.parse(
      await readFile(join(folder, '.tandem', 'link.json'), 'utf8'),
    ) as unknown;
    expect(link).toEqual({ app: 'bakery' });
    expect((await tandem('deploy')).stdout).toContain(', app "bakery"\n');
  });

  it('answers one document with --json, and every event with --events', async () => {
    const one = JSON.parse((await tandem('deploy', '--json')).stdout) as Record<string, unknown>;
    expect(one).toMatchObject({
      app: 'bakery',
      created: true,
      state: 'live',
      release: 1,
      phasesMs: { build: 1_300 },
      urls: ['http://bakery.localhost:8080'],
      upload: { files: 1 },
    });
    expect(one['totalMs']).toBeTypeOf('number');
    const { stdout } = await tandem('deploy', '--events');
    const types = stdout
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as DeployEvent).type);
    expect(types).toEqual(['phase', 'phase', 'finished']);
  });

  it('says what failed, where, what mends it and which release serves', async () => {
    fixture.backend.apps.set('site', appSummary('site', { release: 7 }));
    fixture.backend.events = deployEvents(
      building,
      finished(
        deployStatus({
          app: 'site',
          state: 'failed',
          release: 8,
          error: {
            code: 'HOST_REFUSED',
            message: 'Django refuses host "www.bakery.example"',
            where: 'settings.py:14',
            hint: 'tandem deploy --retry     (no rebuild)',
            log: 'tandem logs --release v8',
          },
        }),
      ),
    );
    const { exitCode, stderr } = await tandem('deploy', '-a', 'site');
    expect(exitCode).toBe(1);
    expect(stderr).toBe(
      [
        'Failed   HOST_REFUSED. v8 not released; v7 serves',
        '  What   Django refuses host "www.bakery.example"',
        '  Where  settings.py:14',
        '  Fix    tandem deploy --retry     (no rebuild)',
        '  Log    tandem logs --release v8',
        '',
      ].join('\n'),
    );
    const json = JSON.parse((await tandem('deploy', '-a', 'site', '--json')).stdout) as object;
    expect(json).toMatchObject({ state: 'failed', serving: 7, error: { code: 'HOST_REFUSED' } });
  });

  it('does not overwrite an app that only has the name of the folder', async () => {
    fixture.backend.apps.set('bakery', appSummary('bakery'));
    const { exitCode, stderr } = await tandem('deploy');
    expect([exitCode, stderr.split('\n')[0]]).toEqual([1, 'Failed   APP_NAME_TAKEN']);
    expect((await tandem('deploy', '-a', 'bakery')).exitCode).toBe(0);
    expect((await tandem('deploy')).exitCode).toBe(0);
  });

  it('goes on when the platform restarts in the middle', async () => {
    const live = liveDeploy();
    live.say(building);
    const cli = begin(['deploy']);
    await cli.shows('code 77ab01');
    await fixture.server.close();
    live.say({ type: 'phase', phase: 'start', state: 'done', detail: 'web.1', ms: 5 });
    await fixture.start();
    await cli.shows('web.1');
    live.say(finished(deployStatus()));
    const { exitCode, stdout } = await cli.ended();
    expect(exitCode).toBe(0);
    expect(stdout.match(/code 77ab01/g)).toHaveLength(1);
  });

  it('passes on Ctrl-C, waits, and says what serves', async () => {
    const live = liveDeploy();
    live.say(building);
    fixture.backend.cancelDeploy = async (app) => {
      live.say(finished(deployStatus({ app, state: 'cancelled', release: 2 })));
      return deployStatus({ app, state: 'running' });
    };
    const cli = begin(['deploy']);
    await cli.shows('code 77ab01');
    cli.interrupt();
    const { exitCode, stdout } = await cli.ended();
    expect(exitCode).toBe(130);
    expect(stdout).toContain('Cancel   asked for');
    expect(stdout).toMatch(/Cancelled v2 not released; nothing serves yet/);
  });

  it('leaves the deploy running after a second Ctrl-C', async () => {
    liveDeploy().say(building);
    const cli = begin(['deploy']);
    await cli.shows('code 77ab01');
    cli.interrupt();
    await cli.shows('Cancel');
    await eventually(() => expect(fixture.backend.calls).toEqual([['cancel', 'bakery', 1]]));
    cli.interrupt();
    const { exitCode, stdout } = await cli.ended();
    expect(exitCode).toBe(130);
    expect(stdout).toContain('Detached the deploy goes on; follow it: tandem deploys 1 --follow');
  });

  it('gives up an upload at Ctrl-C and leaves nothing', async () => {
    await writeFile(join(folder, 'big.bin'), Buffer.alloc(900_000));
    const asked = Promise.withResolvers<void>();
    fixture.backend.prepareDeploy = async () => {
      asked.resolve();
      return await new Promise(() => undefined);
    };
    const cli = begin(['deploy']);
    await asked.promise;
    cli.interrupt();
    const { exitCode, stderr } = await cli.ended();
    expect(stderr).toContain('The upload was interrupted; nothing was changed.');
    expect(exitCode).toBe(130);
    expect(await readdir(folder)).toEqual(['app.py', 'big.bin']);
  });

  it('retries without an upload, and can leave at once', async () => {
    expect((await tandem('deploy', '--retry', '-a', 'bakery')).exitCode).toBe(0);
    expect(fixture.backend.calls).toEqual([['retry', 'bakery']]);
    const { stdout } = await tandem('deploy', '-a', 'other', '--detach');
    expect(stdout).toContain('Started  deploy 1; follow it: tandem deploys 1 --follow -a other');
  });

  it('tells an upload that the platform refuses', async () => {
    const noise = Buffer.from(Array.from({ length: 1_300_000 }, () => Math.random() * 256));
    await writeFile(join(folder, 'noise.bin'), noise);
    const { exitCode, stderr } = await tandem('deploy');
    expect(stderr).toContain('UPLOAD_TOO_LARGE');
    expect(exitCode).toBe(1);
  });
});

describe('other commands', () => {
  it.each([
    [['apps'], 0],
    [['ps'], 2],
    [['ps', '-a', 'none'], 0],
    [['open', '-a', 'none'], 1],
    [['nonsense'], 2],
    [['ps', '--nonsense'], 2],
    [['doctor'], 1],
    [['status'], 0],
    [['--version'], 0],
  ])('%j ends with %i', async (args, exitCode) => {
    expect((await tandem(...args)).exitCode).toBe(exitCode);
  });

  it('end with 69 without a platform, and with 70 at a defect of it', async () => {
    const absent = await begin(['apps'], '', { TANDEM_SOCKET: '/nonexistent.sock' }).ended();
    expect(absent.exitCode).toBe(69);
    expect(absent.stderr).toContain('script/up');
    fixture.backend.listApps = async () => {
      throw new Error('oh');
    };
    expect((await tandem('apps')).exitCode).toBe(70);
  });

  it('answer errors as JSON too', async () => {
    const { stdout, stderr } = await tandem('open', '-a', 'none', '--json');
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'APP_NOT_FOUND' } });
    expect(JSON.parse((await tandem('bogus', '--json')).stdout)).toHaveProperty(
      'error.code',
      'USAGE',
    );
  });

  it('change config and scale in one release each', async () => {
    const secret = begin(['config:set', '--secret', 'KEY', '-a', 'x'], 'hidden\n');
    expect((await secret.ended()).stdout).toContain('Live');
    expect((await tandem('config', 'unset', 'A', 'B', '--stage', '-a', 'x')).stdout).toBe(
      'Config   A, B in "x", staged for the next deploy\n',
    );
    expect((await tandem('scale', 'web=2', '-a', 'x')).exitCode).toBe(0);
    expect(fixture.backend.calls).toEqual([
      ['config', 'x', { set: { KEY: 'hidden' }, unset: [], secret: true, stage: false }],
      ['config', 'x', { set: {}, unset: ['A', 'B'], secret: false, stage: true }],
      ['scale', 'x', { processes: { web: { count: 2 } } }],
    ]);
  });

  it('never show a secret', async () => {
    const { stdout } = await tandem('config', '-a', 'x');
    expect(stdout).toBe(
      ['NAME     VALUE      FROM', 'HOSTS    a.example  app', 'API_KEY  ********   app', ''].join(
        '\n',
      ),
    );
  });

  it('refuse a rollback past migrations with the way to force it', async () => {
    fixture.backend.rollback = async (_app, { force }) => {
      if (force) return { app: 'x', deploy: 1, created: false };
      throw new TandemError('ROLLBACK_PAST_MIGRATIONS', 'shop.0004 stays', {
        hint: 'tandem rollback v3 --force',
      });
    };
    const refused = await tandem('rollback', 'v3', '-a', 'x');
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      'Failed   ROLLBACK_PAST_MIGRATIONS\n  What   shop.0004 stays\n  Fix    tandem rollback v3 --force\n',
    ]);
    expect((await tandem('rollback', 'v3', '--force', '-a', 'x')).exitCode).toBe(0);
  });

  it('destroy only what was confirmed', async () => {
    fixture.backend.apps.set('x', appSummary('x'));
    expect((await tandem('destroy', '-a', 'x')).exitCode).toBe(1);
    expect((await tandem('destroy', '-a', 'x', '--confirm', 'y')).exitCode).toBe(1);
    expect(fixture.backend.apps.size).toBe(1);
    expect((await tandem('destroy', '-a', 'x', '--confirm', 'x')).exitCode).toBe(0);
    expect(fixture.backend.apps.size).toBe(0);
  });

  it('go on with the logs after a restart, no line twice and none lost', async () => {
    const line = (atMs: number, text: string): LogLine => ({
      atMs,
      process: 'web.1',
      release: 'v1',
      stream: 'stdout',
      text,
    });
    const all = [line(1, 'one'), line(2, 'two'), line(2, 'two'), line(2, 'three'), line(3, 'four')];
    let last = 3;
    fixture.backend.logs = async function* (_app, { sinceMs = 0 }, signal) {
      const gone = once(signal, 'abort');
      yield* all.slice(0, last).filter(({ atMs }) => atMs >= sinceMs);
      await gone;
    };
    const cli = begin(['logs', '-f', '-a', 'x', '--json']);
    await eventually(() => expect(cli.stdout.split('\n')).toHaveLength(4));
    last = 5;
    await fixture.server.close();
    await fixture.start();
    await cli.shows('four');
    cli.interrupt();
    expect((await cli.ended()).exitCode).toBe(130);
    const texts = cli.stdout
      .trim()
      .split('\n')
      .map((text) => (JSON.parse(text) as LogLine).text);
    expect(texts).toEqual(['one', 'two', 'two', 'three', 'four']);
  });

  it('print addresses, findings and help', async () => {
    fixture.backend.apps.set('x', appSummary('x'));
    expect((await tandem('open', '-a', 'x')).stdout).toBe('http://x.localhost:8080\n');
    expect((await tandem('detect')).stdout).toContain(
      'Project  framework django (manage.py:1): manage.py\nLater    known after the build',
    );
    expect((await tandem('detect', '-a', 'x')).stdout).toContain(
      'The build of v3 of "x" found:\nNeeds    database sqlite3 -> PostgreSQL: a file\n',
    );
    expect((await tandem('deploy', '--help')).stdout).toContain('Examples:');
  });

  it('end quietly when the reader of their pipe has enough', async () => {
    fixture.backend.logs = () =>
      iterate(
        Array.from({ length: 50_000 }, (_, index): LogLine => ({
          atMs: index,
          process: 'web.1',
          release: 'v1',
          stream: 'stdout',
          text: 'x'.repeat(100),
        })),
      );
    const cli = begin(['logs', '-a', 'x']);
    await once(cli.child.stdout!, 'data');
    cli.child.stdout?.destroy();
    const { exitCode, stderr } = await cli.ended();
    expect([exitCode, stderr]).toEqual([0, '']);
  });
});

describe('tandem run', () => {
  it('passes input, output and the exit code through a pipe', async () => {
    const cli = begin(['run', '-a', 'x', 'cat', '-n'], 'hello\n');
    expect(await cli.ended()).toEqual({ exitCode: 7, stdout: 'HELLO\n', stderr: '' });
    expect(fixture.backend.calls).toEqual([
      ['run', { command: ['cat', '-n'], terminal: false, columns: 0, rows: 0 }],
    ]);
  });

  it('ends with the error of the platform, or when the connection breaks', async () => {
    fixture.backend.run = async (_app, { signal }) => {
      await once(signal, 'abort');
      return 0;
    };
    const cli = begin(['run', '-a', 'x', 'sleep']);
    const ended = cli.ended();
    await new Promise((resolve) => setTimeout(resolve, 500));
    await fixture.server.close();
    expect((await ended).exitCode).toBe(69);
    await fixture.start();
    fixture.backend.run = async () => {
      throw new TandemError('APP_HAS_NO_RELEASE', 'nothing to run');
    };
    expect((await tandem('run', '-a', 'x', 'ls')).exitCode).toBe(1);
  });

  it('gives the command a terminal: its size, raw keys, resizes, and Ctrl-C', async () => {
    fixture.backend.run = async (_app, { request, stdin, output, onResize }) => {
      const { terminal, columns, rows, term } = request;
      output.write(`${JSON.stringify({ terminal, columns, rows, term })}\r\n`);
      const keys: number[] = [];
      const resized = new Promise<string>((resolve) =>
        onResize((size) => resolve(`${size.columns}x${size.rows}`)),
      );
      for await (const chunk of stdin as AsyncIterable<Buffer>) {
        keys.push(...chunk);
        if (keys.includes(3)) break;
        output.write('got keys\r\n');
      }
      output.write(`keys ${keys.join(',')} size ${await resized}\r\n`);
      return 9;
    };
    const script = join(import.meta.dirname, '../support/drive-terminal.py');
    const child = spawn(
      'python3',
      [script, process.execPath, bundle(), 'run', '-a', 'x', '--', 'sh'],
      { env: { ...process.env, TANDEM_SOCKET: fixture.socketPath, TERM: 'xterm' }, stdio: 'pipe' },
    );
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
    const [exitCode] = (await once(child, 'close')) as [number];
    expect(text).toContain('{"terminal":true,"columns":101,"rows":33,"term":"xterm"}');
    expect(text).toContain('keys 97,3 size 77x22');
    expect(text).toContain('terminal restored: True');
    expect(exitCode).toBe(9);
  });
});
