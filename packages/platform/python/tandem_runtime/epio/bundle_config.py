"""`from bundle_config import config`, as projects of the ep.io system do (2011).

`config` maps names of services to their settings: `config["postgres"]["host"]`. All values are
strings. Each part is read from the environment when it is first asked for, so an app without a
Redis can import this all the same; `"redis" in config` says whether there is one.
"""

import os
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

#: Where files go while the app has no volume that holds its data directory.
SCRATCH_DIRECTORY = "/tmp/data"
REDIS_PORT = "6379"
POSTGRES_PORT = "5432"


def _postgres(environ):
    parts = _address(environ, "DATABASE_URL", ("postgres", "postgresql", "postgis"))
    return parts and {
        "host": unquote(parts.hostname or ""),
        "port": str(parts.port or POSTGRES_PORT),
        "database": unquote(parts.path.lstrip("/")),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }


def _redis(environ):
    parts = _address(environ, "REDIS_URL", ("redis", "rediss"))
    return parts and {
        "host": unquote(parts.hostname or ""),
        "port": str(parts.port or REDIS_PORT),
        "database": parts.path.strip("/") or "0",
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
    }


def _core(environ):
    return {
        "data_directory": _data_directory(environ),
        "version": environ.get("TANDEM_RELEASE", "build"),
    }


def _address(environ, name, schemes):
    """The parts of a URL, None when the variable is not set or names another kind of service."""
    parts = urlsplit(environ.get(name, ""))
    return parts if parts.scheme.split("+")[0] in schemes else None


def _data_directory(environ):
    """One that exists and can be written, as the old system promised."""
    wanted = environ.get("TANDEM_DATA_DIRECTORY", "")
    for path in (wanted, SCRATCH_DIRECTORY):
        try:
            if path:
                os.makedirs(path, exist_ok=True)
        except OSError:
            continue
        if path and os.access(path, os.W_OK):
            return path
    return wanted or SCRATCH_DIRECTORY


class Config(Mapping):
    """Read-only: it describes what the platform set up."""

    PARTS = {
        "core": (_core, ""),
        "postgres": (_postgres, "DATABASE_URL names no PostgreSQL"),
        "redis": (_redis, "REDIS_URL names no Redis"),
    }

    def __init__(self, environ):
        self._environ = environ
        self._read = {}

    def __getitem__(self, name):
        if name not in self._read:
            read, missing = self.PARTS.get(name, (None, "there is no such service here"))
            value = read(self._environ) if read else None
            if value is None:
                raise KeyError("%s (bundle_config: %s)" % (name, missing))
            self._read[name] = value
        return self._read[name]

    def __iter__(self):
        return (name for name in self.PARTS if name in self)

    def __len__(self):
        return sum(1 for _ in self)

    def __repr__(self):
        # Passwords stay out of logs.
        return "<bundle_config: %s>" % ", ".join(self)


config = Config(os.environ)
