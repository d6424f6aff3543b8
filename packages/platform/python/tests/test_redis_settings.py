"""Addresses of Redis, and what Celery is told. Standard library only."""

import unittest

from tandem_runtime.celery_settings import celery
from tandem_runtime.overlay import Overrides, redis
from tandem_runtime.redis_settings import is_elsewhere

URL = "redis://:secret@redis.internal:6379/0"


def load(settings, **environ):
    """The settings after both rules, what they said, and the environment they left."""
    environ.setdefault("REDIS_URL", URL)
    namespace = dict(settings)
    overrides = Overrides([namespace, namespace], environ)
    redis(overrides)
    celery(overrides)
    return namespace, overrides.applied, environ


def loaded(name, value):
    return load({name: value})[0][name]


class Hosts(unittest.TestCase):
    def test_without_a_dot_exist_on_the_developers_machine_only(self):
        for host in (None, "", "localhost", "redis-server", "my_redis", "127.0.0.1", "0.0.0.0", "::1"):
            self.assertTrue(is_elsewhere(host), host)
        for host in ("redis.internal", "10.0.0.5", "fd00::1", 6379, ["redis"]):
            self.assertFalse(is_elsewhere(host), host)

    def test_of_any_name_in_a_compose_file_become_ours(self):
        for host in ("redis-server", "my_redis", "[::1]"):
            self.assertEqual(loaded("X", "redis://%s:6379/0" % host), URL)
        layers = {"default": {"CONFIG": {"hosts": [("redis-cache", 6379)]}}}
        self.assertEqual(loaded("CHANNEL_LAYERS", layers)["default"]["CONFIG"]["hosts"], [URL])
        queues = {"default": {"HOST": "redis-queue", "PORT": 6379, "DB": 2}}
        self.assertEqual(loaded("RQ_QUEUES", queues)["default"]["PASSWORD"], "secret")


class Celery(unittest.TestCase):
    def test_a_broker_that_is_not_here_becomes_redis(self):
        for url in ("amqp://guest:guest@rabbitmq:5672//", "amqp://", "pyamqp://localhost"):
            self.assertEqual(loaded("CELERY_BROKER_URL", url), URL)
        real = "amqps://user@rabbit.example.com/vhost"
        for url in (real, "amqp://[", "", None, 7):
            self.assertEqual(loaded("CELERY_BROKER_URL", url), url)

    def test_is_shown_without_the_password(self):
        _, said, _ = load({"BROKER_URL": "amqp://"})
        self.assertEqual([one["setting"] for one in said], ["BROKER_URL"])
        self.assertNotIn("secret", repr(said))

    def test_its_variables_do_not_win_over_settings(self):
        variables = {"CELERY_BROKER_URL": URL, "CELERY_RESULT_BACKEND": URL}
        own = {"CELERY_BROKER_URL": "redis://redis/5", "CELERY_RESULT_BACKEND": "django-db"}
        environ = load(own, **variables)[2]
        self.assertEqual(set(environ), {"REDIS_URL"})

    def test_its_variables_stay_where_the_project_reads_them(self):
        variables = {"CELERY_BROKER_URL": URL, "CELERY_RESULT_BACKEND": URL}
        environ = load(dict(variables), **variables)[2]
        self.assertEqual(environ, dict(variables, REDIS_URL=URL))

    def test_no_results_are_kept_that_nobody_asked_for(self):
        variables = {"CELERY_BROKER_URL": URL, "CELERY_RESULT_BACKEND": URL}
        environ = load({}, **variables)[2]
        self.assertEqual(environ, {"REDIS_URL": URL, "CELERY_BROKER_URL": URL})

    def test_without_a_server_nothing_changes(self):
        settings = {"BROKER_URL": "amqp://"}
        for url in ("", "not a url", "http://x/"):
            self.assertEqual(load(settings, REDIS_URL=url)[0], settings)


if __name__ == "__main__":
    unittest.main()
