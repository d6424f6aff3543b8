"""What Celery is told by a Django project and by the environment, where Redis is the broker."""

from urllib.parse import urlsplit

from tandem_runtime.redis_settings import is_elsewhere, parse_address

BROKER_SCHEMES = ("amqp", "amqps", "pyamqp")
BROKER_SETTINGS = ("CELERY_BROKER_URL", "BROKER_URL")
RESULT_SETTING = "CELERY_RESULT_BACKEND"


def celery(overrides):
    """A rule of the overlay; after the one that points addresses of Redis at the app's own."""
    address = parse_address(overrides.environ.get("REDIS_URL", ""))
    if address is None:
        return
    for name in BROKER_SETTINGS:
        if _is_missing_broker(overrides.get(name)):
            why = "the settings point at RabbitMQ on a developer's machine"
            overrides.set(name, address.url("0"), "the app's Redis", why)
    _leave_to_settings(overrides)


def _is_missing_broker(value):
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        return parts is not None and parts.scheme in BROKER_SCHEMES and is_elsewhere(parts.hostname)
    except ValueError:
        return False


def _leave_to_settings(overrides):
    """Celery itself puts these variables above all settings; the project's own word stands.

    Results that nobody asked for would fill the memory.
    """
    environ = overrides.environ
    broker = next((value for value in map(overrides.get, BROKER_SETTINGS) if value), None)
    if broker and broker != environ.get("CELERY_BROKER_URL"):
        environ.pop("CELERY_BROKER_URL", None)
    if overrides.get(RESULT_SETTING) != environ.get("CELERY_RESULT_BACKEND"):
        environ.pop("CELERY_RESULT_BACKEND", None)
