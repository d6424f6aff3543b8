"""`python -m tandem_runtime.create_tables MODULE:ATTRIBUTE`: the release phase of a Flask app that makes
its tables with `db.create_all()`, by a script or a command of its own, and has no migrations.

Tables that exist are left as they are. `()` behind the attribute calls it.
"""

import importlib
import sys


def create_tables(target):
    module, _, attribute = target.partition(":")
    application = getattr(importlib.import_module(module), attribute.replace("()", ""))
    if attribute.endswith("()"):
        application = application()
    extension = application.extensions.get("sqlalchemy")
    # The state of Flask-SQLAlchemy 2 holds it, version 3 is it.
    database = getattr(extension, "db", extension)
    if database is None:
        sys.exit("%s has no Flask-SQLAlchemy" % target)
    with application.app_context():
        database.create_all()
    print("the tables of %s are there" % target)


if __name__ == "__main__":
    create_tables(sys.argv[1])
