// The small Django site that its traps change.
import type { Files } from '../standing-site.ts';

export const MANAGE = (settings: string): string => `import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "${settings}")

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
`;
export const WSGI = (settings: string): string => `import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "${settings}")
application = get_wsgi_application()
`;
export const SETTINGS = `SECRET_KEY = "django-insecure-trap"
DEBUG = False
ALLOWED_HOSTS = []
INSTALLED_APPS = ["django.contrib.contenttypes"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "shop.urls"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}
USE_TZ = True
`;
export const URLS = `from django.conf import settings
from django.db import connection
from django.http import HttpResponse
from django.urls import path


def index(request):
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("%s %s" % (connection.vendor, getattr(settings, "SIGN", "")))


urlpatterns = [path("", index)]
`;

/** `changes` override files; undefined removes one. */
export function site(changes: Readonly<Record<string, string | undefined>> = {}): Files {
  const files = {
    'requirements.txt': 'django==5.2\n',
    'manage.py': MANAGE('shop.settings'),
    'shop/__init__.py': '',
    'shop/settings.py': SETTINGS,
    'shop/urls.py': URLS,
    'shop/wsgi.py': WSGI('shop.settings'),
    ...changes,
  };
  return Object.fromEntries(
    Object.entries(files).flatMap(([path, text]) => (text === undefined ? [] : [[path, text]])),
  );
}

export function below(directory: string, files: Files): Files {
  return Object.fromEntries(
    Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]),
  );
}

/** `shop/settings/` instead of one module. */
export const split = (modules: Files): Files =>
  site({ 'shop/settings.py': undefined, 'shop/settings/__init__.py': '', ...modules });

export const ON_POSTGRESQL = { text: /^postgresql/ };
