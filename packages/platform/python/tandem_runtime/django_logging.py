"""With DEBUG=False and its default LOGGING, Django writes neither exceptions (500) nor refused
hosts (400) to the console. This adds one handler to each logger whose errors nobody would see.

What fails while an error page is made (a 404 with a template of the project's) Django logs without
its exception, whatever LOGGING says: that is added to the record.
"""

import logging
import sys

REQUESTS = "django.request"
#: Set on a request; the record of its answer has the request too.
EXCEPTION_ATTRIBUTE = "_tandem_exception"
LOGGERS = (REQUESTS, "django.security", "django.security.DisallowedHost")


def wrap_configure_logging(module):
    """Makes `django.utils.log.configure_logging` check its own result."""
    original = module.configure_logging

    def configure_logging(logging_config, logging_settings):
        original(logging_config, logging_settings)
        for step in (reach_console, keep_exceptions):
            try:
                step()
            except Exception:
                pass

    module.configure_logging = configure_logging


def reach_console():
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not _errors_reach_console(logger):
            logger.addHandler(_console_handler())


def keep_exceptions():
    from django.core.signals import got_request_exception

    got_request_exception.connect(_remember, dispatch_uid="tandem")
    logger = logging.getLogger(REQUESTS)
    if not any(isinstance(one, _AddException) for one in logger.filters):
        logger.addFilter(_AddException())


def _remember(sender, request=None, **_):
    if request is not None:
        setattr(request, EXCEPTION_ATTRIBUTE, sys.exc_info())


class _AddException(logging.Filter):
    def filter(self, record):
        request = getattr(record, "request", None)
        remembered = getattr(request, EXCEPTION_ATTRIBUTE, None)
        if remembered is not None:
            # It refers to the request through its frames.
            delattr(request, EXCEPTION_ATTRIBUTE)
            if not record.exc_info and record.levelno >= logging.ERROR:
                record.exc_info = remembered
        return True


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
