"""`python -m tandem_runtime.prepare`: the one process of a build that runs the project's code.

It compiles the source in a child, and meanwhile imports the project, reports what it is and
collects its static files. One process, because on a redeploy the imports are most of the time.
The plan comes as JSON in TANDEM_PREPARE, the report goes to the path in TANDEM_RESULT.
"""

import compileall
import errno
import importlib
import importlib.util
import inspect
import json
import os
import pkgutil
import re
import signal
import sys
import traceback
from py_compile import PycInvalidationMode

import tandem_runtime.startup  # noqa: F401  The virtualenv may be one that lacks our hook yet.
from tandem_runtime.build_commands import (
    build_bundles,
    compile_messages,
    compress_offline,
    uses_cache_table,
)
from tandem_runtime.committed_static import add_committed
from tandem_runtime.data_paths import data_files, flask_data_files, media_facts
from tandem_runtime.redis_settings import mentions, parse_address
from tandem_runtime.report import write_report
from tandem_runtime.static_finders import keep_vite_manifests, leave_out_missing
from tandem_runtime.static_folders import static_folders
from tandem_runtime.written import Watch

IMPORT_TIMEOUT_S = 60
NOTE_LENGTH_MAX = 250
#: Browsers and robots ask for them at the top of a site.
TOP_FILES = ("favicon.ico", "robots.txt")
SKIPPED_DIRECTORIES = re.compile(r"/(node_modules|\.git|\.venv|venv|__pycache__)/")
#: Errors of a missing network or database. The build has neither, so they say nothing.
UNREACHABLE = (ConnectionError, TimeoutError)
UNREACHABLE_ERRNOS = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL)
UNREACHABLE_NAMES = ("OperationalError", "InterfaceError", "gaierror", "ConnectionError")


class ImportTimeout(Exception):
    """Importing the project did not end: it probably starts a server or waits for something."""


def start_compiling(directory):
    """In a child, so that both cores work. Files that do not compile are the project's affair."""
    child = os.fork()
    if child:
        return child
    try:
        compileall.compile_dir(
            directory,
            maxlevels=30,
            quiet=2,
            force=True,
            rx=SKIPPED_DIRECTORIES,
            # Image files carry no times to compare with.
            invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
        )
    finally:
        os._exit(0)


def is_unreachable(error):
    while error is not None:
        names = {kind.__name__ for kind in type(error).__mro__}
        unreachable = getattr(error, "errno", None) in UNREACHABLE_ERRNOS
        if unreachable or isinstance(error, UNREACHABLE) or names.intersection(UNREACHABLE_NAMES):
            return True
        error = error.__cause__ or error.__context__
    return False


class Preparation:
    def __init__(self, plan):
        self.plan = plan
        self.report = {"stage": "start", "notes": []}
        self.application = None
        self.watch = Watch(plan["source"], plan.get("directories") or ())

    def note(self, rule, value, why):
        self.report["notes"].append({"rule": rule, "value": value, "why": why})

    def run(self):
        signal.signal(signal.SIGALRM, self._time_is_up)
        signal.alarm(IMPORT_TIMEOUT_S)
        if self.plan["framework"] == "django":
            self.django()
        elif self.plan.get("entry"):
            self.report["stage"] = "entry"
            self.optional("entry", self.plain_entry)
            self.report["written"] = self.watch.finish()
            self.report["stage"] = "static"
            build_bundles(self, self.application)
        signal.alarm(0)
        self.report["stage"] = "done"

    @staticmethod
    def _time_is_up(signum, frame):
        raise ImportTimeout("the import did not end within %d s" % IMPORT_TIMEOUT_S)

    def optional(self, rule, work):
        """An error for want of a database or network is noted; any other is the build's."""
        try:
            return work()
        except Exception as error:
            if not is_unreachable(error) and not isinstance(error, ImportTimeout):
                raise
            described = "%s: %s" % (type(error).__name__, str(error).split("\n")[0])
            self.note(rule, "not checked", "needs what a build does not have (%s)" % described)
            return None

    # Django

    def django(self):
        self.report["stage"] = "settings"
        import django
        from django.conf import settings

        self.report["djangoVersion"] = django.get_version()
        self.settings_facts(settings)
        self.report["stage"] = "setup"
        django.setup()
        self.report["migrations"] = sorted(migrations_on_disk(settings))
        self.report["stage"] = "entry"
        self.optional("urls", lambda: importlib.import_module(settings.ROOT_URLCONF))
        self.report["entry"] = self.optional("entry", lambda: django_entry(settings))
        if os.environ.get("TANDEM_PUBLIC") == "1":
            self.deployment_checks()
        self.report["media"] = self.quietly(lambda: media_facts(settings))
        signal.alarm(0)
        self.report["written"] = self.watch.finish()
        self.report["stage"] = "static"
        compile_messages(self)
        self.collect_static(settings)
        compress_offline(self, settings)

    def settings_facts(self, settings):
        databases = settings.DATABASES
        self.report.update(
            {
                "installedApps": list(settings.INSTALLED_APPS),
                "middleware": list(settings.MIDDLEWARE),
                "debug": bool(settings.DEBUG),
                "databases": {name: database_facts(value) for name, value in databases.items()},
                "asgiApplication": getattr(settings, "ASGI_APPLICATION", None),
                "redis": wants_redis(settings),
                "cacheTable": uses_cache_table(settings),
                "dataFiles": self.quietly(lambda: data_files(settings)) or [],
                "overrides": list(getattr(settings, "TANDEM_OVERRIDES", [])),
                "settingsModule": os.environ.get("DJANGO_SETTINGS_MODULE"),
            }
        )

    @staticmethod
    def quietly(work):
        """What cannot be told is no reason to fail a build."""
        try:
            return work()
        except Exception:
            return None

    def deployment_checks(self):
        """What `check --deploy` says of an app that strangers can reach. Advice: nothing fails."""
        from django.core import checks

        try:
            found = checks.run_checks(tags=[checks.Tags.security], include_deployment_checks=True)
        except Exception as error:
            self.note("check", "not done", "%s: %s" % (type(error).__name__, error))
            return
        for message in found:
            advice = "%s: %s" % (message.id, str(message.msg).split(". ")[0])
            self.note("check", advice[:NOTE_LENGTH_MAX], "manage.py check --deploy")

    def collect_static(self, settings):
        if "django.contrib.staticfiles" not in settings.INSTALLED_APPS or not self.plan["static"]:
            return
        if not settings.STATIC_ROOT:
            self.note("static", "not collected", "STATIC_ROOT is not set")
            return
        from django.contrib.staticfiles.storage import StaticFilesStorage, staticfiles_storage
        from django.core.management import call_command

        if not isinstance(staticfiles_storage, StaticFilesStorage):
            self.note("static", "not collected", "the storage of static files is a remote one")
            return
        os.makedirs(str(settings.STATIC_ROOT), exist_ok=True)
        for directory in leave_out_missing():
            self.note("static", "without %s" % directory, "STATICFILES_DIRS names it; it is not there")
        keep_vite_manifests()
        call_command("collectstatic", interactive=False, verbosity=1, skip_checks=True)
        root = os.path.realpath(str(settings.STATIC_ROOT))
        own = getattr(settings, "TANDEM_OWN_STATIC_ROOT", "")
        added = add_committed(own, root, "/app")
        if added > 0:
            self.note("static", "%d files of %s" % (added, own), "committed where the project collects to")
        self.report["static"] = {
            "url": settings.STATIC_URL,
            "root": root,
            "topFiles": [name for name in TOP_FILES if os.path.isfile(os.path.join(root, name))],
            "fileCount": sum(len(files) for _, _, files in os.walk(root)),
        }

    # Everything else

    def plain_entry(self):
        entry = self.plan["entry"]
        module = importlib.import_module(entry["module"])
        application = module
        for name in entry["attribute"].split("."):
            application = getattr(application, name)
        if entry.get("factory"):
            self.report["entry"] = dict(entry)
            # For what it writes. Whether it works is seen at the start, with the real services.
            self.application = self.quietly(application)
        else:
            self.application = application
            self.report["entry"] = dict(entry, kind=interface_of(application, entry["kind"]))
        made = self.application
        self.report["staticFolders"] = self.quietly(lambda: static_folders(made))
        self.report["dataFiles"] = self.quietly(lambda: flask_data_files(made)) or []


def database_facts(value):
    return {"engine": str(value.get("ENGINE") or ""), "host": str(value.get("HOST") or "")}


def wants_redis(settings):
    """Whether any setting names the Redis that the build hands out as a stand-in."""
    address = parse_address(os.environ.get("REDIS_URL", ""))
    if address is None:
        return False
    names = [name for name in dir(settings) if name.isupper()]
    return any(mentions(getattr(settings, name, None), address) for name in names)


def interface_of(application, guess):
    """`asgi` for coroutine functions and known ASGI classes, `wsgi` for functions of two."""
    call = application if inspect.isroutine(application) else type(application).__call__
    if inspect.iscoroutinefunction(call):
        return "asgi"
    if inspect.isfunction(application):
        names = list(inspect.signature(application).parameters)
        return "asgi" if len(names) == 3 and names[0] == "scope" else "wsgi"
    return guess


def django_entry(settings):
    """`module:attribute` of the WSGI (or ASGI) application, imported once to see that it works."""
    asgi = getattr(settings, "ASGI_APPLICATION", None)
    wsgi = getattr(settings, "WSGI_APPLICATION", None)
    path, kind = (asgi, "asgi") if asgi else (wsgi, "wsgi")
    ours = os.environ.get("DJANGO_SETTINGS_MODULE")
    if not path:
        return {"module": "tandem_wsgi", "attribute": "application", "kind": "wsgi"}
    module, _, attribute = path.rpartition(".")
    try:
        getattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError as error:
        if not module.startswith(error.name or " "):
            raise
        return {"module": "tandem_wsgi", "attribute": "application", "kind": "wsgi"}
    if os.environ.get("DJANGO_SETTINGS_MODULE") != ours:
        # It sets the variable itself, so our overlay would never be seen.
        os.environ["DJANGO_SETTINGS_MODULE"] = ours or ""
        return {"module": "tandem_" + kind, "attribute": "application", "kind": kind}
    if kind == "asgi" and not sets_django_up(sys.modules[module]):
        return {"module": "tandem_channels", "attribute": "application", "kind": kind}
    return {"module": module, "attribute": attribute, "kind": kind}


def sets_django_up(module):
    """`runserver` and daphne's own command do it; a plain ASGI server leaves it to the module."""
    try:
        with open(module.__file__, encoding="utf-8") as file:
            text = file.read()
    except (OSError, TypeError, UnicodeDecodeError):
        return True
    return "get_asgi_application" in text or "django.setup(" in text


def migrations_on_disk(settings):
    """Names as MigrationLoader finds them, without importing a single migration."""
    from django.apps import apps

    overridden = getattr(settings, "MIGRATION_MODULES", {})
    for config in apps.get_app_configs():
        name = overridden.get(config.label, config.name + ".migrations")
        if name is None:
            continue
        try:
            spec = importlib.util.find_spec(name)
        except ImportError:
            continue
        for module in pkgutil.iter_modules(spec.submodule_search_locations or [] if spec else []):
            if not module.ispkg and module.name[0] not in "_~":
                yield "%s.%s" % (config.label, module.name)


def main():
    plan = json.loads(os.environ["TANDEM_PREPARE"])
    child = start_compiling(plan["source"])
    preparation = Preparation(plan)
    code = 0
    try:
        preparation.run()
    except BaseException as error:
        signal.alarm(0)
        traceback.print_exc()
        message = "%s: %s" % (type(error).__name__, error)
        preparation.report["error"] = {"type": type(error).__name__, "message": message}
        code = 1
    os.waitpid(child, 0)
    preparation.watch.finish()
    try:
        write_report(os.environ.get("TANDEM_RESULT", ""), preparation.report)
    except OSError as error:
        # In one line: the last traceback of the log is to stay that of the cause.
        print("The report could not be written: %s" % error, file=sys.stderr)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    # Not sys.exit: threads that the project started must not keep the build waiting.
    os._exit(code)


if __name__ == "__main__":
    main()
