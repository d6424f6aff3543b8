"""`bundle_config` of the ep.io system, in the shape its projects read it."""

import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest

RUNTIME = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EPIO = os.path.join(RUNTIME, "tandem_runtime", "epio")
URL = "postgresql://app:s%2Fcret@pg.internal:5433/app7?sslmode=disable"


def load_module():
    path = os.path.join(EPIO, "bundle_config.py")
    spec = importlib.util.spec_from_file_location("bundle_config", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load(**environ):
    return load_module().Config(environ)


class BundleConfigTests(unittest.TestCase):
    def test_the_database_is_that_of_database_url(self):
        self.assertEqual(
            load(DATABASE_URL=URL)["postgres"],
            {
                "host": "pg.internal",
                "port": "5433",
                "database": "app7",
                "username": "app",
                "password": "s/cret",
            },
        )

    def test_projects_read_it_in_these_ways(self):
        config = load(DATABASE_URL=URL, REDIS_URL="redis://:pw@10.0.0.1:7000/2")
        self.assertEqual(int(config["postgres"]["port"]), 5433)
        self.assertEqual("{0[host]}:{0[port]}".format(config["redis"]), "10.0.0.1:7000")
        self.assertEqual("{host}".format(**config["redis"]), "10.0.0.1")
        self.assertEqual(config["redis"]["host"] + ":" + config["redis"]["port"], "10.0.0.1:7000")
        self.assertEqual(config["redis"]["password"], "pw")
        self.assertEqual(config.get("redis", {}).get("database"), "2")

    def test_default_ports(self):
        config = load(DATABASE_URL="postgres://h/d", REDIS_URL="redis://h")
        self.assertEqual(config["postgres"]["port"], "5432")
        self.assertEqual(config["redis"]["port"], "6379")

    def test_a_service_that_is_not_there_is_said_to_be_missing(self):
        config = load()
        self.assertNotIn("postgres", config)
        self.assertIsNone(config.get("redis"))
        with self.assertRaisesRegex(KeyError, "REDIS_URL names no Redis"):
            config["redis"]
        with self.assertRaisesRegex(KeyError, "solr.*no such service"):
            config["solr"]

    def test_another_kind_of_database_is_no_postgres(self):
        self.assertNotIn("postgres", load(DATABASE_URL="mysql://a:b@h/d"))
        self.assertNotIn("postgres", load(DATABASE_URL="sqlite:///x.db"))

    def test_nothing_is_read_before_it_is_asked_for(self):
        environ = {}
        config = load()
        config._environ = environ
        environ["REDIS_URL"] = "redis://late:1"
        self.assertEqual(config["redis"]["host"], "late")

    def test_the_version_is_the_release(self):
        with tempfile.TemporaryDirectory() as root:
            config = load(TANDEM_RELEASE="v7", TANDEM_DATA_DIRECTORY=root)
            self.assertEqual(config["core"]["version"], "v7")
            self.assertEqual(load(TANDEM_DATA_DIRECTORY=root)["core"]["version"], "build")

    def test_the_data_directory_exists(self):
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, "deep", "data")
            self.assertEqual(load(TANDEM_DATA_DIRECTORY=path)["core"]["data_directory"], path)
            self.assertTrue(os.path.isdir(path))

    def test_a_data_directory_that_cannot_be_made_gives_way_to_the_scratch_disk(self):
        module = load_module()
        with tempfile.TemporaryDirectory() as root:
            module.SCRATCH_DIRECTORY = os.path.join(root, "data")
            config = module.Config({"TANDEM_DATA_DIRECTORY": "/proc/none/data"})
            self.assertEqual(config["core"]["data_directory"], module.SCRATCH_DIRECTORY)
            self.assertTrue(os.path.isdir(module.SCRATCH_DIRECTORY))

    def test_it_names_its_parts_and_no_password(self):
        config = load(DATABASE_URL=URL, TANDEM_DATA_DIRECTORY=tempfile.gettempdir())
        self.assertEqual(sorted(config), ["core", "postgres"])
        self.assertEqual(len(config), 2)
        self.assertNotIn("cret", repr(config))


class PathTests(unittest.TestCase):
    def imported(self, **environ):
        code = "import tandem_runtime.startup, bundle_config; print(bundle_config.__file__)"
        env = dict(environ, PYTHONPATH=environ.get("PYTHONPATH", "") + ":" + RUNTIME)
        return subprocess.run(
            [sys.executable, "-S", "-c", code],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    def test_it_is_only_there_for_projects_that_want_it(self):
        self.assertIn("ModuleNotFoundError", self.imported().stderr)
        found = self.imported(TANDEM_BUNDLE_CONFIG="1").stdout.strip()
        self.assertEqual(found, os.path.join(EPIO, "bundle_config.py"))

    def test_a_module_of_the_project_goes_before_it(self):
        with tempfile.TemporaryDirectory() as root:
            path = os.path.join(root, "bundle_config.py")
            with open(path, "w") as file:
                file.write("config = {}\n")
            found = self.imported(TANDEM_BUNDLE_CONFIG="1", PYTHONPATH=root).stdout.strip()
            self.assertEqual(found, path)


if __name__ == "__main__":
    unittest.main()
