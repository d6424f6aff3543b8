"""Reads DATABASE_URL into what Django's DATABASES wants."""

from urllib.parse import parse_qsl, unquote, urlsplit

SCHEMES = ("postgres", "postgresql", "postgis")


def parse_database_url(url):
    """NAME, USER, PASSWORD, HOST, PORT and OPTIONS; None for anything but PostgreSQL."""
    parts = urlsplit(url)
    if parts.scheme.split("+")[0] not in SCHEMES:
        return None
    return {
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
    }
