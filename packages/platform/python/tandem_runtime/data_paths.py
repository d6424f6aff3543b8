"""Where a project keeps data, by its settings: uploads, log files, SQLite databases."""

import os
import uuid


def media_facts(settings):
    """None when it keeps no uploads on this disk."""
    root = str(settings.MEDIA_ROOT or "")
    if not root:
        return None
    from django.core.files.storage import FileSystemStorage, default_storage

    # Touched, so that the lazy object becomes what it stands for.
    location = getattr(default_storage, "location", None)
    if not isinstance(default_storage, FileSystemStorage) or location is None:
        return None
    url = str(settings.MEDIA_URL or "")
    return {"root": os.path.abspath(root), "url": url, "isServedByApp": is_served_by_app(url)}


def is_served_by_app(url):
    """Whether a view of the project's own answers below MEDIA_URL: it may look at who asks."""
    name = uuid.uuid4().hex
    path = "/" + url.lstrip("/")
    mine = view_of(path + name + ".bin")
    if mine is None or getattr(mine, "__module__", "") == "django.views.static":
        return False
    # One that answers anything answers this too.
    return mine is not view_of("/" + name + "/" + name + ".bin")


def view_of(path):
    from django.urls import Resolver404, resolve

    try:
        return resolve(path).func
    except Resolver404:
        return None


def data_files(settings):
    """Absolute paths, each with what it is."""
    files = []
    handlers = (settings.LOGGING or {}).get("handlers") or {}
    for handler in handlers.values():
        if isinstance(handler, dict) and isinstance(handler.get("filename"), (str, os.PathLike)):
            files.append((handler["filename"], "a log of the settings is written there"))
    for alias, database in settings.DATABASES.items():
        name = str(database.get("NAME") or "")
        is_file = str(database.get("ENGINE") or "").endswith(("sqlite3", "spatialite"))
        if is_file and name and ":memory:" not in name and not name.startswith("file:"):
            files.append((name, "the SQLite database %s" % alias))
    return [{"path": os.path.abspath(str(path)), "what": what} for path, what in files]


def flask_data_files(application):
    """As `data_files`: the database of Flask-SQLAlchemy, where its URL is that of a file."""
    config = getattr(application, "config", None) or {}
    urls = [("SQLALCHEMY_DATABASE_URI", config.get("SQLALCHEMY_DATABASE_URI"))]
    urls.extend((config.get("SQLALCHEMY_BINDS") or {}).items())
    found = [(name, sqlite_path(url)) for name, url in urls]
    return [{"path": path, "what": "the SQLite database %s" % name} for name, path in found if path]


def sqlite_path(url):
    """`sqlite:////srv/site.db?timeout=5` -> `/srv/site.db`; None for others, relative ones too."""
    scheme, found, path = str(url).partition(":///")
    if not found or scheme.split("+")[0] != "sqlite" or not path.startswith("/"):
        return None
    return os.path.abspath(path.split("?")[0])
