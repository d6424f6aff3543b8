"""Connections of redis-py that cannot mean anything but the app's own Redis.

Outside of settings, projects write `Redis(host="redis")` into their code, or read a host and know no
password. Both end at the app's own server, which nobody else can reach.
"""

import functools
import os

from tandem_runtime.redis_settings import PORT, is_elsewhere, parse_address


def direct_connections(module, environ=None):
    """Changes `Connection` of `redis.connection` or of its twin for asyncio, of any version."""
    environ = os.environ if environ is None else environ
    server = parse_address(environ.get("REDIS_URL", ""))
    if server is None:
        return
    connection = module.Connection
    original = connection.__init__

    @functools.wraps(original)
    def init(self, *args, **kwargs):
        original(self, *args, **kwargs)
        _direct(self, server)

    connection.__init__ = init


def _direct(connection, server):
    host = getattr(connection, "host", None)
    if isinstance(host, str) and is_elsewhere(host) and str(connection.port) == str(PORT):
        connection.host, connection.port = server.host, server.port
        connection.username, connection.password = None, server.password
    elif host is not None and host == server.host and not connection.password:
        if getattr(connection, "credential_provider", None) is None:
            connection.password = server.password
