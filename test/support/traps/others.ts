// Projects without Django: where the application is, what serves it, what runs beside it.
import { FLASK_REQUIREMENTS } from '../tiny-projects.ts';
import { FLASK_TRAPS } from './flask.ts';
import type { Trap } from './trap.ts';

const FLASK = `from flask import Flask

app = Flask(__name__)


@app.get("/")
def index():
    return "flask"
`;
const FACTORY = `from flask import Flask


def create_app():
    app = Flask(__name__)
    app.add_url_rule("/", "index", lambda: "factory")
    return app
`;
const SAYS_FLASK = { text: /^flask$/ };

/** It keeps a file as it starts, which only the static server answers. */
const KEEPS_UPLOADS = `import os

from bundle_config import config
from flask import Flask

site = Flask(__name__)
MEDIA = os.path.join(config["core"]["data_directory"], "media")
os.makedirs(MEDIA, exist_ok=True)
with open(os.path.join(MEDIA, "kept.txt"), "w") as kept:
    kept.write("kept in %s" % MEDIA)


@site.get("/")
def index():
    return "kept"
`;

export const OTHER_TRAPS: readonly Trap[] = [
  {
    name: 'was made for the ep.io system, whose directory for files is served',
    files: {
      'epio.ini':
        '[wsgi]\nentrypoint = shop:site\nrequirements = deps.txt\npythonpath = web\n' +
        '[static]\n/uploads = %(data_directory)s/media\n',
      'deps.txt': FLASK_REQUIREMENTS,
      'web/shop.py': KEEPS_UPLOADS,
    },
    finds: [
      { rule: 'static', value: '/uploads/ -> /data/media/', evidence: 'epio.ini:6' },
      { rule: 'volume', value: '/data', evidence: 'web/shop.py:7' },
    ],
    answers: { path: '/uploads/kept.txt', text: /^kept in \/data\/media$/ },
    quick: true,
  },
  {
    name: 'is a factory in a package',
    files: { 'requirements.txt': FLASK_REQUIREMENTS, 'shop/__init__.py': FACTORY },
    finds: [{ rule: 'entry', value: 'shop:create_app()' }],
    answers: { text: /^factory$/ },
    quick: true,
  },
  {
    name: 'lies one directory down, with the modules that it imports by their bare name',
    files: {
      'compose.yml': 'services: {}\n',
      'project/requirements.txt': FLASK_REQUIREMENTS,
      'project/main.py': `import wording\n${FLASK.replace('"flask"', 'wording.HELLO')}`,
      'project/wording.py': 'HELLO = "flask"\n',
    },
    finds: [
      { rule: 'root', value: 'project', evidence: 'project/requirements.txt' },
      { rule: 'entry', value: 'main:app' },
    ],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'has a file that is called manage.py and is none of Django',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'manage.py': 'print("django.core.management")\n',
      'app.py': FLASK,
    },
    finds: [{ rule: 'framework', value: 'flask' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'binds another port in its Procfile, and for the machine itself only',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': FLASK,
      Procfile: 'web: gunicorn app:app --bind 127.0.0.1:5000\n',
    },
    finds: [{ rule: 'process', value: 'web without "--bind 127.0.0.1:5000"' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'has a gunicorn.conf.py that moves the address',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': FLASK,
      'gunicorn.conf.py': 'bind = "127.0.0.1:9999"\nworkers = 1\n',
    },
    finds: [],
    answers: SAYS_FLASK,
  },
  {
    name: 'has a Procfile for development only',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': FLASK,
      Procfile: 'web: make run\ncss: npm run watch\n',
    },
    finds: [{ rule: 'process', value: 'web left out', evidence: 'Procfile:1' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'migrates with Alembic before its server starts',
    files: {
      'requirements.txt': `${FLASK_REQUIREMENTS}alembic==1.14.0\npsycopg2-binary==2.9.10\n`,
      'app.py': `import os\n\nimport sqlalchemy\n${FLASK.replace(
        'return "flask"',
        `engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])
    with engine.connect() as connection:
        count = connection.execute(sqlalchemy.text("SELECT count(*) FROM thing")).scalar()
    return "flask %d" % count`,
      )}`,
      'alembic.ini': '[alembic]\nscript_location = migrations\n',
      'migrations/env.py': `import os

import sqlalchemy
from alembic import context

engine = sqlalchemy.create_engine(os.environ["DATABASE_URL"])
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
`,
      'migrations/versions/0001.py': `import sqlalchemy
from alembic import op

revision = "0001"
down_revision = None


def upgrade():
    op.create_table("thing", sqlalchemy.Column("id", sqlalchemy.Integer, primary_key=True))
`,
      'migrations/script.py.mako': '',
    },
    finds: [{ rule: 'release', value: 'python -m alembic upgrade head', evidence: 'alembic.ini' }],
    answers: { text: /^flask 0$/ },
  },
  {
    name: "routes on Bottle's default app",
    files: {
      'requirements.txt': 'bottle==0.13.2\n',
      'app.py': `from bottle import route, run


@route("/")
def index():
    return "bottle"


if __name__ == "__main__":
    run(host="localhost", port=8080)
`,
    },
    finds: [{ rule: 'entry', value: 'tandem_entry:application, made', evidence: 'app.py:4' }],
    answers: { text: /^bottle$/ },
    quick: true,
  },
  {
    name: 'is served as its Procfile says, not as a tool beside it',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'check.py': 'from shop.app import make\n\napp = make()\n',
      'shop/app.py': `${FLASK}\n\ndef make():\n    raise SystemExit("only for checks")\n`,
      Procfile: 'web: gunicorn shop.app:app\n',
    },
    finds: [{ rule: 'entry', value: 'shop.app:app' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'reads a pydantic settings class',
    files: {
      'requirements.txt': 'fastapi==0.115.6\npydantic-settings==2.7.0\nuvicorn==0.34.0\n',
      'app/main.py': `from fastapi import FastAPI

from app.config import settings

app = FastAPI()


@app.get("/")
def index():
    return settings.project_name
`,
      'app/config.py': `from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    project_name: str


settings = Settings()
`,
    },
    config: { PROJECT_NAME: 'pydantic' },
    finds: [{ rule: 'entry', value: 'app.main:app' }],
    answers: { text: /^"pydantic"$/ },
  },
  {
    name: 'writes a log and a SQLite file below its own folder',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': `import logging
import os
import sqlite3
${FLASK.replace(
  'from flask import Flask',
  `from flask import Flask

if not os.path.exists("logs"):
    os.mkdir("logs")
logging.getLogger().addHandler(logging.FileHandler("logs/site.log"))`,
).replace(
  'return "flask"',
  `with sqlite3.connect("data/visits.db") as database:
        database.execute("CREATE TABLE IF NOT EXISTS visit (at TEXT)")
        database.execute("INSERT INTO visit VALUES ('now')")
    return "flask"`,
)}`,
      'data/.gitkeep': '',
    },
    finds: [{ rule: 'volume' }],
    answers: SAYS_FLASK,
  },
  {
    name: 'has no dependency file at all',
    files: { 'app.py': FLASK },
    finds: [{ rule: 'dependencies', value: 'flask' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'has a Pipfile without a lock, with the index by its old name',
    files: {
      Pipfile: `[[source]]
url = "https://pypi.python.org/simple"
verify_ssl = true

[packages]
flask = "==3.1.0"

[dev-packages]
pytest-of-nobody-at-all = "*"
`,
      'app.py': FLASK,
    },
    finds: [{ rule: 'dependencies', value: 'Pipfile' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'asks for a Python that nobody has any more',
    files: {
      'requirements.txt': 'flask==2.0.3\nwerkzeug==2.0.3\n',
      'runtime.txt': 'python-3.6.4\n',
      'app.py': FLASK,
    },
    finds: [{ rule: 'python', value: '3.11.7' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'chooses one of its configurations by a variable',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'config.py': `class Development:
    GREETING = "development"


class Production:
    GREETING = "production"


config = {"development": Development, "production": Production, "default": Development}
`,
      'shop.py': `import os

from flask import Flask

from config import config


def create_app(name):
    app = Flask(__name__)
    app.config.from_object(config[name])
    app.add_url_rule("/", "index", lambda: app.config["GREETING"])
    return app


app = create_app(os.getenv("FLASK_CONFIG") or "default")
`,
    },
    finds: [{ rule: 'variable', value: 'FLASK_CONFIG = production' }],
    answers: { text: /^production$/ },
    quick: true,
  },
  {
    name: 'names a server in its Procfile that it does not install',
    files: {
      'requirements.txt': 'flask==3.1.0\n',
      'app.py': FLASK,
      Procfile: 'web: gunicorn --workers 1 app:app\n',
    },
    finds: [{ rule: 'entry', value: 'app:app' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'is ASGI behind a Procfile that serves it as WSGI',
    files: {
      'requirements.txt': 'fastapi==0.115.6\ngunicorn==23.0.0\n',
      'main.py': 'from fastapi import FastAPI\n\napp = FastAPI()\n',
      Procfile: 'web: gunicorn main:app\n',
    },
    finds: [{ rule: 'framework', value: 'fastapi' }],
    refused: { code: 'INTERFACE_MIXED', what: /ASGI/, fix: /uvicorn/i },
  },
  ...FLASK_TRAPS,
  {
    name: 'holds several applications, and says in its Dockerfile which one it serves',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': FLASK.replace('"flask"', '"the wrong one"'),
      'inner/served.py': FLASK,
      'start.sh': '#!/bin/sh\nset -e\nexec gunicorn --chdir inner -b :5000 "${APP:-served:app}"\n',
      Dockerfile: 'FROM python:3.12-slim\nWORKDIR /srv\nCOPY . .\nENTRYPOINT ["/srv/start.sh"]\n',
    },
    finds: [{ rule: 'entry', value: 'served:app', evidence: 'start.sh:3' }],
    answers: SAYS_FLASK,
    quick: true,
  },
  {
    name: 'has a worker that only its compose file names, and one of somebody else',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': FLASK,
      'watch.py': 'import time\n\nwhile True:\n    time.sleep(60)\n',
      Dockerfile: 'FROM python:3.12-slim\nCOPY . /app\n',
      'compose.yaml': `x-app: &app
  build: .
services:
  web: { <<: *app, command: flask run, ports: ["5000:5000"] }
  watcher: { <<: *app, command: python /app/watch.py }
  gone: { <<: *app, command: celery -A gone worker }
`,
    },
    finds: [
      { rule: 'process', value: 'watcher: python watch.py', evidence: 'compose.yaml:5' },
      { rule: 'process', value: 'gone left out', evidence: 'compose.yaml:6' },
    ],
    answers: SAYS_FLASK,
  },
  {
    name: 'loads a library that only its Dockerfile installs, written for a later Debian',
    files: {
      'requirements.txt': FLASK_REQUIREMENTS,
      'app.py': `import ctypes\n\nctypes.CDLL("libzbar.so.0")\n${FLASK}`,
      Dockerfile:
        'FROM python:3.12-slim-trixie\nRUN apt-get update && apt-get install -y gcc libzbar0t64 libgone9\n',
    },
    finds: [{ rule: 'system packages', value: 'libzbar0t64 libgone9', evidence: 'Dockerfile:2' }],
    answers: SAYS_FLASK,
  },
];
