"""Folders of static files: those that an application serves itself (Flask's and its blueprints',
Starlette's StaticFiles), and those that Django collects."""

import os


def static_folders(application):
    found = list(flask_folders(application)) + list(starlette_folders(application))
    return [
        {"url": url, "directory": os.path.realpath(str(directory))}
        for url, directory in found
        if url and directory and os.path.isdir(str(directory))
    ]


def flask_folders(application):
    url_map = getattr(application, "url_map", None)
    blueprints = getattr(application, "blueprints", None)
    if url_map is None or blueprints is None:
        return
    for rule in url_map.iter_rules():
        owner, _, name = str(rule.endpoint).rpartition(".")
        if name != "static" or getattr(rule, "host", None) or getattr(rule, "subdomain", None):
            continue
        holder = blueprints.get(owner) if owner else application
        # One argument, the path of the file: anything else is a view that happens to have the name.
        if rule.arguments == {"filename"} and rule.rule.endswith("<path:filename>"):
            yield rule.rule[: -len("<path:filename>")], getattr(holder, "static_folder", None)


def starlette_folders(application, prefix=""):
    for route in getattr(application, "routes", None) or ():
        inner = getattr(route, "app", None)
        directory = getattr(inner, "directory", None)
        # With html=True it also answers for directories.
        if type(inner).__name__ == "StaticFiles" and directory and not getattr(inner, "html", False):
            yield prefix + str(route.path), directory
