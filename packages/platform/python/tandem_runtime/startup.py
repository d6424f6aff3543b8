"""Runs at the start of every Python process of an app, from `zzz-tandem.pth` in its virtualenv.

It must be quick and must never break the app: whatever goes wrong here is swallowed.
"""

import os
import sys

ADDITIONS = "/opt/tandem/additions"
OVERLAY = "/opt/tandem/overlay"
#: Holds `bundle_config`, for projects of the ep.io system only.
EPIO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "epio")


def append_paths():
    """Ours come last, so a package that the project brings itself always wins."""
    try:
        names = sorted(os.listdir(ADDITIONS))
    except OSError:
        names = []
    legacy = [EPIO] if os.environ.get("TANDEM_BUNDLE_CONFIG") else []
    for path in [os.path.join(ADDITIONS, name) for name in names] + [OVERLAY] + legacy:
        if path not in sys.path and os.path.isdir(path):
            sys.path.append(path)


def restore_distutils():
    """Python 3.12 has none. setuptools has, but says so in a .pth file of its directory, and those
    of an appended path are never read."""
    hack = os.path.join(ADDITIONS, "setuptools", "_distutils_hack")
    if sys.version_info >= (3, 12) and os.path.isdir(hack):
        import _distutils_hack

        _distutils_hack.add_shim()


class ImportWatch:
    """A meta path finder that waits for one module, hands it to a patch and steps aside.

    A hook by import, because importing Django here would slow every Python process of the app.
    """

    def __init__(self, module, patch):
        self.module = module
        self.patch = patch

    def find_spec(self, name, path=None, target=None):
        if name != self.module:
            return None
        self.remove()
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _PatchingLoader(spec.loader, self.patch)
        return spec

    def remove(self):
        if self in sys.meta_path:
            sys.meta_path.remove(self)


class _PatchingLoader:
    def __init__(self, loader, patch):
        self._loader = loader
        self._patch = patch

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._loader.exec_module(module)
        try:
            self._patch(module)
        except Exception:
            pass


def _wrap_logging(module):
    from tandem_runtime.django_logging import wrap_configure_logging

    wrap_configure_logging(module)


def _direct_redis(module):
    from tandem_runtime.redis_client import direct_connections

    direct_connections(module)


def watches():
    yield ImportWatch("django.utils.log", _wrap_logging)
    if os.environ.get("REDIS_URL"):
        yield ImportWatch("redis.connection", _direct_redis)
        yield ImportWatch("redis.asyncio.connection", _direct_redis)


def start():
    try:
        append_paths()
        sys.meta_path[:0] = watches()
        restore_distutils()
    except Exception:
        pass


start()
