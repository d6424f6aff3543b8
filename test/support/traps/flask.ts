// Flask and SQLAlchemy: what its commands, configurations, drivers and bundles want.
import type { Trap } from './trap.ts';

const app = (body: string): string => `import os

from flask import Flask

app = Flask(__name__)
${body}`;
const INDEX = (expression: string): string => `

@app.get("/")
def index():
    return ${expression}
`;
const CONFIGURATIONS = `class Config:
    STAGE = "none"


class DevelopmentConfig(Config):
    STAGE = "development"


class ProductionConfig(Config):
    STAGE = "production"
`;
const ASKS_DATABASE = `from sqlalchemy import create_engine, text

engine = create_engine(os.environ["DATABASE_URL"])


@app.get("/")
def index():
    with engine.connect() as connection:
        return "%s %s" % (engine.driver, connection.execute(text("SELECT 1")).scalar())
`;

export const FLASK_TRAPS: readonly Trap[] = [
  {
    name: 'runs a command of its own beside the site',
    files: {
      'requirements.txt': 'flask==3.1.0\n',
      'shop/__init__.py': `import time

from flask import Flask


def create_app():
    app = Flask(__name__)
    app.add_url_rule("/", "index", lambda: "flask")

    @app.cli.command("listen")
    def listen():
        print("listening", flush=True)
        time.sleep(3600)

    return app
`,
      Procfile: 'worker: flask listen\n',
    },
    finds: [{ rule: 'variable', value: 'FLASK_APP = shop:create_app()' }],
    answers: { text: /^flask$/ },
    quick: true,
  },
  {
    name: 'takes the class of its configuration from a variable without default',
    files: {
      'requirements.txt': 'flask==3.1.0\n',
      'app.py': app(
        `app.config.from_object(os.environ["APP_SETTINGS"])\n${INDEX('app.config["STAGE"]')}`,
      ),
      'config.py': CONFIGURATIONS,
    },
    finds: [{ rule: 'variable', value: 'APP_SETTINGS = config.ProductionConfig' }],
    answers: { text: /^production$/ },
    quick: true,
  },
  {
    name: 'has the driver of its database in the default of the URL',
    files: {
      'requirements.txt': 'flask==3.1.0\nsqlalchemy==2.0.36\npsycopg[binary]==3.2.3\n',
      'app.py': app(
        `DEFAULT = "postgresql+psycopg://me@localhost/me"\n\n${ASKS_DATABASE.replace(
          'os.environ["DATABASE_URL"]',
          'os.getenv("DATABASE_URL", DEFAULT)',
        )}`,
      ),
    },
    finds: [{ rule: 'database', value: 'postgresql+psycopg', evidence: 'app.py:6' }],
    answers: { text: /^psycopg 1$/ },
  },
  {
    name: 'brings psycopg2 to an SQLAlchemy that takes psycopg by now',
    files: {
      'requirements.txt': 'flask==3.1.0\nsqlalchemy>=2.1\npsycopg2-binary==2.9.10\n',
      'app.py': app(ASKS_DATABASE),
    },
    finds: [{ rule: 'database', value: 'postgresql' }],
    answers: { text: /^psycopg 1$/ },
  },
  {
    name: 'writes bundles of Flask-Assets when a page first names them',
    files: {
      'requirements.txt': 'flask==3.1.0\nflask-assets==2.1.0\nwebassets==2.0\nsetuptools<80\n',
      'app.py': app(`from flask_assets import Bundle, Environment

assets = Environment(app)
assets.register("all", Bundle("a.css", "b.css", output="all.css"))
${INDEX('assets["all"].urls()[0]')}`),
      'static/a.css': 'a {}\n',
      'static/b.css': 'b {}\n',
    },
    finds: [{ rule: 'framework', value: 'flask' }],
    answers: { text: /^\/static\/all\.css/ },
  },
  {
    name: 'makes its tables by a script, and has no migrations',
    files: {
      'requirements.txt': 'flask==3.1.0\nflask-sqlalchemy==3.1.1\nsqlalchemy==2.0.36\n',
      'app.py': `import os

from flask import Flask
from flask_sqlalchemy import SQLAlchemy

app = Flask(__name__)
app.config["SQLALCHEMY_DATABASE_URI"] = os.getenv("DATABASE_URL", "sqlite:///shop.db")
db = SQLAlchemy(app)


class Loaf(db.Model):
    id = db.Column(db.Integer, primary_key=True)
${INDEX('"%d loaves" % Loaf.query.count()')}`,
      'create_db.py': 'from app import app, db\n\nwith app.app_context():\n    db.create_all()\n',
    },
    finds: [
      {
        rule: 'release',
        value: "python -m tandem_runtime.create_tables 'app:app'",
        evidence: 'create_db.py:4',
      },
    ],
    answers: { text: /^0 loaves$/ },
    quick: true,
  },
  {
    name: 'ends its own process for want of a configuration',
    files: {
      'requirements.txt': 'flask==3.1.0\n',
      'app.py': `import sys\n${app('print("no shop is configured")\nsys.exit(1)\n')}`,
    },
    finds: [{ rule: 'entry', value: 'app:app' }],
    refused: {
      code: 'IMPORT_FAILED',
      what: /ends its process.*after "no shop is configured"/,
      where: /app\.py:8/,
      fix: /tandem config set/,
    },
    quick: true,
  },
];
