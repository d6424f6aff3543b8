"""What is committed where a project would collect to is served, and replaces nothing."""

import os
import shutil
import tempfile
import unittest

from tandem_runtime.committed_static import add_committed


class CommittedStaticTest(unittest.TestCase):
    def setUp(self):
        self.top = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.top)
        self.put("app/static/css/site.css", "committed")
        self.put("app/static/admin/base.css", "old")
        self.put("collected/admin/base.css", "new")

    def path(self, name):
        return os.path.join(self.top, name)

    def put(self, name, text):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), "w") as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def add(self, own):
        return add_committed(own and self.path(own), self.path("collected"), self.path("app"))

    def test_adds_what_is_not_there(self):
        self.assertEqual(self.add("app/static"), 1)
        self.assertEqual(self.read("collected/css/site.css"), "committed")
        self.assertEqual(self.read("collected/admin/base.css"), "new")

    def test_leaves_links_out(self):
        os.symlink("/etc/passwd", self.path("app/static/passwd.txt"))
        self.add("app/static")
        self.assertFalse(os.path.lexists(self.path("collected/passwd.txt")))

    def test_takes_nothing_from_elsewhere(self):
        for own in (None, "", "app", "app/gone", "collected"):
            self.assertEqual(self.add(own), 0, own)


if __name__ == "__main__":
    unittest.main()
