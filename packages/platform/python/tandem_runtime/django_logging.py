"""With DEBUG=False and its default LOGGING, Django writes neither exceptions (500) nor refused
hosts (400) to the console. This adds one handler to each logger whose errors nobody would see.
"""

import logging
import sys

LOGGERS = ("django.request", "django.security", "django.security.DisallowedHost")


def wrap_configure_logging(module):
    """Makes `django.utils.log.configure_logging` check its own result."""
    original = module.configure_logging

    def configure_logging(logging_config, logging_settings):
        original(logging_config, logging_settings)
        try:
            reach_console()
        except Exception:
            pass

    module.configure_logging = configure_logging


def reach_console():
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not _errors_reach_console(logger):
            logger.addHandler(_console_handler())


def _console_handler():
    handler = logging.StreamHandler(sys.stderr)
    handler.setLevel(logging.ERROR)
    handler.setFormatter(logging.Formatter("[%(levelname)s] %(name)s: %(message)s"))
    return handler


def _errors_reach_console(logger):
    record = logger.makeRecord(logger.name, logging.ERROR, "", 0, "", (), None)
    if logger.disabled or not logger.isEnabledFor(logging.ERROR):
        return True  # The project silenced it on purpose.
    current = logger
    while current is not None:
        if any(_writes(handler, record) for handler in current.handlers):
            return True
        current = current.parent if current.propagate else None
    return False


def _writes(handler, record):
    if handler.level > record.levelno or not _filters_pass(handler, record):
        return False
    stream = getattr(handler, "stream", None)
    if type(handler).__name__ == "RichHandler":
        return True
    return stream in (sys.stderr, sys.stdout, sys.__stderr__, sys.__stdout__)


def _filters_pass(handler, record):
    try:
        return bool(handler.filter(record))
    except Exception:
        return True
