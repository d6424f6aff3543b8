// Projects without Django: where the application is, what serves it, what runs beside it.
import { FLASK_REQUIREMENTS } from '../tiny-projects.ts';
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

export const OTHER_TRAPS: readonly Trap[] = [
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
    finds: [{ rule: 'release', value: 'alembic upgrade head', evidence: 'alembic.ini' }],
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
];
