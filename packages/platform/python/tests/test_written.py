"""What an import writes is seen and taken away again."""

import os
import shutil
import tempfile
import unittest

from tandem_runtime.written import Watch


class WrittenTest(unittest.TestCase):
    def setUp(self):
        self.root = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        self.put("app.py")
        self.put("data/towns.csv")

    def path(self, name):
        return os.path.join(self.root, name)

    def put(self, name, text="x"):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)

    def names(self, watch):
        return [(one["path"][len(self.root) + 1 :], one["kind"]) for one in watch.finish()]

    def left(self):
        return sorted(
            os.path.relpath(os.path.join(at, name), self.root)
            for at, directories, files in os.walk(self.root)
            for name in directories + files
        )

    def test_new_directories_files_and_changes(self):
        watch = Watch(self.root)
        self.put("logs/deep/a.log")
        self.put("app.db")
        self.put("data/new.csv")
        self.put("data/towns.csv", "longer than before")
        expected = [
            ("app.db", "file"),
            ("data/new.csv", "file"),
            ("data/towns.csv", "file"),
            ("logs", "directory"),
        ]
        self.assertEqual(self.names(watch), expected)
        self.assertEqual(self.left(), ["app.py", "data", "data/towns.csv"])

    def test_bytecode_is_nobodys_data(self):
        watch = Watch(self.root)
        self.put("__pycache__/app.cpython-312.pyc")
        self.put("old.pyc")
        self.assertEqual(self.names(watch), [])
        self.assertIn("__pycache__", self.left())

    def test_directories_of_the_volume_are_there_meanwhile(self):
        watch = Watch(self.root, [self.path("var/logs"), "/elsewhere/logs", self.path("data")])
        self.assertTrue(os.path.isdir(self.path("var/logs")))
        self.put("var/logs/a.log")
        self.assertEqual(self.names(watch), [("var/logs/a.log", "file")])
        self.assertEqual(self.left(), ["app.py", "data", "data/towns.csv"])

    def test_what_comes_later_stays(self):
        watch = Watch(self.root)
        self.put("a.log")
        self.assertEqual(self.names(watch), [("a.log", "file")])
        self.put("made.mo")
        self.assertEqual(self.names(watch), [])
        self.assertIn("made.mo", self.left())

    def test_links_are_not_followed(self):
        outside = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, outside)
        watch = Watch(self.root)
        os.symlink(outside, self.path("link"))
        with open(os.path.join(outside, "file"), "w"):
            pass
        self.assertEqual(self.names(watch), [])
        self.assertEqual(os.listdir(outside), ["file"])


if __name__ == "__main__":
    unittest.main()
