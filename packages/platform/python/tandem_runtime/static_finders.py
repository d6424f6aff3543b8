"""What Django's collectstatic reads, put right where it would stop or leave out what the site needs."""

import os

#: Django's own, for everything hidden.
HIDDEN = ".*"
#: Since version 5 Vite writes its manifest into a hidden directory; its cache lies in one too.
VITE = ".vite"
VITE_CACHES = ["*/.vite/deps*", "*/node_modules/.vite/*"]


def leave_out_missing():
    """Before version 4.0 Django's collectstatic stops at a directory of STATICFILES_DIRS that does not
    exist, though nothing else of Django minds. Returns those that the finders now go without."""
    from django.contrib.staticfiles.finders import FileSystemFinder, get_finders

    missing = []
    for finder in get_finders():
        if isinstance(finder, FileSystemFinder):
            gone = [one for one in finder.locations if not os.path.isdir(str(one[1]))]
            finder.locations = [one for one in finder.locations if one not in gone]
            missing.extend(str(directory) for _, directory in gone)
    return missing


def keep_vite_manifests():
    """Lets collectstatic take the hidden directory with the manifest, which templates read where the
    files are collected. Projects with Vite pass --no-default-ignore for it."""
    from django.apps import apps

    config = apps.get_app_config("staticfiles")
    patterns = getattr(config, "ignore_patterns", None)
    if patterns and HIDDEN in patterns:
        others = [pattern for pattern in patterns if pattern != HIDDEN]
        config.ignore_patterns = others + hidden_except(VITE) + VITE_CACHES


def hidden_except(name):
    """Patterns of the shell that match each hidden name but this one, nor a path that begins with it."""
    differs = ["%s[!%s]*" % (name[:end], name[end]) for end in range(1, len(name))]
    shorter = [name[:end] for end in range(2, len(name))]
    return differs + shorter + [name + "[!/]*"]
