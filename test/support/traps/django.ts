// Django projects: layouts, settings, paths, variables, databases.
import { DJANGO_OVERLAY_TRAPS } from './django-overlay.ts';
import { below, MANAGE, ON_POSTGRESQL, SETTINGS, site, split, URLS, WSGI } from './django-site.ts';
import type { Trap } from './trap.ts';

export const DJANGO_TRAPS: readonly Trap[] = [
  {
    name: 'lies in a sub-directory, its requirements above it',
    files: {
      ...below('web', site({ 'requirements.txt': undefined })),
      'requirements.txt': 'django==5.2\n',
    },
    finds: [
      { rule: 'root', value: 'web', evidence: 'web/manage.py' },
      { rule: 'dependencies', value: 'requirements.txt' },
    ],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'has two projects in one repository',
    files: { ...below('one', site()), ...below('two', site()) },
    finds: [],
    refused: {
      code: 'NO_APP_DETECTED',
      what: /one\/manage\.py, two\/manage\.py/,
      fix: /root = "one"/,
    },
    quick: true,
  },
  {
    name: 'has two projects in one repository, and says which',
    files: { ...below('one', site()), ...below('two', site()), 'tandem.toml': 'root = "two"\n' },
    finds: [{ rule: 'root', value: 'two', evidence: 'tandem.toml' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'names its settings for development everywhere',
    files: {
      ...split({
        'shop/settings/base.py': SETTINGS,
        'shop/settings/dev.py':
          'from .base import *\nINSTALLED_APPS += ["debug_toolbar"]\nSIGN = "dev"\n',
        'shop/settings/production.py': 'from .base import *\nSIGN = "production"\n',
      }),
      'manage.py': MANAGE('shop.settings.dev'),
      'shop/wsgi.py': WSGI('shop.settings.dev'),
    },
    finds: [{ rule: 'settings', value: 'shop.settings.production' }],
    answers: { text: /^postgresql production/ },
  },
  {
    name: 'has settings for production that need what is not installed, and others',
    files: {
      ...split({
        'shop/settings/base.py': SETTINGS,
        'shop/settings/production.py': 'from .base import *\nimport sentry_of_nobody\n',
        'shop/settings/heroku.py': 'from .base import *\nSIGN = "heroku"\n',
      }),
      'shop/wsgi.py': WSGI('shop.settings.production'),
    },
    finds: [{ rule: 'settings', value: 'shop.settings.production' }],
    answers: { text: /^postgresql heroku/ },
  },
  {
    name: 'names settings that do not exist',
    files: site({ 'manage.py': MANAGE('shop.gone'), 'shop/wsgi.py': WSGI('shop.gone') }),
    finds: [{ rule: 'settings', value: 'shop.settings' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'names no settings at all',
    files: site({
      'manage.py': 'import sys\nfrom django.core.management import execute_from_command_line\n',
      'shop/wsgi.py': undefined,
    }),
    finds: [{ rule: 'settings', value: 'shop.settings', evidence: 'shop/settings.py' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'imports settings that each developer makes, with an example',
    files: site({
      'shop/settings.py': `from .local_settings import *\n${SETTINGS}SIGN = LOCAL\n`,
      'shop/local_settings.py.example': 'LOCAL = "by example"\n',
    }),
    finds: [
      { rule: 'settings', value: 'shop/local_settings.py from shop/local_settings.py.example' },
    ],
    answers: { text: /^postgresql by example/ },
    quick: true,
  },
  {
    name: 'imports settings that each developer makes, without an example',
    files: site({ 'shop/settings.py': `${SETTINGS}\nfrom .local import *\n` }),
    finds: [{ rule: 'settings', value: 'shop/local.py, empty' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'keeps its apps in a directory that only manage.py puts on the path',
    files: site({
      'manage.py': `import sys\nsys.path.insert(0, "apps")\n${MANAGE('shop.settings')}`,
      'shop/settings.py': SETTINGS.replace('contenttypes"]', 'contenttypes", "blog"]'),
      'apps/blog/__init__.py': '',
      'apps/blog/models.py': '',
    }),
    finds: [{ rule: 'path', value: 'apps', evidence: 'manage.py:2' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'imports modules by their bare name from a directory of libraries',
    files: site({
      'shop/settings.py': `import branding\n${SETTINGS}SIGN = branding.SIGN\n`,
      'lib/branding.py': 'SIGN = "from lib"\n',
    }),
    finds: [{ rule: 'path', value: 'lib' }],
    answers: { text: /^postgresql from lib/ },
  },
  {
    name: 'reads its database from variables of its own names',
    files: site({
      'shop/settings.py': `import os\n${SETTINGS}
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql",
    "NAME": os.environ["SHOP_STORE"], "USER": os.environ["SHOP_ROLE"],
    "PASSWORD": os.environ["SHOP_WORD"], "HOST": os.environ["SHOP_AT"],
    "PORT": os.environ["SHOP_DOOR"]}}
`,
    }),
    finds: [
      { rule: 'variable', value: 'SHOP_STORE = PGDATABASE' },
      { rule: 'variable', value: 'SHOP_AT = PGHOST' },
    ],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'has a database of a compose file in its settings',
    files: site({
      'shop/settings.py': `${SETTINGS}
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "shop",
    "USER": "postgres", "PASSWORD": "postgres", "HOST": "db", "PORT": 5432}}
`,
    }),
    finds: [],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'reads its secret key, its hosts and DEBUG without defaults',
    files: site({
      'requirements.txt': 'django==5.2\npython-decouple==3.8\n',
      'shop/settings.py': `from decouple import Csv, config\n${SETTINGS}
SECRET_KEY = config("SHOP_SECRET_KEY")
DEBUG = config("DEBUG", cast=bool)
ALLOWED_HOSTS = config("HOSTS", cast=Csv())
`,
    }),
    finds: [
      { rule: 'variable', value: 'SHOP_SECRET_KEY = SECRET_KEY' },
      { rule: 'variable', value: 'DEBUG = False' },
      { rule: 'variable', value: 'HOSTS = TANDEM_HOSTS' },
    ],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'needs two variables that only its owner knows',
    files: site({
      'shop/settings.py': `import os\n${SETTINGS}
PAY = os.environ["PAY_TOKEN"]
MAPS = os.environ["MAPS_TOKEN"]
`,
    }),
    finds: [{ rule: 'variable', value: 'PAY_TOKEN is needed', evidence: 'shop/settings.py:11' }],
    refused: {
      code: 'VARIABLE_MISSING',
      what: /PAY_TOKEN.*MAPS_TOKEN \(shop\/settings\.py:12\)/,
      where: /^shop\/settings\.py:11 /,
      fix: /tandem config set .*PAY_TOKEN=\.\.\. MAPS_TOKEN=\.\.\./,
    },
  },
  {
    name: 'needs two variables that only its owner knows, and has them',
    files: site({
      'shop/settings.py': `import os\n${SETTINGS}\nSIGN = os.environ["PAY_TOKEN"] + os.environ["MAPS"]\n`,
    }),
    config: { PAY_TOKEN: 'pay', MAPS: 'maps' },
    finds: [],
    answers: { text: /^postgresql paymaps/ },
  },
  {
    name: 'cannot start without a mail server',
    files: site({
      'shop/settings.py': `import os\n${SETTINGS}\nEMAIL_HOST = os.environ["EMAIL_HOST"]\n`,
    }),
    finds: [{ rule: 'variable', value: 'EMAIL_HOST = localhost' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'redirects to HTTPS, and has no public host yet',
    files: site({
      'shop/settings.py': `${SETTINGS}
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
SECURE_SSL_REDIRECT = True
`,
    }),
    finds: [],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'has a WSGI module that insists on other settings',
    files: site({
      'shop/settings.py': `${SETTINGS}WSGI_APPLICATION = "shop.wsgi.application"\n`,
      'shop/wsgi.py': WSGI('shop.settings').replace(
        'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")',
        'os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"',
      ),
    }),
    finds: [],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'keeps a cache in a table',
    files: site({
      'shop/settings.py': `${SETTINGS}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "cached"}}
`,
      'shop/urls.py': URLS.replace(
        'from django.db',
        'from django.core.cache import cache\nfrom django.db',
      ).replace(
        'with connection',
        'cache.set("a", "cached")\n    settings.SIGN = cache.get("a")\n    with connection',
      ),
    }),
    finds: [],
    answers: { text: /^postgresql cached/ },
  },
  {
    name: 'is a package below src that must be found',
    files: {
      ...site({
        'shop/__init__.py': undefined,
        'shop/settings.py': undefined,
        'shop/urls.py': undefined,
        'shop/wsgi.py': undefined,
      }),
      ...below('src/shop', { '__init__.py': '', 'settings.py': SETTINGS, 'urls.py': URLS }),
      'manage.py': `import os\nimport sys\nsys.path.append(os.path.join(os.path.dirname(__file__), "src"))\n${MANAGE('shop.settings')}`,
    },
    finds: [{ rule: 'path', value: 'src', evidence: 'manage.py:3' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'reads its own settings while they are imported',
    files: site({
      'shop/settings.py': `${SETTINGS}
from . import naming

SIGN = naming.sign()
`,
      'shop/naming.py': `from django.conf import settings


def sign():
    return "from %s" % settings.ROOT_URLCONF
`,
    }),
    finds: [],
    answers: { text: /^postgresql from shop\.urls/ },
  },
  {
    name: 'runs Celery with a broker on the machine of its developer',
    files: site({
      'requirements.txt': 'django==5.2\ncelery[redis]==5.5.3\n',
      'shop/settings.py': `${SETTINGS}
CELERY_BROKER_URL = "redis://localhost:6379/0"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache",
    "LOCATION": "redis://redis:6379/1"}}
`,
      'shop/celery.py': `import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
app = Celery("shop")
app.config_from_object("django.conf:settings", namespace="CELERY")
`,
      'shop/urls.py': URLS.replace(
        'with connection',
        'from django.core.cache import cache\n\n    cache.set("a", "cached")\n    settings.SIGN = cache.get("a")\n    with connection',
      ),
    }),
    finds: [{ rule: 'process', evidence: 'shop/celery.py:6' }],
    answers: { text: /^postgresql cached/ },
  },
  {
    name: 'is of Django 2.2, without a word on its Python',
    files: site({ 'requirements.txt': 'django==2.2.28\n' }),
    finds: [{ rule: 'python', evidence: 'requirements.txt:1' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'fails while it makes its own error page, which Django logs without the exception',
    files: site({
      'shop/urls.py': `from django.http import HttpResponse


def not_found(request, exception):
    raise ValueError("no crust in the table of breads")


handler404 = "shop.urls.not_found"
urlpatterns = []
`,
    }),
    finds: [],
    refused: {
      code: 'PROBE_STATUS',
      what: /answered 500: ValueError: no crust in the table of breads/,
      where: /^shop\/urls\.py:5/,
      fix: /mend the line/,
    },
  },
  {
    name: 'wants MySQL, whose driver it does not install',
    files: site({
      'shop/settings.py': `${SETTINGS}
DATABASES = {"default": {"ENGINE": "django.db.backends.mysql", "NAME": "shop", "HOST": "mysql.example"}}
`,
    }),
    finds: [],
    refused: { code: 'DATABASE_DRIVER_MISSING', what: /MySQL|mysqlclient/i, fix: /mysqlclient/ },
  },
  {
    name: 'translates the names of its languages, lazily',
    files: site({
      'shop/settings.py': `from django.utils.translation import gettext_lazy as _

${SETTINGS}
LANGUAGE_CODE = "en-us"
LANGUAGES = (("en-us", _("English")), ("pt-br", _("Portuguese")))
`,
    }),
    finds: [],
    answers: ON_POSTGRESQL,
    quick: true,
  },
  ...DJANGO_OVERLAY_TRAPS,
  {
    name: 'reads variables that only its compose file gives, beside hosts of other containers',
    files: site({
      'shop/settings.py': SETTINGS.replace(
        'SECRET_KEY',
        'import os\nSIGN = os.environ["SHOP_SIGN"]\nSECRET_KEY',
      ),
      Dockerfile: 'FROM python:3.12-slim\nCOPY . /app\n',
      'docker-compose.yml': `services:
  web:
    build: .
    command: sh -c "python manage.py migrate && gunicorn shop.wsgi -b 0.0.0.0:80"
    ports: ["80:80"]
    environment: { SHOP_SIGN: "\${SIGN:-composed}", DB_HOST: db, SECRET_KEY: abc }
  db: { image: postgres }
`,
    }),
    finds: [{ rule: 'variable', value: 'SHOP_SIGN = composed', evidence: 'docker-compose.yml:6' }],
    answers: { text: /^postgresql composed/ },
    quick: true,
  },
];
