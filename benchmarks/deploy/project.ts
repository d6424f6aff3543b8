// The site that is deployed: as `startproject` makes it, with one app that has a model, a page that
// reads the database, and a folder of static files.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const STATIC_FILES = 60;

export const REQUIREMENTS = [
  'Django==5.2.8',
  'dj-database-url==3.0.1',
  'gunicorn==23.0.0',
  'Pillow==11.3.0',
  'psycopg[binary]==3.2.10',
  'requests==2.32.5',
];

export async function writeProject(directory: string): Promise<void> {
  const files: Record<string, string> = {
    'requirements.txt': `${REQUIREMENTS.join('\n')}\n`,
    'manage.py': MANAGE,
    'site_root/__init__.py': '',
    'site_root/settings.py': SETTINGS,
    'site_root/urls.py': URLS,
    'site_root/wsgi.py': WSGI,
    'visits/__init__.py': '',
    'visits/models.py': MODELS,
    'visits/migrations/__init__.py': '',
    'visits/migrations/0001_initial.py': MIGRATION,
  };
  for (let index = 0; index < STATIC_FILES; index += 1) {
    files[`visits/static/visits/style-${index}.css`] = `.c${index} { color: red; }\n`.repeat(40);
  }
  for (const [path, content] of Object.entries(files)) {
    const file = join(directory, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  await changeCode(directory, 'first');
}

/** What a developer does between two deploys: the page now says `text`. */
export async function changeCode(directory: string, text: string): Promise<void> {
  await writeFile(
    join(directory, 'visits/views.py'),
    `from django.http import HttpResponse

from .models import Visit


def index(request):
    return HttpResponse("${text} %d" % Visit.objects.count())
`,
  );
}

const MANAGE = `#!/usr/bin/env python
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_root.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
`;

const SETTINGS = `import os
from pathlib import Path

import dj_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = os.environ.get("SECRET_KEY", "only-for-building")
DEBUG = False
ALLOWED_HOSTS = ["*"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "visits",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
ROOT_URLCONF = "site_root.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
WSGI_APPLICATION = "site_root.wsgi.application"
DATABASES = {
    "default": dj_database_url.config(default=f"sqlite:///{BASE_DIR / 'db.sqlite3'}")
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
`;

const URLS = `from django.contrib import admin
from django.urls import path

from visits.views import index

urlpatterns = [path("", index), path("admin/", admin.site.urls)]
`;

const WSGI = `import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_root.settings")
application = get_wsgi_application()
`;

const MODELS = `from django.db import models


class Visit(models.Model):
    at = models.DateTimeField(auto_now_add=True)
`;

const MIGRATION = `from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Visit",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
    ]
`;
