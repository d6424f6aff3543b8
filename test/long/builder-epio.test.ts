// Projects as they were deployed in 2011, with epio.ini and bundle_config, on packages of today.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createBuilderFixture,
  type BuilderFixture,
  type Built,
} from '../support/builder-fixture.ts';

let fixture: BuilderFixture;
beforeAll(async () => {
  fixture = await createBuilderFixture();
});
afterAll(() => fixture.close());

const SERVICES = {
  DATABASE_URL: 'postgresql://bakery:s3cret@pg.internal:5433/orders',
  REDIS_URL: 'redis://:key@redis.internal:7000/0',
  TANDEM_RELEASE: 'v3',
  TANDEM_HOSTS: 'test.localhost',
};
const said = (built: Built): string[] =>
  built.findings.map(({ rule, value, evidence }) => `${evidence ?? ''} ${rule} ${value}`);

/** Starts the web process and gives what it answers at `/`. */
const askWeb = ({ image }: Built): string => `
(${image.processTypes['web']?.command ?? 'false'}) >/tmp/server.log 2>&1 &
python - <<'PY' || cat /tmp/server.log
import sys, time, urllib.error, urllib.request
request = urllib.request.Request("http://[::1]:8000/", headers={"Host": "test.localhost"})
for _ in range(150):
    try:
        answer = urllib.request.urlopen(request, timeout=5)
    except urllib.error.HTTPError as error:
        answer = error
    except OSError:
        time.sleep(0.1)
        continue
    print(answer.status, answer.read().decode()[:2000])
    sys.exit(0)
sys.exit(1)
PY`;

describe('a Django site of the ep.io system', () => {
  let built: Built;
  beforeAll(async () => {
    built = await fixture.build(
      await fixture.packFiles({
        'epio.ini': `# Documentation for the options is available at www.ep.io/docs/epioini/
[wsgi]
requirements = deps/epio.txt
pythonpath = shop/apps/

[checkout]
directory_name = bakery

[django]
base = ./shop/

[services]
postgres = true

[symlinks]
shop/shop_config.py = conf/epio.py

[env]
IN_PRODUCTION = true
DJANGO_SETTINGS_MODULE = production_settings

[static]
/static/admin = %(django_admin_media)s/
/media = %(data_directory)s/media/

[process-mailer]
command = python send_mail.py -n mailer.%(app_id)s
cwd = conf

[cron]
manage.py clearsessions = 0 3 * * *

[basic_auth]
baker = flour-and-water
`,
        'deps/epio.txt': 'django==5.2\n',
        'conf/epio.py': 'NAME = "Old Bakery"\n',
        'conf/send_mail.py':
          'import os, sys\nfrom bundle_config import config\nprint(os.getcwd(), sys.argv[2], config["redis"]["host"])\n',
        'shop/__init__.py': '',
        'shop/manage.py': `import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
`,
        'shop/settings.py': `import os
from bundle_config import config

DEBUG = False
SECRET_KEY = "old"
ROOT_URLCONF = "bakery.shop.urls"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "cakes"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": config["postgres"]["host"],
        "PORT": int(config["postgres"]["port"]),
        "USER": config["postgres"]["username"],
        "PASSWORD": config["postgres"]["password"],
        "NAME": config["postgres"]["database"],
    },
}
MEDIA_ROOT = os.path.join(config["core"]["data_directory"], "media")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
`,
        'shop/production_settings.py': 'from settings import *\nfrom shop_config import NAME\n',
        'shop/urls.py': `import os
from bundle_config import config
from django.conf import settings
from django.http import HttpResponse
from django.urls import path

DATABASE = settings.DATABASES["default"]


def index(request):
    lines = [
        settings.NAME,
        "%(HOST)s:%(PORT)s %(USER)s/%(NAME)s" % DATABASE,
        config["core"]["version"],
        settings.MEDIA_ROOT,
        os.environ["IN_PRODUCTION"],
    ]
    os.makedirs(settings.MEDIA_ROOT)
    return HttpResponse(", ".join(lines))


urlpatterns = [path("", index)]
`,
        'shop/apps/cakes/__init__.py': '',
        'shop/apps/cakes/models.py': '',
      }),
    );
  });

  it('is built as its file says', () => {
    expect(built.image).toMatchObject({
      framework: 'django',
      needsDatabase: true,
      workingDirectory: '/app/shop',
      env: { DJANGO_SETTINGS_MODULE: 'tandem_settings', IN_PRODUCTION: 'true' },
      processTypes: {
        mailer: { command: 'cd /app/conf && python send_mail.py -n mailer.$TANDEM_APP' },
      },
    });
    const findings = said(built);
    expect(findings).toContain('epio.ini:10 root shop');
    expect(findings).toContain('epio.ini:20 settings production_settings');
    expect(findings).toContain('deps/epio.txt dependencies deps/epio.txt');
    expect(findings).toContain('epio.ini:31 epio.ini [cron] manage.py clearsessions = 0 3 * * *');
    expect(findings).toContain('epio.ini:34 epio.ini [basic_auth] baker = ...');
    expect(built.log + findings.join('\n')).not.toContain('flour');
  });

  it('answers, with database, version and a directory that it can write', async () => {
    const { output } = await fixture.run(built.image, askWeb(built), SERVICES);
    expect(output).toContain(
      '200 Old Bakery, pg.internal:5433 bakery/orders, v3, /tmp/data/media, true',
    );
  });

  it('runs its other process where the file says', async () => {
    const command = built.image.processTypes['mailer']?.command ?? '';
    const { output } = await fixture.run(built.image, command, {
      ...SERVICES,
      TANDEM_APP: 'bakery',
    });
    expect(output).toContain('/app/conf mailer.bakery redis.internal');
  });
});

describe('a Flask app of the ep.io system', () => {
  it('is served by its entry point, and asks whether there is a database', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'epio.ini': '[wsgi]\nentrypoint = shop:site\nrequirements = deps.txt\npythonpath = web\n',
        'deps.txt': 'flask==3.1.0\n',
        'web/shop.py': `from bundle_config import config
from flask import Flask

site = Flask(__name__)


@site.get("/")
def index():
    return "postgres: %s, redis: %s" % ("postgres" in config, "redis" in config)
`,
      }),
    );
    const { output } = await fixture.run(built.image, askWeb(built), {
      REDIS_URL: SERVICES.REDIS_URL,
    });
    expect(output).toContain('200 postgres: False, redis: True');
  });

  it('is refused with the line that cannot be followed', async () => {
    const archive = await fixture.packFiles({
      'epio.ini': '[wsgi]\nrequirements = gone.txt\n',
      'app.py': 'app = 1\n',
    });
    await expect(fixture.build(archive)).rejects.toMatchObject({
      code: 'EPIO_INI_INVALID',
      where: 'epio.ini:2',
    });
  });

  it('has no bundle_config unless it imports it', async () => {
    const built = await fixture.build(
      await fixture.packFiles({
        'requirements.txt': 'flask==3.1.0\n',
        'app.py': 'from flask import Flask\napp = Flask(__name__)\n',
      }),
    );
    const { output } = await fixture.run(built.image, 'python -c "import bundle_config"');
    expect(output).toContain("No module named 'bundle_config'");
  });
});
