"""Redis in Django settings: addresses that were written for a developer's machine or a compose file
are pointed at the app's own. Values are walked, because each library has a shape of its own: URLs
(caches, Celery), pairs (channels), dictionaries with host and port (RQ, huey, django-q)."""

import re
from urllib.parse import urlsplit

#: What stands for "wherever Redis is", beside names without a dot: no such name exists in a sandbox.
ELSEWHERE_HOSTS = (None, "", "127.0.0.1", "0.0.0.0", "::1")
SCHEMES = ("redis", "rediss", "valkey")
PORT = 6379
DEPTH_MAX = 6
URL = re.compile(r"^(?:rediss?|valkey)://(?:[^@/]*@)?(\[[^\]]*\]|[^:/?#]*)(?::\d+)?(?:/(\d+))?/?$")


class Address:
    """Where the app's own Redis is."""

    def __init__(self, url):
        parts = urlsplit(url)
        self.host = parts.hostname or ""
        self.port = parts.port or PORT
        self.password = parts.password
        self.username = parts.username
        self._base = "%s://%s" % (parts.scheme, parts.netloc)

    def url(self, database):
        return "%s/%s" % (self._base, database or "0")


def parse_address(url):
    """None for what is no URL of Redis."""
    try:
        return Address(url) if urlsplit(url).scheme in SCHEMES else None
    except ValueError:
        return None


def is_elsewhere(host):
    if host is None or isinstance(host, str):
        return host in ELSEWHERE_HOSTS or not set(".:/") & set(host)
    return False


def redirected(value, address, depth=0):
    """The value with every such address replaced; the same object when there is none in it."""
    if depth > DEPTH_MAX:
        return value
    if isinstance(value, str):
        match = URL.match(value)
        ours = match and is_elsewhere(match.group(1).strip("[]"))
        return address.url(match.group(2)) if ours else value
    if isinstance(value, (list, tuple)):
        return _sequence(value, address, depth)
    if type(value) is dict:
        return _dictionary(value, address, depth)
    return value


def is_host(value):
    return isinstance(value, str) and is_elsewhere(value)


def is_port(value, port):
    """Only plain values are compared: a lazy translation would be made, before there are any."""
    return isinstance(value, (int, str)) and str(value) == str(port)


def _sequence(value, address, depth):
    if len(value) == 2 and is_host(value[0]) and is_port(value[1], PORT):
        return address.url("0")
    items = [redirected(item, address, depth + 1) for item in value]
    if all(new is old for new, old in zip(items, value)):
        return value
    return items if isinstance(value, list) else tuple(items)


def _dictionary(value, address, depth):
    changed = {key: redirected(item, address, depth + 1) for key, item in value.items()}
    for upper in (True, False):
        host, port, password = [
            name.upper() if upper else name for name in ("host", "port", "password")
        ]
        if is_host(value.get(host)) and is_port(value.get(port), PORT):
            changed.update({host: address.host, port: address.port})
            if address.password:
                changed[password] = address.password
    return value if all(changed.get(key) is value[key] for key in value) else changed


def mentions(value, address, depth=0):
    """Whether the app's own Redis stands in it."""
    if depth > DEPTH_MAX:
        return False
    if isinstance(value, str):
        return ("%s:%d" % (address.host, address.port)) in value
    if isinstance(value, dict):
        host = value.get("HOST", value.get("host"))
        port = value.get("PORT", value.get("port"))
        if isinstance(host, str) and host == address.host and is_port(port, address.port):
            return True
        return any(mentions(item, address, depth + 1) for item in value.values())
    if isinstance(value, (list, tuple, set, frozenset)):
        return any(mentions(item, address, depth + 1) for item in value)
    return False
