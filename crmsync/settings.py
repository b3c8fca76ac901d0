"""The environment, read once. A wrong value refuses to start and names itself.

``NAME_FILE`` reads the value of ``NAME`` from a file, for secrets.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import django_stubs_ext
import environ
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from crmsync.broker import BROKER_SCHEMES, broker_url, transport_options
from crmsync.dataverse.address import LOGIN_HOSTS
from crmsync.keyfiles import read_or_create_key

# Generic classes of Django are subscripted in annotations; at run time that needs help.
django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()


def _text(name: str, default: str = "") -> str:
    try:
        return str(env.str(name, default=default)).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}.") from error


def _number(name: str, *, default: int, low: int, high: int) -> int:
    text = _text(name, str(default))
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise ImproperlyConfigured(f"{name} is {text!r}: give a whole number from {low} to {high}.")
    return int(text)


def _switch(name: str, *, default: bool) -> bool:
    text = _text(name, "on" if default else "off").lower()
    values = {"on": True, "1": True, "true": True, "off": False, "0": False, "false": False}
    if text not in values:
        raise ImproperlyConfigured(f"{name} is {text!r}: give on or off.")
    return values[text]


def _choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    text = _text(name, default).upper()
    if text not in choices:
        raise ImproperlyConfigured(f"{name} is {text!r}: give one of {', '.join(choices)}.")
    return text


def _list(name: str, default: str) -> list[str]:
    return [part.strip() for part in _text(name, default).split(",") if part.strip()]


def _database() -> dict[str, Any]:
    if url := _text("DATABASE_URL"):
        if not url.startswith(("postgres://", "postgresql://", "sqlite://")):
            raise ImproperlyConfigured(
                "DATABASE_URL must begin with postgresql:// or sqlite://; leave it out for SQLite "
                "under CRMSYNC_DATA_DIR."
            )
        found: dict[str, Any] = environ.Env.db_url_config(url)
    else:
        found = {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(CRMSYNC_DATA_DIR / "crmsync.sqlite3"),
        }
    # A thread of the web server keeps its connection, and with it the pages it has read.
    found["CONN_MAX_AGE"] = 60
    found["CONN_HEALTH_CHECKS"] = True
    if found["ENGINE"] == "django.db.backends.sqlite3":
        # Without IMMEDIATE two writers that both read first get "database is locked" at once,
        # whatever the timeout.
        found["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            # In seconds; DATABASE_URL may name another one: sqlite:///...?timeout=60
            "timeout": found.get("OPTIONS", {}).get("timeout", 20),
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
            "PRAGMA foreign_keys=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-20000; "
            "PRAGMA mmap_size=1073741824;",
        }
    return found


# What is made from here on, by this process and by those that it starts, is its owner's alone.
os.umask(0o077)
CRMSYNC_DATA_DIR = Path(_text("CRMSYNC_DATA_DIR", str(BASE_DIR / "var"))).resolve()
try:
    CRMSYNC_DATA_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
except OSError as error:
    raise ImproperlyConfigured(f"CRMSYNC_DATA_DIR cannot be used: {error}") from error

# 0: no sandbox. Otherwise the loopback port where the sandbox's https names are carried to.
CRMSYNC_SANDBOX_PORT = _number("CRMSYNC_SANDBOX_PORT", default=0, low=0, high=65535)
# Dataverse sets no fixed limit; Microsoft advises to start with 1,000 on standard tables.
CRMSYNC_MAX_MESSAGE_ROWS = _number("CRMSYNC_MAX_MESSAGE_ROWS", default=1000, low=1, high=1000)
CRMSYNC_LEASE_SECONDS = _number("CRMSYNC_LEASE_SECONDS", default=30, low=25, high=300)
CRMSYNC_WORKER_THREADS = _number("CRMSYNC_WORKER_THREADS", default=4, low=1, high=52)
# Set by the supervisor alone: the id of this process's predecessor, which it saw dead.
CRMSYNC_PREDECESSOR = _number("CRMSYNC_PREDECESSOR", default=0, low=0, high=2**31)
# Base64 keys, the first one seals; the file under the data directory otherwise.
CRMSYNC_SEALING_KEYS = _list("CRMSYNC_SEALING_KEYS", "")

# On where a proxy in front speaks https and says so: cookies go that way alone.
CRMSYNC_HTTPS = _switch("CRMSYNC_HTTPS", default=False)
# On where that proxy adds the visitor's address to X-Forwarded-For; else anybody could set it.
CRMSYNC_FORWARDED_FOR = _switch("CRMSYNC_FORWARDED_FOR", default=False)

SECRET_KEY = _text("CRMSYNC_SECRET_KEY") or read_or_create_key(CRMSYNC_DATA_DIR / "secret.key")
DEBUG = _switch("CRMSYNC_DEBUG", default=False)
ALLOWED_HOSTS = _list("CRMSYNC_ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "axes",
    "django_htmx",
    "formtools",
    "crmsync.audit",
    "crmsync.ledger",
    "crmsync.connections",
    "crmsync.mapping",
    "crmsync.sync",
    "crmsync.availability",
    "crmsync.frame",
    "coupling",
    "fullsync",
    "setup_wizard",
    "crmsync",
]
MIDDLEWARE = [
    "crmsync.frame.middleware.no_body_for_head",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    # Before the static files, which answer at once.
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "crmsync.frame.middleware.ends_in_time",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "crmsync.frame.middleware.never_stored",
    "crmsync.frame.middleware.refused_on_a_page",
    "crmsync.frame.middleware.DefaultDeny",
    "crmsync.frame.middleware.PresentMappings",
    "axes.middleware.AxesMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "crmsync.frame.navigation.frame",
            ],
        },
    },
]
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
ROOT_URLCONF = "crmsync.urls"
WSGI_APPLICATION = "crmsync.wsgi.application"
DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("da", "Dansk")]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = _text("CRMSYNC_TIME_ZONE", "UTC")
if TIME_ZONE not in available_timezones():
    raise ImproperlyConfigured(f"CRMSYNC_TIME_ZONE is {TIME_ZONE!r}: give one like Europe/Oslo.")
USE_TZ = True

# In files, because the web has more than one process: what one counts anew, the others see.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": CRMSYNC_DATA_DIR / "cache",
    }
}

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Served as they lie: there is no build step that could be forgotten.
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "crmsync.frame.access.GroupBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "frame:sign-in"
LOGIN_REDIRECT_URL = "frame:home"
LOGOUT_REDIRECT_URL = "frame:sign-in"
# A form may name more records than are done at once: the page says so instead of refusing it.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
# A working day without a click: nobody sits in front of it any more.
SESSION_IDLE_SECONDS = 8 * 60 * 60
# However busy, everybody shows their password once a week.
SESSION_COOKIE_AGE = 7 * 24 * 60 * 60
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "crmsync.frame.views.problems.csrf_failed"
X_FRAME_OPTIONS = "DENY"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = CRMSYNC_HTTPS
MESSAGE_STORAGE = "crmsync.frame.cookies.MessageStorage"
if CRMSYNC_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    # Asked on the machine itself, without the proxy.
    SECURE_REDIRECT_EXEMPT = [r"^health$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    # The prefix makes browsers refuse what a neighbouring host, or one without https, would set.
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-django_language"
# To ask for a place in the browsers' lists is for the owner of the whole domain alone.
SILENCED_SYSTEM_CHECKS = ["security.W021"]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# Ten wrong passwords for one name from one address: that pair waits. Twenty names that failed from
# one address and did not get in since: the address waits. See frame.sign_in_limits.
AXES_HANDLER = "crmsync.frame.sign_in_limits.SignInLimits"
AXES_CLIENT_IP_CALLABLE = "crmsync.frame.visitors.address"
AXES_FAILURE_LIMIT = 10
SIGN_IN_NAMES_AN_ADDRESS = 20
# What is tried while waiting is not counted: the wait ends, whoever goes on trying.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_COOLOFF_TIME = timedelta(minutes=10)
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_TEMPLATE = "frame/locked_out.html"
AXES_HTTP_RESPONSE_CODE = 429
AXES_SENSITIVE_PARAMETERS = ["csrfmiddlewaretoken"]
AXES_VERBOSE = False
AXES_ENABLE_ADMIN = False
AXES_DISABLE_ACCESS_LOG = True

SIGN_IN_PAGES = [f"https://{host}" for host in sorted(LOGIN_HOSTS)]
if CRMSYNC_SANDBOX_PORT:
    # The sandbox shows its page to browsers where they reach it.
    SIGN_IN_PAGES.append(f"http://127.0.0.1:{CRMSYNC_SANDBOX_PORT}")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        # To sign in with Microsoft a form is answered by a redirect to these.
        "form-action": [SELF, *SIGN_IN_PAGES],
    }
}

CELERY_BROKER_URL = _text("CRMSYNC_BROKER_URL") or broker_url(CRMSYNC_DATA_DIR)
if CELERY_BROKER_URL.partition(":")[0] not in BROKER_SCHEMES:
    raise ImproperlyConfigured(
        f"CRMSYNC_BROKER_URL must begin with one of {', '.join(BROKER_SCHEMES)}."
    )
CELERY_BROKER_TRANSPORT_OPTIONS = transport_options(CELERY_BROKER_URL, CRMSYNC_DATA_DIR)
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_TIMEOUT = 2
# A message is only a nudge: nothing waits for its result, and a lost one is found by the sweep.
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_DEFAULT_QUEUE = "crmsync"
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "crmsync.sync.tasks.sweep",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "advance-full-synchronizations": {
        "task": "fullsync.tasks.advance",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "sweep-matchings": {
        "task": "coupling.tasks.sweep",
        "schedule": 5.0,
        "options": {"expires": 4},
    },
    "forget-expired-setups": {
        "task": "setup_wizard.tasks.forget_expired",
        "schedule": 60.0,
        "options": {"expires": 50},
    },
}

LOG_LEVEL = _choice(
    "CRMSYNC_LOG_LEVEL", "WARNING", ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {
            "()": "crmsync.log_lines.OneEntryOneLine",
            "fmt": "{asctime} {levelname} {name} {message}",
            "style": "{",
        },
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # At debug level it writes the code and the verifier of a sign-in out.
    "loggers": {"msal.token_cache": {"level": "INFO"}},
}
