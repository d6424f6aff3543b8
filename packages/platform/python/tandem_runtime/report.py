"""Results for the platform go to a file, because an app may print whatever it likes."""

import json
import os


def write_report(path, value):
    """Whole or not at all. Without a path (run by hand) nothing is written."""
    if not path:
        return
    text = json.dumps(value, default=str)
    temporary = path + ".tmp"
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, path)
    except OSError:
        # A bind-mounted file, or a directory that is not ours: write in place.
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
