// Sources of projects as their authors have them: made by the generators of the frameworks, or a few
// files. No configuration file of the platform in any.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { runCommand } from '../../packages/platform/src/lib/run-command.ts';

const UV = join(import.meta.dirname, '../../.tools/uv/bin/uv');
const GENERATE_TIMEOUT_MS = 180_000;

export type Files = Readonly<Record<string, string>>;

/** A directory for the projects of one test file. */
export class Workshop {
  readonly root: string;

  private constructor(root: string) {
    this.root = root;
  }

  static async open(): Promise<Workshop> {
    return new Workshop(await mkdtemp('/var/tmp/tandem-projects-'));
  }

  async close(): Promise<void> {
    await rm(this.root, { recursive: true });
  }

  async write(name: string, files: Files): Promise<string> {
    const directory = join(this.root, name);
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), text);
    }
    return directory;
  }

  /** Runs a command of the packages named inside the project `name`. */
  async run(name: string, packages: readonly string[], command: readonly string[]): Promise<void> {
    const directory = join(this.root, name);
    await mkdir(directory, { recursive: true });
    const argv = [UV, 'run', '--no-project', '--python', '/usr/bin/python3'] as const;
    const from = packages.flatMap((one) => ['--with', one]);
    await runCommand([...argv, '--cache-dir', join(this.root, '.uv'), ...from, ...command], {
      timeoutMs: GENERATE_TIMEOUT_MS,
      cwd: directory,
      env: {
        ...(process.env as Record<string, string>),
        HOME: this.root,
        SSL_CERT_FILE: '/etc/ssl/certs/ca-certificates.crt',
      },
    });
  }
}

/** The smallest Django site that writes to its database: a POST makes a row, a GET counts them. */
export function ledger(version: string): Files {
  return {
    'requirements.txt': 'django~=5.2.0\n',
    'manage.py':
      'import os, sys\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")\n' +
      'from django.core.management import execute_from_command_line\n' +
      'execute_from_command_line(sys.argv)\n',
    'site_/__init__.py': '',
    'site_/settings.py': LEDGER_SETTINGS,
    'site_/wsgi.py':
      'import os\nfrom django.core.wsgi import get_wsgi_application\n' +
      'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")\n' +
      'application = get_wsgi_application()\n',
    'site_/urls.py':
      'from django.urls import path\nfrom entries import views\n' +
      'urlpatterns = [path("", views.index), path("entries", views.entries), ' +
      'path("slow", views.slow)]\n',
    'entries/__init__.py': '',
    'entries/models.py':
      'from django.db import models\n\n\nclass Entry(models.Model):\n    text = models.TextField()\n',
    'entries/migrations/__init__.py': '',
    'entries/migrations/0001_initial.py': migration([], CREATE_ENTRY),
    'entries/views.py': ledgerViews(version),
  };
}

/** All that changes from one deploy of the ledger to the next. */
export function ledgerViews(version: string): string {
  return `import time
from django.db import connection
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from .models import Entry

VERSION = "${version}"


def index(request):
    return HttpResponse(f"ledger {VERSION} on {connection.vendor}")


@csrf_exempt
def entries(request):
    if request.method == "POST":
        entry = Entry.objects.create(text=request.body.decode())
        return HttpResponse(f"entry {entry.pk}", status=201)
    text = request.GET.get("text", "")
    return HttpResponse(f"entries {Entry.objects.filter(text__startswith=text).count()}")


def slow(request):
    print("slow request begins", flush=True)
    time.sleep(float(request.GET.get("s", "3")))
    return HttpResponse(f"slow {VERSION}")
`;
}

/** Source of a migration of `entries`, after those named. */
export function migration(after: readonly string[], operations: string): string {
  const dependencies = after.map((name) => `("entries", "${name}")`).join(', ');
  return `from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [${dependencies}]
    operations = [${operations}]
`;
}

const CREATE_ENTRY = `
        migrations.CreateModel(
            "Entry",
            [("id", models.BigAutoField(primary_key=True)), ("text", models.TextField())],
        ),
    `;

const LEDGER_SETTINGS = `from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent
SECRET_KEY = "django-insecure-for-a-test"
DEBUG = False
ALLOWED_HOSTS = []
INSTALLED_APPS = ["entries"]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
ROOT_URLCONF = "site_.urls"
WSGI_APPLICATION = "site_.wsgi.application"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
`;
