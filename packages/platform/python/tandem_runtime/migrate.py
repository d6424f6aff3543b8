"""`python -m tandem_runtime.migrate`: the release phase of a Django app.

Takes an advisory lock, migrates every database alias that has migrations, and writes
{applied, newly, error?} to the path in TANDEM_RESULT. Names are `app.0001_initial`.
"""

import contextlib
import os
import signal
import sys
import traceback

from tandem_runtime.report import write_report

#: One key for all: a database belongs to one app. ("tandem" in ASCII)
LOCK_KEY = 0x74616E64656D
LOCK_TIMEOUT_MS = 600000
SQL_LENGTH_MAX = 4000
SOURCE = "/app/"


class Progress:
    """Which migration is at work, which ones this run applied, and the statement that failed."""

    def __init__(self):
        self.current = None
        self.current_file = None
        self.newly = []
        self.failed_sql = None

    def watch(self, executor_class):
        original = executor_class.apply_migration
        progress = self

        def apply_migration(executor, state, migration, *args, **kwargs):
            progress.current = "%s.%s" % (migration.app_label, migration.name)
            progress.current_file = source_path(sys.modules.get(type(migration).__module__))
            state = original(executor, state, migration, *args, **kwargs)
            progress.newly.append(progress.current)
            progress.current = progress.current_file = None
            return state

        executor_class.apply_migration = apply_migration

    def watch_statement(self, execute, sql, params, many, context):
        try:
            return execute(sql, params, many, context)
        except Exception:
            self.failed_sql = str(sql)[:SQL_LENGTH_MAX]
            raise


@contextlib.contextmanager
def advisory_lock(connection):
    """Held on a connection of its own: a migration may close the one it works on."""
    if connection.vendor != "postgresql":
        yield
        return
    holder = connection.copy()
    try:
        with holder.cursor() as cursor:
            cursor.execute("SET lock_timeout = %d" % LOCK_TIMEOUT_MS)
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_KEY])
        yield
    finally:
        holder.close()


def aliases_to_migrate(connections):
    """`default` first; an alias that shares its database with an earlier one is left out only when
    Django itself calls it a mirror."""
    aliases = [alias for alias in connections if connections[alias].vendor != "unknown"]
    mirrors = [alias for alias in aliases if _mirror_of(connections[alias])]
    return sorted((a for a in aliases if a not in mirrors), key=lambda a: (a != "default", a))


def _mirror_of(connection):
    return (connection.settings_dict.get("TEST") or {}).get("MIRROR")


def has_work(connection, is_default):
    """Another alias is migrated only when its router lets some model into it."""
    if is_default:
        return True
    from django.apps import apps
    from django.db import router

    return any(
        router.allow_migrate_model(connection.alias, model) and not _in_default(model)
        for model in apps.get_models()
        if not model._meta.proxy and model._meta.managed
    )


def _in_default(model):
    from django.db import router

    return router.allow_migrate_model("default", model)


def applied_migrations(connection):
    from django.db.migrations.recorder import MigrationRecorder

    recorded = MigrationRecorder(connection).applied_migrations()
    return {"%s.%s" % key for key in recorded}


@contextlib.contextmanager
def watched(connection, progress):
    """Django before 2.0 cannot be watched: an error then lacks its statement."""
    if hasattr(connection, "execute_wrapper"):
        with connection.execute_wrapper(progress.watch_statement):
            yield
    else:
        yield


def migrate_all(progress):
    from django.core.management import call_command
    from django.db import connections
    from django.db.migrations.executor import MigrationExecutor

    progress.watch(MigrationExecutor)
    applied = set()
    for alias in aliases_to_migrate(connections):
        connection = connections[alias]
        if not has_work(connection, alias == "default"):
            continue
        with advisory_lock(connection), watched(connection, progress):
            # The checks ran in the build, in the same image.
            call_command("migrate", database=alias, interactive=False, skip_checks=True)
            applied |= applied_migrations(connection)
    return applied


def applied_after_failure():
    """Best effort: the database may be what failed."""
    try:
        from django.db import connections

        aliases = aliases_to_migrate(connections)
        return sorted(set().union(*(applied_migrations(connections[alias]) for alias in aliases)))
    except Exception:
        return []


def describe(error, progress):
    message = str(error).strip() or type(error).__name__
    described = {"migration": progress.current, "message": "%s: %s" % (type(error).__name__, message)}
    described["where"] = project_line(error) or progress.current_file
    if progress.failed_sql and _is_database_error(error):
        described["sql"] = progress.failed_sql
    return described


def project_line(error):
    """`file:line code` of the deepest frame in the project's own files, or None."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename.startswith(SOURCE) and frame.name != "<module>"]
    if not own:
        return None
    return "%s:%d %s" % (own[-1].filename[len(SOURCE) :], own[-1].lineno, own[-1].line or "")


def source_path(module):
    path = getattr(module, "__file__", None) or ""
    return path[len(SOURCE) :] if path.startswith(SOURCE) else None


def _is_database_error(error):
    from django.db.utils import Error

    return isinstance(error, Error)


def stop(signum, frame):
    # As an exception, so that the transaction at work is rolled back before the process ends.
    raise KeyboardInterrupt


def main():
    signal.signal(signal.SIGTERM, stop)
    import django

    result = os.environ.get("TANDEM_RESULT", "")
    progress = Progress()
    try:
        django.setup()
        applied = migrate_all(progress)
    except BaseException as error:
        traceback.print_exc()
        report = {"newly": progress.newly, "error": describe(error, progress)}
        write_report(result, dict(report, applied=applied_after_failure()))
        return 1
    write_report(result, {"applied": sorted(applied), "newly": progress.newly})
    return 0


if __name__ == "__main__":
    sys.exit(main())
