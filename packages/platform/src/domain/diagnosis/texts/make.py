"""Makes the texts of errors beside this file with the real libraries: make.py OUTPUT VENV312 VENV38.

Each case is a small project, written to a folder and run; paths are written as a sandbox has them
(/app, /venv). VENV312 holds Django 5.2, flask, fastapi, uvicorn, gunicorn, redis, celery, sqlalchemy, greenlet,
cffi, python-magic, whitenoise, django-environ, python-decouple, environs, pydantic-settings and
requests; VENV38 holds Django 3.2.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import textwrap

OUTPUT, VENV, OLD_VENV = [os.path.abspath(path) for path in sys.argv[1:4]]
ONLY = sys.argv[4:]
TIMEOUT_S = 25
LINES_MAX = 100

DJANGO = {
    "manage.py": """
        import os, sys
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
        from django.core.management import execute_from_command_line
        execute_from_command_line(sys.argv)
    """,
    "shop/__init__.py": "",
    "shop/settings.py": """
        from pathlib import Path
        BASE_DIR = Path(__file__).resolve().parent.parent
        SECRET_KEY = "x"
        DEBUG = False
        ALLOWED_HOSTS = ["*"]
        INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.staticfiles", "cakes"]
        ROOT_URLCONF = "shop.urls"
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": BASE_DIR / "db.sqlite3"}}
        STATIC_URL = "static/"
        STATIC_ROOT = BASE_DIR / "collected"
        TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [BASE_DIR / "templates"]}]
        STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
    """,
    "shop/urls.py": "urlpatterns = []",
    "cakes/__init__.py": "",
    "cakes/models.py": """
        from django.db import models
        class Cake(models.Model):
            name = models.CharField(max_length=20)
    """,
    "cakes/migrations/__init__.py": "",
}
FIRST = """
    from django.db import migrations, models
    class Migration(migrations.Migration):
        initial = True
        dependencies = []
        operations = [migrations.CreateModel("Cake", [("id", models.BigAutoField(primary_key=True))])]
"""
SECOND = """
    from django.db import migrations
    class Migration(migrations.Migration):
        dependencies = [("cakes", "%s")]
        operations = []
"""
CHECK = ["python", "manage.py", "check"]
MIGRATE = ["python", "manage.py", "migrate"]


def django(**more):
    return {**DJANGO, **{name.replace("__", "/"): text for name, text in more.items()}}


def settings(old, new):
    return {**DJANGO, "shop/settings.py": DJANGO["shop/settings.py"].replace(old, new)}


def app(text, **more):
    return {"main.py": text, **more}


IMPORT = ["python", "-c", "import main"]
#: name -> (files, command, "old" for Python 3.8)
CASES = {
    # Python itself
    "module-removed-from-python": (app("import telnetlib, imp\n"), IMPORT),
    "module-of-python-2": (app("import urllib2\n"), IMPORT),
    "print-statement": (app('import other\n', **{"other.py": 'print "hello"\n'}), IMPORT),
    "except-comma": (app("try:\n    pass\nexcept ValueError, error:\n    pass\n"), IMPORT),
    "match-on-old-python": (app("match 1:\n    case 1: pass\n"), IMPORT, "old"),
    "union-on-old-python": (app("def find(name: str | None): ...\n"), IMPORT, "old"),
    "list-on-old-python": (app("def find(names: list[str]): ...\n"), IMPORT, "old"),
    "fstring-on-old-python": (app("d = {'a': 1}\nx = f'{d['a']}'\n"), IMPORT, "old"),
    "name-removed-from-python": (app("from collections import Mapping\n"), IMPORT),
    "attribute-removed-from-python": (app("import inspect\ninspect.getargspec(print)\n"), IMPORT),
    "tomllib-on-old-python": (app("import tomllib\n"), IMPORT, "old"),
    # Libraries
    "ugettext": (django(cakes__models__py="from django.utils.translation import ugettext_lazy as _\n"), CHECK),
    "conf-urls": (django(shop__urls__py="from django.conf.urls import url\n"), CHECK),
    "django-six": (django(cakes__models__py="from django.utils.six import text_type\n"), CHECK),
    "foreign-key": (django(cakes__models__py="from django.db import models\nclass Cake(models.Model):\n    user = models.ForeignKey('auth.User')\n"), CHECK),
    "werkzeug-quote": (app("from werkzeug.urls import url_quote\n"), IMPORT),
    "flask-markup": (app("from flask import Markup\n"), IMPORT),
    "before-first-request": (app("from flask import Flask\napp = Flask(__name__)\n@app.before_first_request\ndef start(): ...\n"), IMPORT),
    "pydantic-settings": (app("from pydantic import BaseSettings\n"), IMPORT),
    "unknown-name-of-library": (app("from requests.adapters import NotThere\n"), IMPORT),
    "circular": (app("from other import b\na = 1\n", **{"other.py": "from main import a\nb = 1\n"}), IMPORT),
    "shadowing-file": (app("import celery\n", **{"celery.py": "from celery import Celery\napp = Celery()\n"}), IMPORT),
    "pkg-resources": (app("import pkg_resources\n"), IMPORT),
    # Modules and files of the project
    "local-settings": (settings('SECRET_KEY = "x"', "from .local_settings import *"), CHECK),
    "module-not-on-path": (settings('"cakes"]', '"orders"]') | {"apps/orders/__init__.py": ""}, CHECK),
    "logging-file": (settings("DEBUG = False", 'LOGGING = {"version": 1, "handlers": {"f": {"class": "logging.FileHandler", "filename": "/app/logs/debug.log"}}, "root": {"handlers": ["f"]}}'), CHECK),
    # Variables
    "environ-variable": (settings('"x"', '__import__("environ").Env()("SHOP_KEY")'), CHECK),
    "decouple-variable": (settings('"x"', '__import__("decouple").config("SHOP_KEY")'), CHECK),
    "environs-variable": (settings('"x"', '__import__("environs").Env().str("SHOP_KEY")'), CHECK),
    "keyerror-variable": (settings('"x"', '__import__("os").environ["SHOP_KEY"]'), CHECK),
    "none-variable": (app("import os\nPORT = int(os.environ.get('SHOP_PORT'))\n"), IMPORT),
    "none-split-variable": (app("import os\nHOSTS = os.getenv('SHOP_HOSTS').split(',')\n"), IMPORT),
    "pydantic-variables": (app("from pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    shop_key: str\n    shop_url: str\nsettings = Settings()\n"), IMPORT),
    # Databases
    "no-postgresql-driver": (settings("sqlite3", "postgresql"), CHECK),
    "no-mysql-driver": (settings("sqlite3", "mysql"), CHECK),
    "sqlalchemy-no-driver": (app("from sqlalchemy import create_engine\ncreate_engine('postgresql://db/shop')\n"), IMPORT),
    "sqlalchemy-postgres-scheme": (app("from sqlalchemy import create_engine\ncreate_engine('postgres://db/shop')\n"), IMPORT),
    "sqlalchemy-asyncpg": (app("from sqlalchemy.ext.asyncio import create_async_engine\ncreate_async_engine('postgresql+asyncpg://db/shop')\n"), IMPORT),
    "table-at-import": (django(cakes__apps__py="", cakes__models__py=DJANGO["cakes/models.py"], shop__urls__py="from cakes.models import Cake\nNAMES = [cake.name for cake in Cake.objects.all()]\nurlpatterns = []\n"), CHECK),
    "table-in-request": (django(shop__urls__py="""
        from django.http import HttpResponse
        from django.urls import path
        from cakes.models import Cake
        def index(request):
            return HttpResponse(str(Cake.objects.count()))
        urlpatterns = [path("", index)]
     """, get__py="""
        import os, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        import logging
        logging.basicConfig()
        from django.core.wsgi import get_wsgi_application
        app = get_wsgi_application()
        from django.test import RequestFactory
        app(RequestFactory().get("/").environ, lambda *args: None)
     """), ["python", "get.py"]),
    "sqlite-read-only": (app("import sqlite3\nsqlite3.connect('/proc/none/db.sqlite3').execute('select 1')\n"), IMPORT),
    # Migrations
    "migration-conflict": (django(cakes__migrations__0001_initial__py=FIRST, cakes__migrations__0002_a__py=SECOND % "0001_initial", cakes__migrations__0002_b__py=SECOND % "0001_initial"), MIGRATE),
    "migration-parent-missing": (django(cakes__migrations__0002_a__py=SECOND % "0001_initial"), MIGRATE),
    "migration-history": (django(cakes__migrations__0001_initial__py=FIRST, cakes__migrations__0002_a__py=SECOND % "0001_initial", run__py="""
        import os, subprocess, sys
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        import django
        django.setup()
        from django.core.management import call_command
        from django.db import connection
        call_command("migrate", verbosity=0)
        connection.cursor().execute("delete from django_migrations where name = '0001_initial' and app = 'cakes'")
        call_command("migrate")
     """), ["python", "run.py"]),
    "system-check-pillow": (django(cakes__models__py="from django.db import models\nclass Cake(models.Model):\n    photo = models.ImageField()\n"), CHECK, "old"),
    # Static files
    "manifest-entry": (django(templates__index__html="{% load static %}{% static 'css/site.css' %}", run__py="""
        import os
        os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
        import django
        django.setup()
        from django.core.management import call_command
        call_command("collectstatic", interactive=False, verbosity=0)
        from django.template.loader import render_to_string
        render_to_string("index.html")
     """), ["python", "run.py"]),
    "manifest-reference": (django(cakes__static__site__css="body { background: url(img/none.png) }"), ["python", "manage.py", "collectstatic", "--noinput"]),
    # System libraries
    "gdal": (app("from django.conf import settings\nsettings.configure()\nimport django.contrib.gis.gdal.libgdal\n"), IMPORT),
    "libmagic": (app("import ctypes.util\nctypes.util.find_library = lambda name: None\nctypes.CDLL = lambda name: ctypes.cdll.LoadLibrary('none')\nimport magic\n"), IMPORT),
    "gobject": (app("import cffi\ncffi.FFI().dlopen('gobject-2.0-x')\n"), IMPORT),
    "permission": (app("open('/var/log/shop.log', 'w')\n"), ["setpriv", "--reuid=65534", "/usr/bin/python3", "-c", "import main"]),
    "program": (app("import subprocess\nsubprocess.run(['pdftoppm', '-v'])\n"), IMPORT),
    # Connections
    "redis-refused": (app("import redis\nredis.Redis(port=1).ping()\n"), IMPORT),
    "requests-refused": (app("import requests\nrequests.get('http://rates.example.invalid/today')\n"), IMPORT),
    "urllib-refused": (app("from urllib.request import urlopen\nurlopen('http://127.0.0.1:1/')\n"), IMPORT),
    "celery-refused": (app("from celery import Celery\napp = Celery(broker='redis://127.0.0.1:1/0')\n"), ["celery", "-A", "main", "worker", "--concurrency=1", "--pool=solo"]),
    # Servers
    "asgi-under-gunicorn": (app("from fastapi import FastAPI\napp = FastAPI()\n", **{"ask.py": ""}), ["serve", "gunicorn", "-b", "127.0.0.1:8911", "main:app"]),
    "wsgi-under-uvicorn": (app("from flask import Flask\napp = Flask(__name__)\n"), ["serve", "uvicorn", "--port", "8911", "main:app"]),
    "plain-wsgi-under-uvicorn": (app("def application(environ, start_response):\n    return []\n"), ["serve", "uvicorn", "--port", "8911", "main:application"]),
    "factory-under-gunicorn": (app("from flask import Flask\ndef create_app():\n    return Flask(__name__)\n"), ["serve", "gunicorn", "-b", "127.0.0.1:8911", "main:create_app"]),
    "factory-under-uvicorn": (app("from fastapi import FastAPI\ndef create_app():\n    return FastAPI()\n"), ["serve", "uvicorn", "--port", "8911", "main:create_app"]),
    "module-as-application": (app("import json as app\n"), ["serve", "uvicorn", "--port", "8911", "main:app"]),
}


def write(directory, files):
    for path, text in files.items():
        # Double underscores stand for slashes, the last one for the dot of the suffix.
        path = re.sub(r"/(py|css|html|po)$", r".\1", path)
        path = path.replace("/init/", "__init__")
        target = os.path.join(directory, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w") as file:
            file.write(textwrap.dedent(text).lstrip("\n"))


def run(directory, command, venv):
    env = {"PATH": os.path.join(venv, "bin") + ":/usr/bin:/bin", "HOME": directory, "PYTHONUNBUFFERED": "1", "C_FORCE_ROOT": "1"}
    ask = command[0] == "serve"
    if command[0] == "celery" or ask:
        argv = command[1:] if ask else command
        process = subprocess.Popen(argv, cwd=directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        subprocess.run(["curl", "-s", "--retry", "8", "--retry-connrefused", "--retry-delay", "1", "http://127.0.0.1:8911/"] if ask else ["sleep", "6"], capture_output=True)
        process.terminate()
        return process.communicate(timeout=TIMEOUT_S)[0]
    done = subprocess.run(command, cwd=directory, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=TIMEOUT_S)
    return done.stdout


def in_sandbox(text, directory, venv):
    home = os.path.dirname(os.path.dirname(os.path.realpath(os.path.join(venv, "bin/python"))))
    return text.replace(directory, "/app").replace(venv, "/venv").replace(home, "/opt/python")


def main():
    os.makedirs(OUTPUT, exist_ok=True)
    for name, (files, command, *old) in CASES.items():
        if ONLY and name not in ONLY:
            continue
        venv = OLD_VENV if old else VENV
        directory = os.path.realpath(tempfile.mkdtemp())
        os.chmod(directory, 0o755)
        try:
            write(directory, files)
            lines = in_sandbox(run(directory, command, venv), directory, venv).splitlines(True)
            text = "".join(lines[-LINES_MAX:])
            with open(os.path.join(OUTPUT, name + ".txt"), "w") as file:
                file.write(text)
            print("%-32s %s" % (name, (text.strip().split("\n") or [""])[-1][:150]))
        except Exception as error:
            print(name, "!!", error)
        finally:
            shutil.rmtree(directory)


main()
