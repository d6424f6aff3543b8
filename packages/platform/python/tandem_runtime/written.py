"""What the import of a project writes below its own folder: paths that the app needs to write.

They are taken away again, because the release is to carry the source and nothing that a build left.
"""

import os
import shutil

ENTRIES_MAX = 20000
PATHS_MAX = 100
SKIPPED = frozenset(["__pycache__", "node_modules", ".git", ".venv", "venv"])


def scan(root):
    """Path -> what tells a changed file; None for directories. Links are not followed."""
    found = {}
    pending = [root]
    while pending:
        try:
            entries = list(os.scandir(pending.pop()))
        except OSError:
            continue
        for entry in entries:
            if entry.name in SKIPPED or entry.name.endswith((".pyc", ".pyo")):
                continue
            if len(found) >= ENTRIES_MAX:
                return found
            if entry.is_dir(follow_symlinks=False):
                found[entry.path] = None
                pending.append(entry.path)
            elif entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                found[entry.path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


class Watch:
    """Made before the import, asked after it."""

    def __init__(self, root, directories=()):
        self.root = root
        self.finished = False
        self.made = [top for top in map(self._make, directories) if top]
        self.before = scan(root)

    def _make(self, path):
        """A directory that is there at run time, on the volume. The topmost that was not there."""
        if not path.startswith(self.root + "/") or os.path.lexists(path):
            return None
        top = path
        while not os.path.lexists(os.path.dirname(top)):
            top = os.path.dirname(top)
        try:
            os.makedirs(path)
        except OSError:
            return None
        return top

    def finish(self):
        """What was written, which is then taken away; nothing when asked again."""
        if self.finished:
            return []
        self.finished = True
        after = scan(self.root)
        found = []
        if len(after) < ENTRIES_MAX and len(self.before) < ENTRIES_MAX:
            found = self._written(after)
            # A changed file stays as it is: what it was is gone.
            for path in sorted(path for path in after if path not in self.before):
                self._remove(path)
        for path in self.made:
            self._remove(path)
        return found

    def _written(self, after):
        """New directories, new files and changed ones; of a new directory only itself."""
        fresh = {path for path in after if path not in self.before}
        changed = {
            path
            for path, mark in after.items()
            if path in self.before and mark is not None and mark != self.before[path]
        }
        tops = [path for path in fresh | changed if os.path.dirname(path) not in fresh]
        return [
            {"path": path, "kind": "directory" if after[path] is None else "file"}
            for path in sorted(tops)[:PATHS_MAX]
        ]

    @staticmethod
    def _remove(path):
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path, ignore_errors=True)
        elif os.path.lexists(path):
            os.unlink(path)
