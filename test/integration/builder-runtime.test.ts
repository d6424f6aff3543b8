// Our helpers inside real interpreters: the oldest and the newest Python and Django on hand.
import { randomUUID } from 'node:crypto';
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listInterpreters } from '../../packages/platform/src/adapters/interpreters/list-interpreters.ts';
import { STACK_FACTS } from '../../packages/platform/src/adapters/stacks/recipe.ts';
import {
  runCommand,
  runToExit,
  type CommandResult,
} from '../../packages/platform/src/lib/run-command.ts';
import { UV_PATH } from '../support/builder-fixture.ts';

const RUNTIME = fileURLToPath(new URL('../../packages/platform/python', import.meta.url));
const POSTGRESQL = '/usr/lib/postgresql/15/bin';
const NOBODY = 65_534;

let root: string;
const interpreters = await pythons();

async function pythons(): Promise<string[]> {
  const search = { pyenvRoots: [join(homedir(), '.pyenv')], uvRoots: [], stack: STACK_FACTS };
  const found = await listInterpreters(search);
  return found.map(({ prefix, version }) =>
    prefix === '/usr' ? '/usr/bin/python3' : `${prefix}/bin/python${version.replace(/\.\d+$/, '')}`,
  );
}

beforeAll(async () => {
  root = await mkdtemp('/var/tmp/tandem-runtime-');
  await runCommand(['chmod', '755', root], { timeoutMs: 5_000 });
});
afterAll(() => rm(root, { recursive: true }));

describe('the overlay', () => {
  it.each(interpreters)('%s', async (python) => {
    const argv = [python, '-B', '-m', 'unittest', 'discover', '-s', 'tests', '-t', '.'] as const;
    const result = await runToExit([...argv], { cwd: RUNTIME, timeoutMs: 30_000 });
    expect(result.stderr).toMatch(/\nOK\n/);
    expect(result.exitCode).toBe(0);
  });
});

const combinations: [string, string, string, string][] = [
  ['the oldest', interpreters.at(-1) ?? '', 'django~=3.2.0', 'psycopg2-binary'],
  ['the newest', interpreters[0] ?? '', 'django', 'psycopg[binary]'],
];

describe.each(combinations)('migrations, %s', (_name, python, django, driver) => {
  let directory: string;
  let server: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(root, 'site-'));
    await runCommand(['chmod', '755', directory], { timeoutMs: 5_000 });
    const env = {
      PATH: '/usr/bin:/bin',
      HOME: root,
      SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
      UV_PYTHON_DOWNLOADS: 'never',
      UV_CACHE_DIR: join(root, 'uv'),
    };
    const venv = join(directory, 'venv');
    await runCommand([UV_PATH, 'venv', '--python', python, venv], { timeoutMs: 60_000, env });
    const install = ['pip', 'install', '--python', join(venv, 'bin/python'), django, driver];
    await runCommand([UV_PATH, ...install], { timeoutMs: 120_000, env });
    await runCommand([join(venv, 'bin/django-admin'), 'startproject', 'site1', '.'], {
      timeoutMs: 30_000,
      cwd: directory,
    });
    await mkdir(join(directory, 'shop/migrations'), { recursive: true });
    for (const path of ['shop/__init__.py', 'shop/migrations/__init__.py'])
      await writeFile(join(directory, path), '');
    await writeFile(
      join(directory, 'tandem_settings.py'),
      'from tandem_runtime import overlay\noverlay.load(globals(), "site1.settings")\nINSTALLED_APPS += ["shop"]\n',
    );
    server = join(directory, 'pg');
    await mkdir(server);
    await chown(server, NOBODY, NOBODY);
    await asPostgres(['initdb', '-D', join(server, 'data'), '-U', 'app', '--auth', 'trust']);
    await asPostgres([
      'pg_ctl',
      '-D',
      join(server, 'data'),
      '-o',
      `-h '' -k ${server}`,
      '-l',
      join(server, 'log'),
      '-w',
      'start',
    ]);
  }, 240_000);
  afterAll(() =>
    asPostgres(['pg_ctl', '-D', join(server, 'data'), '-m', 'immediate', '-w', 'stop']),
  );

  async function asPostgres([file, ...args]: [string, ...string[]]): Promise<void> {
    const argv = [
      'setpriv',
      '--reuid',
      String(NOBODY),
      '--regid',
      String(NOBODY),
      '--clear-groups',
      join(POSTGRESQL, file),
    ];
    await runCommand([...argv, ...args] as [string, ...string[]], {
      timeoutMs: 60_000,
      cwd: server,
    });
  }

  async function migrate(): Promise<CommandResult & { result: Record<string, unknown> }> {
    const report = join(directory, `result-${randomUUID()}.json`);
    const done = await runToExit(
      [join(directory, 'venv/bin/python'), '-m', 'tandem_runtime.migrate'],
      {
        timeoutMs: 60_000,
        cwd: directory,
        env: {
          PATH: '/usr/bin:/bin',
          PYTHONPATH: RUNTIME,
          PYTHONDONTWRITEBYTECODE: '1',
          DJANGO_SETTINGS_MODULE: 'tandem_settings',
          DATABASE_URL: `postgresql://app@${encodeURIComponent(server)}/postgres`,
          TANDEM_RESULT: report,
        },
      },
    );
    return {
      ...done,
      result: JSON.parse(await readFile(report, 'utf8')) as Record<string, unknown>,
    };
  }

  it('are applied and reported, once', async () => {
    const first = await migrate();
    expect(first.exitCode).toBe(0);
    expect(first.result['newly']).toContain('auth.0001_initial');
    const second = await migrate();
    expect(second.result).toEqual({ applied: first.result['applied'], newly: [] });
  });

  it('of two at once, one waits for the other', async () => {
    const operations = 'migrations.RunSQL("CREATE TABLE once (id int); SELECT pg_sleep(1)")';
    await migration('0001_once', operations);
    const [one, other] = await Promise.all([migrate(), migrate()]);
    expect([one.exitCode, other.exitCode]).toEqual([0, 0]);
    const newly = [one, other].flatMap(({ result }) => result['newly'] as string[]);
    expect(newly).toEqual(['shop.0001_once']);
  });

  it('that fail are named, with the statement, and leave the rest applied', async () => {
    await migration(
      '0002_broken',
      'migrations.RunSQL("ALTER TABLE nowhere ADD x int")',
      '0001_once',
    );
    const { exitCode, result } = await migrate();
    expect(exitCode).toBe(1);
    expect(result['error']).toMatchObject({
      migration: 'shop.0002_broken',
      sql: 'ALTER TABLE nowhere ADD x int',
      message: expect.stringContaining('nowhere') as string,
    });
    expect(result['applied']).toContain('shop.0001_once');
    expect(result['newly']).toEqual([]);
  });

  async function migration(name: string, operation: string, after?: string): Promise<void> {
    const dependencies = after === undefined ? '[]' : `[("shop", "${after}")]`;
    const text = `from django.db import migrations\nclass Migration(migrations.Migration):\n    dependencies = ${dependencies}\n    operations = [${operation}]\n`;
    await writeFile(join(directory, `shop/migrations/${name}.py`), text);
  }
});
