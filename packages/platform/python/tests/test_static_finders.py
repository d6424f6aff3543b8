"""Which hidden names collectstatic leaves out."""

import fnmatch
import unittest

from tandem_runtime.static_finders import VITE_CACHES, hidden_except


class HiddenExceptTest(unittest.TestCase):
    def is_ignored(self, name):
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in hidden_except(".vite"))

    def test_keeps_the_name_alone(self):
        self.assertFalse(self.is_ignored(".vite"))
        for name in (".git", ".env", ".v", ".vi", ".vit", ".vitepress", ".vite-temp", ".DS_Store", "..vite"):
            self.assertTrue(self.is_ignored(name), name)

    def test_leaves_what_is_not_hidden(self):
        for name in ("vite", "site.css", "a.vite", "manifest.json", ".vite/manifest.json"):
            self.assertFalse(self.is_ignored(name), name)

    def test_knows_the_cache(self):
        matches = [fnmatch.fnmatchcase("js/.vite/deps/vue.js", pattern) for pattern in VITE_CACHES]
        self.assertIn(True, matches)
        self.assertFalse(any(fnmatch.fnmatchcase("js/.vite/manifest.json", one) for one in VITE_CACHES))


if __name__ == "__main__":
    unittest.main()
