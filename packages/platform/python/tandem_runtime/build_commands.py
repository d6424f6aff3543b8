"""Commands that a project needs beside collectstatic, taken by the build because a release is
read-only: translations are compiled, style sheets compressed and bundles of Flask-Assets built."""

import os
import shutil

FOREIGN = ("node_modules", "venv", ".venv", "env", "site-packages", "__pycache__")
DATABASE_CACHE = "django.core.cache.backends.db.DatabaseCache"


def uses_cache_table(settings):
    caches = getattr(settings, "CACHES", None) or {}
    return any(cache.get("BACKEND") == DATABASE_CACHE for cache in caches.values())


def uncompiled_messages(directory):
    """Files with translations that nobody has compiled."""
    found = []
    for path, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if name not in FOREIGN and name[0] != "."]
        if os.path.basename(path) == "LC_MESSAGES":
            sources = (name for name in names if name.endswith(".po"))
            found += [os.path.join(path, name) for name in sources if name[:-3] + ".mo" not in names]
    return found


def compile_messages(preparation):
    missing = uncompiled_messages(os.getcwd())
    if not missing:
        return
    count = "%d files" % len(missing)
    if shutil.which("msgfmt") is None:
        preparation.note("messages", "not compiled", "msgfmt of gettext is not there: %s" % count)
        return
    from django.core.management import CommandError, call_command

    try:
        call_command("compilemessages", verbosity=0)
    except CommandError as error:
        preparation.note("messages", "not compiled", str(error)[:200])
    else:
        preparation.note("messages", "%s compiled" % count, "they are not in the source")


def compress_offline(preparation, settings):
    if "compressor" not in settings.INSTALLED_APPS:
        return
    if not (getattr(settings, "COMPRESS_ENABLED", False) and getattr(settings, "COMPRESS_OFFLINE", False)):
        return
    from django.core.management import call_command

    call_command("compress", force=True, verbosity=0)
    preparation.note("static", "compressed", "COMPRESS_OFFLINE is set")


def build_bundles(preparation, application):
    """Of Flask-Assets, which would write them into its static folder when a page first names them."""
    environment = getattr(getattr(application, "jinja_env", None), "assets_environment", None)
    if environment is None:
        return
    with application.app_context():
        bundles = list(environment)
        for bundle in bundles:
            bundle.build()
    if bundles:
        preparation.note("static", "%d bundles built" % len(bundles), "Flask-Assets would write them")
