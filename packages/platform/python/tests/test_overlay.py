"""Rules of the settings overlay. Standard library only, so any interpreter can run them."""

import importlib
import importlib.machinery
import pathlib
import sys
import types
import unittest

from tandem_runtime import overlay
from tandem_runtime.database_url import parse_database_url

URL = "postgresql://app:s%2Fcret@pg.internal:5433/app7?sslmode=disable"
SQLITE = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "db.sqlite3"}}


def load(settings, **environ):
    """The overlay of a module with these settings."""
    real = types.ModuleType("real_settings")
    vars(real).update(settings)
    sys.modules["real_settings"] = real
    try:
        namespace = {}
        overlay.load(namespace, "real_settings", environ)
    finally:
        del sys.modules["real_settings"]
    for name in ("DEBUG", "ALLOWED_HOSTS", "DATABASES", "SECRET_KEY"):
        assert namespace.get(name) == vars(real).get(name), "the real module must change too"
    return namespace


def overridden(namespace):
    return [override["setting"] for override in namespace["TANDEM_OVERRIDES"]]


class Partial(unittest.TestCase):
    def test_packages_around_the_settings_may_ask_for_them(self):
        """As `django.setup()` in the `__init__.py` of the project does, by way of a Celery app."""
        asked = {}

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name in ("site_of_shop", "site_of_shop.settings", "tandem_settings"):
                    is_package = name == "site_of_shop"
                    return importlib.machinery.ModuleSpec(name, self, is_package=is_package)

            def create_module(self, spec):
                return None

            def exec_module(self, module):
                if module.__name__ == "tandem_settings":
                    overlay.load(vars(module), "site_of_shop.settings", {"SECRET_KEY": "ours"})
                elif module.__name__ == "site_of_shop":
                    asked.update(vars(importlib.import_module("tandem_settings")))
                else:
                    module.INSTALLED_APPS = ["shop"]
                    module.SECRET_KEY = ""

        finder = Finder()
        sys.meta_path.insert(0, finder)
        try:
            settings = importlib.import_module("tandem_settings")
        finally:
            sys.meta_path.remove(finder)
            for name in ("site_of_shop.settings", "site_of_shop", "tandem_settings"):
                sys.modules.pop(name, None)
        self.assertEqual((asked["INSTALLED_APPS"], asked["SECRET_KEY"]), (["shop"], "ours"))
        self.assertEqual((settings.INSTALLED_APPS, settings.SECRET_KEY), (["shop"], "ours"))
        self.assertEqual(overridden(vars(settings)), ["SECRET_KEY", "SECURE_PROXY_SSL_HEADER"])

    def test_settings_may_ask_for_what_they_have_set_so_far(self):
        overlaid = types.ModuleType("tandem_settings")
        seen = {}

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == "half_settings":
                    return importlib.machinery.ModuleSpec(name, self)

            def create_module(self, spec):
                return None

            def exec_module(self, module):
                module.BASE_DIR = "/app"
                seen["BASE_DIR"] = overlaid.BASE_DIR
                seen["names"] = [name for name in dir(overlaid) if name.isupper()]
                seen["missing"] = hasattr(overlaid, "LATER")

        finder = Finder()
        sys.meta_path.insert(0, finder)
        try:
            overlay.load(vars(overlaid), "half_settings", {})
        finally:
            sys.meta_path.remove(finder)
            sys.modules.pop("half_settings", None)
        self.assertEqual(seen, {"BASE_DIR": "/app", "names": ["BASE_DIR"], "missing": False})
        self.assertFalse(hasattr(overlaid, "__getattr__"))


class Tls(unittest.TestCase):
    def test_redirects_wait_for_a_public_host(self):
        self.assertFalse(load({"SECURE_SSL_REDIRECT": True})["SECURE_SSL_REDIRECT"])

    def test_redirects_stand_with_one(self):
        result = load({"SECURE_SSL_REDIRECT": True}, TANDEM_PUBLIC="1")
        self.assertTrue(result["SECURE_SSL_REDIRECT"])


REDIS = "redis://app7:pw@[fd00::7]:6379/0"


class Redis(unittest.TestCase):
    def load(self, **settings):
        return load(settings, REDIS_URL=REDIS)

    def test_urls_keep_their_database(self):
        caches = {"default": {"BACKEND": "x", "LOCATION": "redis://127.0.0.1:6379/1"}}
        result = self.load(CACHES=caches, CELERY_BROKER_URL="redis://redis:6379")
        self.assertEqual(result["CACHES"]["default"]["LOCATION"], "redis://app7:pw@[fd00::7]:6379/1")
        self.assertEqual(result["CELERY_BROKER_URL"], REDIS)
        self.assertLess({"CACHES", "CELERY_BROKER_URL"}, set(overridden(result)))

    def test_pairs_and_dictionaries(self):
        layers = {"default": {"CONFIG": {"hosts": [("localhost", 6379)]}}}
        queues = {"default": {"HOST": "localhost", "PORT": 6379, "DB": 2}}
        result = self.load(CHANNEL_LAYERS=layers, RQ_QUEUES=queues)
        self.assertEqual(result["CHANNEL_LAYERS"]["default"]["CONFIG"]["hosts"], [REDIS])
        self.assertEqual(
            result["RQ_QUEUES"]["default"],
            {"HOST": "fd00::7", "PORT": 6379, "PASSWORD": "pw", "DB": 2},
        )
        self.assertEqual(layers["default"]["CONFIG"]["hosts"], [("localhost", 6379)])

    def test_lazy_values_are_left_alone(self):
        class Lazy:
            def __eq__(self, other):
                raise AssertionError("compared")

            __str__ = __eq__

        languages = (("en", Lazy()), ("pt-br", Lazy()))
        names = {"host": Lazy(), "port": Lazy(), "HOST": "localhost", "PORT": Lazy()}
        result = self.load(LANGUAGES=languages, NAMES=names, PAIR=("localhost", Lazy()))
        self.assertIs(result["LANGUAGES"], languages)
        self.assertIs(result["NAMES"], names)

    def test_another_server_stands(self):
        location = "redis://cache.example.com:6379/1"
        result = self.load(CACHES={"default": {"LOCATION": location}}, A="localhost", B=["x.example.com", 6379])
        self.assertEqual(overridden(result), ["SECURE_PROXY_SSL_HEADER"])

    def test_without_one_nothing_changes(self):
        result = load({"CELERY_BROKER_URL": "redis://localhost"})
        self.assertEqual(overridden(result), ["SECURE_PROXY_SSL_HEADER"])


class Debug(unittest.TestCase):
    def test_stands_while_the_app_is_local(self):
        self.assertTrue(load({"DEBUG": True})["DEBUG"])

    def test_is_off_once_the_app_is_public(self):
        result = load({"DEBUG": True}, TANDEM_PUBLIC="1")
        self.assertFalse(result["DEBUG"])
        self.assertIn("DEBUG", overridden(result))


class SecretKey(unittest.TestCase):
    def test_fills_an_empty_one(self):
        self.assertEqual(load({"SECRET_KEY": ""}, SECRET_KEY="ours")["SECRET_KEY"], "ours")
        self.assertEqual(load({}, SECRET_KEY="ours")["SECRET_KEY"], "ours")

    def test_replaces_a_committed_insecure_one_only_in_public(self):
        settings = {"SECRET_KEY": "django-insecure-abc"}
        self.assertEqual(load(settings, SECRET_KEY="ours")["SECRET_KEY"], "django-insecure-abc")
        public = load(settings, SECRET_KEY="ours", TANDEM_PUBLIC="1")
        self.assertEqual(public["SECRET_KEY"], "ours")

    def test_leaves_the_projects_own(self):
        result = load({"SECRET_KEY": "own"}, SECRET_KEY="ours", TANDEM_PUBLIC="1")
        self.assertEqual(result["SECRET_KEY"], "own")


class Hosts(unittest.TestCase):
    def test_adds_what_is_missing(self):
        result = load({"ALLOWED_HOSTS": ["a.example"]}, TANDEM_HOSTS="a.example,b.example")
        self.assertEqual(result["ALLOWED_HOSTS"], ["a.example", "b.example"])

    def test_understands_patterns(self):
        for allowed in (["*"], [".example"], ["B.Example"]):
            result = load({"ALLOWED_HOSTS": allowed}, TANDEM_HOSTS="b.example")
            self.assertEqual(result["ALLOWED_HOSTS"], allowed)

    def test_keeps_what_an_empty_list_means_under_debug(self):
        settings = {"ALLOWED_HOSTS": [], "DEBUG": True}
        self.assertEqual(load(settings, TANDEM_HOSTS="x.localhost")["ALLOWED_HOSTS"], [])
        result = load(settings, TANDEM_HOSTS="x.example")
        self.assertEqual(result["ALLOWED_HOSTS"][-1], "x.example")
        self.assertIn(".localhost", result["ALLOWED_HOSTS"])

    def test_an_older_django_means_less_by_an_empty_list(self):
        django = types.ModuleType("django")
        django.VERSION = (2, 2, 28, "final", 0)
        present = sys.modules.get("django")
        sys.modules["django"] = django
        try:
            result = load({"DEBUG": True}, TANDEM_HOSTS="x.localhost")
        finally:
            sys.modules.pop("django")
            if present is not None:
                sys.modules["django"] = present
        self.assertEqual(result["ALLOWED_HOSTS"], ["localhost", "127.0.0.1", "[::1]", "x.localhost"])


class Database(unittest.TestCase):
    def default(self, databases, **environ):
        return load({"DATABASES": databases}, DATABASE_URL=URL, **environ)["DATABASES"]["default"]

    def test_sqlite_becomes_postgresql(self):
        expected = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "app7",
            "USER": "app",
            "PASSWORD": "s/cret",
            "HOST": "pg.internal",
            "PORT": "5433",
            "OPTIONS": {"sslmode": "disable"},
        }
        self.assertEqual(self.default(SQLITE), expected)

    def test_keeps_what_does_not_depend_on_the_engine(self):
        sqlite = {"default": dict(SQLITE["default"], CONN_MAX_AGE=60, ATOMIC_REQUESTS=True)}
        result = self.default(sqlite)
        self.assertEqual((result["CONN_MAX_AGE"], result["ATOMIC_REQUESTS"]), (60, True))

    def test_no_database_becomes_postgresql(self):
        self.assertEqual(self.default({})["HOST"], "pg.internal")

    def test_a_database_on_localhost_gets_our_address_and_keeps_its_engine(self):
        postgis = "django.contrib.gis.db.backends.postgis"
        result = self.default({"default": {"ENGINE": postgis, "HOST": "localhost", "NAME": "x"}})
        self.assertEqual((result["ENGINE"], result["HOST"]), (postgis, "pg.internal"))

    def test_leaves_databases_elsewhere_and_other_engines(self):
        for engine in ("postgresql", "mysql"):
            remote = {"ENGINE": "django.db.backends." + engine, "HOST": "db.example.com"}
            self.assertEqual(self.default({"default": remote}), remote)
        oracle = {"ENGINE": "django.db.backends.oracle", "HOST": ""}
        self.assertEqual(self.default({"default": oracle}), oracle)

    def test_takes_the_place_of_a_mysql_that_is_not_there(self):
        for host in ("", "127.0.0.1", "mysql"):
            mysql = {"ENGINE": "django.db.backends.mysql", "HOST": host, "OPTIONS": {"charset": "x"}}
            result = self.default({"default": dict(mysql, ATOMIC_REQUESTS=True)})
            self.assertEqual(result["ENGINE"], "django.db.backends.postgresql")
            self.assertEqual((result["HOST"], result["ATOMIC_REQUESTS"]), ("pg.internal", True))
            self.assertNotIn("OPTIONS", result)

    def test_leaves_everything_without_a_url(self):
        self.assertEqual(load({"DATABASES": SQLITE})["DATABASES"], SQLITE)

    def test_other_schemes_are_not_ours(self):
        self.assertIsNone(parse_database_url("mysql://u:p@h/d"))


class PostgresApp(unittest.TestCase):
    WAGTAIL = {"DATABASES": SQLITE, "INSTALLED_APPS": ["wagtail.search"]}

    def test_comes_with_a_package_that_has_models_for_it(self):
        result = load(self.WAGTAIL, DATABASE_URL=URL)
        self.assertEqual(result["INSTALLED_APPS"], ["wagtail.search", "django.contrib.postgres"])
        self.assertIn("INSTALLED_APPS", overridden(result))

    def test_is_left_out_without_such_a_package_or_without_postgresql(self):
        plain = load({"DATABASES": SQLITE, "INSTALLED_APPS": ["a"]}, DATABASE_URL=URL)
        self.assertEqual(plain["INSTALLED_APPS"], ["a"])
        self.assertEqual(load(self.WAGTAIL)["INSTALLED_APPS"], ["wagtail.search"])

    def test_is_not_added_twice(self):
        apps = ["django.contrib.postgres", "wagtail.search"]
        result = load({"DATABASES": SQLITE, "INSTALLED_APPS": apps}, DATABASE_URL=URL)
        self.assertEqual(result["INSTALLED_APPS"], apps)


class Rest(unittest.TestCase):
    def test_static_root_only_with_staticfiles(self):
        self.assertNotIn("STATIC_ROOT", load({"INSTALLED_APPS": []}))
        result = load({"INSTALLED_APPS": ["django.contrib.staticfiles"], "STATIC_ROOT": "x"})
        self.assertEqual(result["STATIC_ROOT"], "/static")

    def test_static_root_stays_a_path_where_it_is_one(self):
        root = pathlib.Path("/srv/static")
        result = load({"INSTALLED_APPS": ["django.contrib.staticfiles"], "STATIC_ROOT": root})
        self.assertEqual(result["STATIC_ROOT"], pathlib.Path("/static"))

    def test_proxy_header_only_when_unset(self):
        self.assertEqual(load({})["SECURE_PROXY_SSL_HEADER"][0], "HTTP_X_FORWARDED_PROTO")
        own = ("HTTP_X_FORWARDED_PROTOCOL", "ssl")
        result = load({"SECURE_PROXY_SSL_HEADER": own})
        self.assertEqual(result["SECURE_PROXY_SSL_HEADER"], own)

    def test_each_override_has_a_reason(self):
        result = load({"DEBUG": True, "DATABASES": SQLITE}, DATABASE_URL=URL, TANDEM_PUBLIC="1")
        self.assertTrue(all(override["why"] for override in result["TANDEM_OVERRIDES"]))


class GunicornConfiguration(unittest.TestCase):
    def load(self, **environ):
        import os

        before = dict(os.environ)
        os.environ.update(environ)
        try:
            sys.modules.pop("tandem_runtime.gunicorn_conf", None)
            return importlib.import_module("tandem_runtime.gunicorn_conf")
        finally:
            os.environ.clear()
            os.environ.update(before)

    def test_workers_follow_the_size(self):
        self.assertEqual(self.load(WEB_CONCURRENCY="5").workers, 5)
        self.assertEqual(self.load(TANDEM_MEMORY_BYTES=str(512 * 1024 * 1024)).workers, 2)

    def test_the_platform_binds(self):
        self.assertEqual(self.load(PORT="8000").bind, ["[::]:8000"])


if __name__ == "__main__":
    unittest.main()
