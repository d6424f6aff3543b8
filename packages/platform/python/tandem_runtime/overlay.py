"""The settings overlay: the project's own settings, then the few overrides that the platform needs.

The generated module `tandem_settings` calls `load`. Each override is recorded with its reason in
TANDEM_OVERRIDES; the build shows them. `overlay = false` in tandem.toml turns all of it off.
"""

import importlib
import os
import pathlib
import sys

from tandem_runtime.celery_settings import celery
from tandem_runtime.database_url import parse_database_url
from tandem_runtime.redis_settings import parse_address, redirected

STATIC_ROOT = "/static"
INSECURE_PREFIX = "django-insecure-"
#: What stands in settings that were written for the developer's machine or a compose file.
ELSEWHERE_HOSTS = ("", "localhost", "127.0.0.1", "::1", "db", "database") + (
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
)
#: Keys of a database that do not depend on its engine.
KEPT_KEYS = ("ATOMIC_REQUESTS", "AUTOCOMMIT", "CONN_MAX_AGE", "CONN_HEALTH_CHECKS", "TIME_ZONE")
#: Settings in which no address of Redis stands; the first one holds database hosts.
REDIS_FREE = ("DATABASES", "INSTALLED_APPS", "MIDDLEWARE", "TEMPLATES")
POSTGRES_APP = "django.contrib.postgres"
WANT_POSTGRES_APP = frozenset(["wagtail.search"])


class Overrides:
    """Collects changes to the namespaces of both the real module and the overlay."""

    def __init__(self, namespaces, environ):
        self.namespaces = namespaces
        self.environ = environ
        self.applied = []

    def get(self, name, default=None):
        return self.namespaces[0].get(name, default)

    def set(self, name, value, shown, why):
        for namespace in self.namespaces:
            namespace[name] = value
        self.applied.append({"setting": name, "value": shown, "why": why})


def load(namespace, real_name, environ=None):
    """Fills `namespace` (the overlay module's globals) from the real module and overrides."""
    environ = os.environ if environ is None else environ
    complete = import_packages(namespace.get("__name__"), real_name)
    if complete is not None:
        namespace.update(vars(complete))
        return
    real = import_real(namespace, real_name)
    names = [name for name in dir(real) if not name.startswith("__")]
    namespace.update({name: getattr(real, name) for name in names})
    # The real module changes too: parts of a project import it by its own name.
    overrides = Overrides([vars(real), namespace], environ)
    for rule in RULES:
        rule(overrides)
    namespace["TANDEM_OVERRIDES"] = overrides.applied


def import_packages(own_name, real_name):
    """Imports the packages around the settings as if nobody had asked for settings yet: some of them
    call `django.setup()` (a Celery app in `__init__.py`). Returns the overlay that this has loaded."""
    own = sys.modules.pop(own_name, None)
    try:
        if "." in real_name:
            importlib.import_module(real_name.rpartition(".")[0])
        return sys.modules.get(own_name)
    finally:
        if own is not None:
            sys.modules.setdefault(own_name, own)


def import_real(namespace, real_name):
    """Some settings ask `django.conf.settings` for what they have set so far. They find it in the
    module that is being imported; that is ours, so it shows what the real one holds by then."""

    def so_far():
        return vars(sys.modules[real_name]) if real_name in sys.modules else {}

    def get(name):
        try:
            return so_far()[name]
        except KeyError:
            raise AttributeError(name) from None

    namespace.update(__getattr__=get, __dir__=lambda: sorted(so_far()))
    try:
        return importlib.import_module(real_name)
    finally:
        del namespace["__getattr__"], namespace["__dir__"]


def is_public(environ):
    return environ.get("TANDEM_PUBLIC") == "1"


def debug(overrides):
    if is_public(overrides.environ) and overrides.get("DEBUG", False):
        overrides.set("DEBUG", False, "False", "the app answers at a public host")


def secret_key(overrides):
    key = overrides.get("SECRET_KEY", "")
    ours = overrides.environ.get("SECRET_KEY")
    if not ours or key == ours:
        return
    if not key:
        overrides.set("SECRET_KEY", ours, "generated once per app", "the settings leave it empty")
    elif is_public(overrides.environ) and str(key).startswith(INSECURE_PREFIX):
        why = "the committed key is a django-insecure- one and the app is public"
        overrides.set("SECRET_KEY", ours, "generated once per app", why)


def hosts(overrides):
    wanted = [host for host in overrides.environ.get("TANDEM_HOSTS", "").split(",") if host]
    allowed = list(overrides.get("ALLOWED_HOSTS") or [])
    if overrides.get("DEBUG", False) and not allowed:
        # An empty list means these while DEBUG is on; a list with entries does not.
        allowed = [_local_hosts(), "127.0.0.1", "[::1]"]
    missing = [host for host in wanted if not _host_allowed(host, allowed)]
    if missing:
        why = "the app's own hosts must be answered"
        overrides.set("ALLOWED_HOSTS", allowed + missing, ", ".join(missing), why)


def _local_hosts():
    """Since version 3.1 an empty list also means the names below localhost."""
    version = getattr(sys.modules.get("django"), "VERSION", (3, 1))
    return ".localhost" if version >= (3, 1) else "localhost"


def _host_allowed(host, allowed):
    host = host.lower()
    for pattern in (str(entry).lower() for entry in allowed):
        if pattern == "*" or pattern == host:
            return True
        if pattern.startswith(".") and (host.endswith(pattern) or host == pattern[1:]):
            return True
    return False


def database(overrides):
    url = overrides.environ.get("DATABASE_URL", "")
    ours = parse_database_url(url) if url else None
    if ours is None:
        return
    databases = dict(overrides.get("DATABASES") or {})
    current = dict(databases.get("default") or {})
    engine = str(current.get("ENGINE", ""))
    replaced = _database_replacement(current, engine, ours)
    if replaced is None:
        return
    databases["default"] = replaced
    before = engine.rsplit(".", 1)[-1] if engine else "nothing"
    why = _database_reason(engine)
    overrides.set("DATABASES", databases, "%s -> PostgreSQL" % before, why)


def _database_reason(engine):
    if "sqlite" in engine or "spatialite" in engine:
        return "a SQLite file would not outlive a release"
    if not engine or engine.endswith(".dummy"):
        return "the settings name no database"
    if "mysql" in engine:
        return "there is no MySQL here; for one elsewhere set its address with: tandem config set"
    return "the settings point at a database on another machine's localhost"


def _database_replacement(current, engine, ours):
    """The new `default`, or None when the project's own is to stand."""
    address = {key: ours[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    if not engine or engine.endswith((".dummy", ".sqlite3", ".spatialite")):
        spatial = engine.endswith(".spatialite")
        kept = {key: current[key] for key in KEPT_KEYS if key in current}
        kept.update(address, ENGINE=_postgis() if spatial else "django.db.backends.postgresql")
        if ours["OPTIONS"]:
            kept["OPTIONS"] = ours["OPTIONS"]
        return kept
    if str(current.get("HOST") or "") not in ELSEWHERE_HOSTS:
        return None
    if engine.endswith(".mysql"):
        kept = {key: current[key] for key in KEPT_KEYS if key in current}
        return dict(kept, **address, ENGINE="django.db.backends.postgresql")
    if not engine.endswith(("postgresql", "postgresql_psycopg2", "postgis")):
        return None
    return dict(current, **address)


def _postgis():
    return "django.contrib.gis.db.backends.postgis"


def postgres_app(overrides):
    """On PostgreSQL some packages have models that Django's checks refuse without its own app."""
    apps = list(overrides.get("INSTALLED_APPS") or [])
    engine = str(((overrides.get("DATABASES") or {}).get("default") or {}).get("ENGINE", ""))
    wanting = sorted(WANT_POSTGRES_APP.intersection(map(str, apps)))
    if POSTGRES_APP in apps or not wanting or not engine.endswith(("postgresql", "postgis")):
        return
    why = "%s needs it on PostgreSQL" % ", ".join(wanting)
    overrides.set("INSTALLED_APPS", apps + [POSTGRES_APP], "+ " + POSTGRES_APP, why)


def redis(overrides):
    address = parse_address(overrides.environ.get("REDIS_URL", ""))
    if address is None:
        return
    for name in sorted(overrides.namespaces[1]):
        value = overrides.get(name)
        if not name.isupper() or name in REDIS_FREE or not isinstance(value, (str, dict, list, tuple)):
            continue
        ours = redirected(value, address)
        if ours is not value:
            why = "the settings point at Redis on a developer's machine"
            overrides.set(name, ours, "the app's Redis", why)


def static_root(overrides):
    if "django.contrib.staticfiles" not in (overrides.get("INSTALLED_APPS") or []):
        return
    root = overrides.environ.get("TANDEM_STATIC_ROOT", STATIC_ROOT)
    current = overrides.get("STATIC_ROOT")
    if str(current or "") != root:
        why = "the web server of the node serves this directory"
        # Projects join it with a slash when they have set it as a Path.
        value = type(current)(root) if isinstance(current, pathlib.PurePath) else root
        overrides.set("STATIC_ROOT", value, root, why)
        # What was committed there: see committed_static.py.
        overrides.namespaces[-1]["TANDEM_OWN_STATIC_ROOT"] = str(current or "")


def proxy_header(overrides):
    if overrides.get("SECURE_PROXY_SSL_HEADER") is None:
        value = ("HTTP_X_FORWARDED_PROTO", "https")
        why = "TLS ends at the balancer, which replaces this header"
        overrides.set("SECURE_PROXY_SSL_HEADER", value, value[0], why)


def tls(overrides):
    """Of a local address there is no https:// one that visitors could be sent to."""
    if not is_public(overrides.environ) and overrides.get("SECURE_SSL_REDIRECT") is True:
        why = "the app has no public host yet, and so no TLS"
        overrides.set("SECURE_SSL_REDIRECT", False, "False", why)


RULES = (
    debug,
    secret_key,
    hosts,
    database,
    postgres_app,
    redis,
    celery,
    static_root,
    proxy_header,
    tls,
)
