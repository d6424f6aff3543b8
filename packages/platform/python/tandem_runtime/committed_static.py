"""Files that a project commits where it would collect to. Collecting goes elsewhere here, and what lies
in no directory that it reads would be gone: it is added, and replaces nothing."""

import os
import shutil

FILES_MAX = 20000


def add_committed(own_root, root, source):
    """Copies what `root` lacks; returns how many files. Links are left out."""
    own = os.path.realpath(str(own_root)) if own_root else ""
    if not own.startswith(os.path.realpath(source) + os.sep) or own == os.path.realpath(root):
        return 0
    count = 0
    for directory, _, names in os.walk(own):
        target = os.path.join(root, os.path.relpath(directory, own))
        for name in names:
            path, copy = os.path.join(directory, name), os.path.join(target, name)
            if os.path.islink(path) or os.path.lexists(copy) or count >= FILES_MAX:
                continue
            os.makedirs(target, exist_ok=True)
            shutil.copyfile(path, copy)
            count += 1
    return count
