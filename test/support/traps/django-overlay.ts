// Django projects that need the settings overlay, or trip over it.
import { ON_POSTGRESQL, SETTINGS, site, URLS } from './django-site.ts';
import type { Trap } from './trap.ts';

export const DJANGO_OVERLAY_TRAPS: readonly Trap[] = [
  {
    name: 'sets Django up in its own package, before its settings are read',
    files: site({
      'shop/__init__.py': 'from .queue import ready\n',
      'shop/queue.py':
        'import os\nimport django\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")\ndjango.setup()\nready = True\n',
      'shop/settings.py': `${SETTINGS}SIGN = "set up"\n`,
    }),
    finds: [{ rule: 'settings', value: 'shop.settings' }],
    answers: { text: /^postgresql set up/ },
  },
  {
    name: 'is made for a MySQL of the developer',
    files: site({
      'shop/settings.py': SETTINGS.replace(
        '"django.db.backends.sqlite3", "NAME": "db.sqlite3"',
        '"django.db.backends.mysql", "NAME": "shop", "HOST": "127.0.0.1"',
      ),
    }),
    finds: [{ rule: 'framework', value: 'django' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'names a static directory that is not there, on a Django that minds',
    files: site({
      'requirements.txt': 'django==3.2.25\n',
      'shop/settings.py': `from pathlib import Path
${SETTINGS}BASE_DIR = Path(__file__).parent.parent
INSTALLED_APPS += ["django.contrib.staticfiles"]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "collected"
STATICFILES_DIRS = [BASE_DIR / "built"]
SIGN = (STATIC_ROOT / "x").name
`,
    }),
    finds: [{ rule: 'framework', value: 'django' }],
    answers: { text: /^postgresql x/ },
  },
  {
    name: 'is of a Django that knows no hosts below localhost, on a Python as old',
    files: site({
      'requirements.txt': 'django==1.11.29\n',
      'shop/settings.py': SETTINGS.replace('DEBUG = False', 'DEBUG = True'),
      'shop/urls.py': URLS.replace(
        'from django.urls import path',
        'from django.conf.urls import url',
      ).replace('path("", index)', 'url(r"^$", index)'),
    }),
    finds: [{ rule: 'framework', value: 'django' }],
    answers: ON_POSTGRESQL,
  },
  {
    name: 'splits a variable that has no default',
    files: site({
      'shop/settings.py': SETTINGS.replace(
        'ALLOWED_HOSTS = []',
        'import os\nALLOWED_HOSTS = os.environ.get("SHOP_ALLOWED_HOSTS").split(" ")',
      ),
    }),
    finds: [{ rule: 'variable', value: 'SHOP_ALLOWED_HOSTS = TANDEM_HOSTS' }],
    answers: ON_POSTGRESQL,
    quick: true,
  },
];
