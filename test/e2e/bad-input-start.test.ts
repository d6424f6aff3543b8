// A release that builds but does not come up: the deploy says why and the old release serves on.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sharedInstallation } from '../support/installation.ts';
import { StandingSite, withFolder, type Files, type Refusal } from '../support/standing-site.ts';
import { TINY_DJANGO, TINY_FLASK } from '../support/tiny-projects.ts';

type Case = readonly [name: string, changes: Files, refusal: Refusal];

/** Code that only an instance runs: the build has no TANDEM_RELEASE. */
const atStart = (...lines: readonly string[]): Files => ({
  'app.py': `import os

from flask import Flask

app = Flask(__name__)
if "TANDEM_RELEASE" in os.environ:
${lines.map((line) => `    ${line}\n`).join('')}

@app.get("/")
def index():
    return "bad"
`,
});
const procfile = (...lines: readonly string[]): Files => ({ Procfile: `${lines.join('\n')}\n` });
const index = (...lines: readonly string[]): Files => ({
  'app.py': `from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
${lines.map((line) => `    ${line}\n`).join('')}`,
});

const FLASK: readonly Case[] = [
  [
    'a crash',
    atStart('raise RuntimeError("no oven")'),
    { code: 'IMPORT_FAILED', what: /RuntimeError: no oven/, where: /^app\.py:7 /, fix: /deploy/ },
  ],
  [
    'a missing variable',
    atStart('os.environ["BAKERY_TOKEN"]'),
    {
      code: 'VARIABLE_MISSING',
      what: /BAKERY_TOKEN/,
      where: /^app\.py:7 /,
      fix: /tandem config set .*BAKERY_TOKEN=/,
    },
  ],
  [
    'a process that ends at once',
    procfile('web: python -c "print(1/1); raise SystemExit(3)"'),
    {
      code: 'CRASHED_AT_START',
      what: /web\.1 .*status 3.*"1\.0"/,
      where: /^Procfile:1 web: python/,
      fix: /deploy/,
    },
  ],
  [
    'a server that goes into the background',
    procfile('web: gunicorn --daemon app:app'),
    {
      code: 'CRASHED_AT_START',
      what: /web\.1 .*status 0/,
      where: /^Procfile:1 web: gunicorn --daemon/,
      fix: /foreground/,
    },
  ],
  [
    'a command that does not exist',
    procfile('web: gunicron app:app'),
    {
      code: 'CRASHED_AT_START',
      what: /no command "gunicron"/,
      where: /^Procfile:1 web:/,
      fix: /spelling/,
    },
  ],
  [
    'a server on localhost only',
    procfile('web: python -m http.server --bind 127.0.0.1 8000'),
    {
      code: 'PORT_LOCALHOST_ONLY',
      what: /localhost:8000/,
      where: /^Procfile:1 .*127\.0\.0\.1/,
      fix: /\$PORT/,
    },
  ],
  [
    'a server on another port',
    procfile('web: python -m http.server 5000'),
    {
      code: 'PORT_NOT_BOUND',
      what: /port 5000, not 8000/,
      where: /^Procfile:1 .*5000/,
      fix: /\$PORT/,
    },
  ],
  [
    'an error for every visitor',
    index('return 1 / len("")'),
    {
      code: 'PROBE_STATUS',
      what: /GET \/ answered 500: ZeroDivisionError: division by zero/,
      where: /^app\.py:8 return 1/,
      fix: /deploy/,
    },
  ],
  [
    'more memory than its limit',
    atStart('hoard = bytearray(700 * 1024 ** 2)', 'hoard[::4096] = b"x" * len(hoard[::4096])'),
    {
      code: 'OUT_OF_MEMORY',
      what: /512 M/,
      fix: /tandem scale -a start-flask web=:1024M\n.*--retry/,
    },
  ],
  [
    'a release command that fails',
    procfile('web: gunicorn app:app', 'release: python -c "raise SystemExit(4)"'),
    {
      code: 'RELEASE_COMMAND_FAILED',
      what: /raise SystemExit\(4\).* status 4/,
      where: /^Procfile:2 release: /,
      fix: /mend .*tandem deploy/,
    },
  ],
];

const migration = (operation: string): Files => ({
  'notes/migrations/0002_bad.py': `from django.db import migrations


def divide(apps, schema_editor):
    1 / 0


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [${operation}]
`,
});
const SETTINGS_WITH_HOSTS = `import os
${TINY_DJANGO['site_one/settings.py']}
DEBUG = False
ALLOWED_HOSTS = ["www.bakery.example"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ.get("PGDATABASE"),
        "USER": os.environ.get("PGUSER"),
        "PASSWORD": os.environ.get("PGPASSWORD"),
        "HOST": os.environ.get("PGHOST"),
    }
}
`;

const DJANGO: readonly Case[] = [
  [
    'a host that it refuses',
    { 'site_one/settings.py': SETTINGS_WITH_HOSTS, 'tandem.toml': 'overlay = false\n' },
    {
      code: 'HOST_REFUSED',
      what: /"start-django\.localhost"/,
      where: 'ALLOWED_HOSTS in site_one.settings',
      fix: /ALLOWED_HOSTS/,
    },
  ],
  [
    'a migration with an SQL error',
    migration('migrations.RunSQL("SELECT nothing FROM nowhere")'),
    {
      code: 'MIGRATION_FAILED',
      what: /notes\.0002_bad.*"nowhere" does not exist.*SQL: SELECT nothing FROM nowhere/s,
      where: 'notes/migrations/0002_bad.py',
      fix: /deploy/,
    },
  ],
  [
    'a migration that raises',
    migration('migrations.RunPython(divide)'),
    {
      code: 'MIGRATION_FAILED',
      what: /notes\.0002_bad.*ZeroDivisionError/,
      where: /^notes\/migrations\/0002_bad\.py:5 /,
      fix: /deploy/,
    },
  ],
  [
    'a migration that forgets its model',
    {
      'notes/models.py': `${TINY_DJANGO['notes/models.py']}    size = models.IntegerField()\n`,
      'site_one/urls.py': (TINY_DJANGO['site_one/urls.py'] ?? '').replace(
        'count()',
        'filter(size=1).count()',
      ),
    },
    {
      code: 'PROBE_STATUS',
      what: /500: .*ProgrammingError: column .*size does not exist/,
      where: /^site_one\/urls\.py:\d+ /,
      fix: /./,
    },
  ],
];

const t = await sharedInstallation();

describe('a Flask app', () => {
  let site: StandingSite;
  beforeAll(async () => {
    site = await StandingSite.deploy(t, 'start-flask', TINY_FLASK);
  });
  afterAll(() => site.destroy());

  it.each(FLASK)('does not come up with %s', async (_name, changes, refusal) => {
    const { log } = await site.refuses(changes, refusal);
    expect(log).toMatch(/^tandem logs -a start-flask --release v\d+/);
  });
});

describe('a first release that is too large for its size', () => {
  it('comes up once the size is changed as the error says, without a rebuild', async () => {
    const app = 'start-large';
    const files = {
      ...TINY_FLASK,
      ...procfile('web: gunicorn --workers 1 app:app'),
      ...atStart('hoard = bytearray(700 * 1024 ** 2)', 'hoard[::4096] = b"x" * len(hoard[::4096])'),
    };
    const refused = await withFolder(t, files, (folder) => t.tandem(['deploy', folder, '-a', app]));
    expect(refused.exitCode).toBe(1);
    expect(refused.stderr).toMatch(/OUT_OF_MEMORY\. v1 not released; nothing serves yet/);
    const fix = /Fix +tandem (scale .*)/.exec(refused.stderr)?.[1] ?? '';
    expect(fix).toBe(`scale -a ${app} web=:1024M`);
    const scaled = await t.mustTandem(fix.split(' '));
    expect(scaled.stdout).toMatch(/Live +v2/);
    expect(scaled.stdout).not.toContain('dependencies');
    expect((await t.get(app)).status).toBe(200);
    expect((await t.client.getApp(app)).formation).toMatchObject({
      web: { memoryBytes: 1024 * 1024 * 1024 },
    });
    await t.mustTandem(['destroy', '-a', app, '--confirm', app]);
  });
});

describe('a Django site', () => {
  let site: StandingSite;
  beforeAll(async () => {
    site = await StandingSite.deploy(t, 'start-django', TINY_DJANGO);
  });
  afterAll(() => site.destroy());

  it.each(DJANGO)('does not come up with %s', async (_name, changes, refusal) => {
    await site.refuses(changes, refusal);
  });
});
