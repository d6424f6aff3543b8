"""Gunicorn's configuration when Tandem starts it: the project's gunicorn.conf.py if it has one, our
defaults where that says nothing, and ours alone for what belongs to the platform.

A file and not flags, because gunicorn ignores names in it that its version does not know.
"""

import faulthandler
import os
import runpy

#: Well before the platform gives a start up (60 s); the log then says where the worker hangs.
HANG_S = 40

DEFAULTS = {
    "worker_class": "gthread",
    "threads": int(os.environ.get("TANDEM_THREADS", "8")),
    "keepalive": int(os.environ.get("TANDEM_KEEP_ALIVE_S", "75")),
    "graceful_timeout": 25,
    "accesslog": None,
    "errorlog": "-",
}


def default_workers():
    """1 + the cores of the size, where a core goes with each 512 MiB."""
    asked = os.environ.get("WEB_CONCURRENCY", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    memory_mib = int(os.environ.get("TANDEM_MEMORY_BYTES", "0")) // (1024 * 1024)
    cores = len(os.sched_getaffinity(0))
    return 1 + max(1, min(cores, memory_mib // 512))


def platform_settings():
    settings = {
        "bind": ["[::]:" + os.environ.get("PORT", "8000")],
        "forwarded_allow_ips": "*",
        # By default gunicorn also expects X-Forwarded-Protocol, with "ssl" where projects that
        # read it want "https", and refuses a request in which the two disagree.
        "secure_scheme_headers": {"X-FORWARDED-PROTO": "https"},
        "daemon": False,
        "pidfile": None,
        "reload": False,
        "user": os.getuid(),
        "group": os.getgid(),
        "control_socket_disable": True,
    }
    if os.path.isdir("/dev/shm"):
        settings["worker_tmp_dir"] = "/dev/shm"
    return settings


def project_settings():
    path = os.path.join(os.getcwd(), "gunicorn.conf.py")
    if not os.path.isfile(path):
        return {}
    return {name: value for name, value in runpy.run_path(path).items() if name[0] != "_"}


def hang_hooks():
    """Write the stack of a worker that does not get through its import or its first request.

    Functions, not methods: an older gunicorn counts their parameters, `self` included.
    """
    answered = []

    def post_fork(server, worker):
        faulthandler.dump_traceback_later(HANG_S)

    def post_worker_init(worker):
        faulthandler.cancel_dump_traceback_later()

    def pre_request(worker, request):
        if not answered:
            faulthandler.dump_traceback_later(HANG_S)

    def post_request(worker, request, environ, response):
        if not answered:
            answered.append(True)
            faulthandler.cancel_dump_traceback_later()

    hooks = (post_fork, post_worker_init, pre_request, post_request)
    return {hook.__name__: hook for hook in hooks}


globals().update(DEFAULTS)
globals().update(hang_hooks())
workers = default_workers()
globals().update(project_settings())
globals().update(platform_settings())
