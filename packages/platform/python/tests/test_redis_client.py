"""Connections of redis-py, by classes with the shape of old and new versions."""

import types
import unittest

from tandem_runtime.redis_client import direct_connections

ENVIRON = {"REDIS_URL": "redis://:secret@redis.internal:6379/0"}


def connect(environ=ENVIRON, **arguments):
    class Connection:
        def __init__(self, host="localhost", port=6379, password=None, **more):
            self.host, self.port, self.password = host, port, password
            vars(self).update(more)

    direct_connections(types.SimpleNamespace(Connection=Connection), environ)
    connection = Connection(**arguments)
    return connection.host, connection.port, connection.password


OWN = ("redis.internal", 6379, "secret")


class Connections(unittest.TestCase):
    def test_to_the_developers_machine_are_to_ours(self):
        self.assertEqual(connect(), OWN)
        for host in ("redis", "127.0.0.1", "::1", "cache"):
            self.assertEqual(connect(host=host, password="theirs"), OWN)
        self.assertEqual(connect(port="6379"), OWN)

    def test_to_ours_have_its_password(self):
        self.assertEqual(connect(host="redis.internal"), OWN)
        given = connect(host="redis.internal", password="given")
        self.assertEqual(given, ("redis.internal", 6379, "given"))
        provided = connect(host="redis.internal", credential_provider=object())
        self.assertEqual(provided[2], None)

    def test_elsewhere_stand(self):
        for host, port in (("r.example.com", 6379), ("10.0.0.5", 6379), ("localhost", 6380)):
            self.assertEqual(connect(host=host, port=port), (host, port, None))

    def test_stand_without_a_server(self):
        self.assertEqual(connect(environ={}), ("localhost", 6379, None))

    def test_without_a_host_stand(self):
        self.assertEqual(connect(host=None), (None, 6379, None))


if __name__ == "__main__":
    unittest.main()
