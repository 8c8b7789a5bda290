"""All configuration, read from the environment once.

``DOT_ENV`` is ``production`` when nothing is set, and production refuses to start without what makes it safe.
Development reads ``.env`` (written by ``make run``) and brings its own PostgreSQL.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

import environ
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from dotplatform import __version__
from dotplatform.environment import (
    address,
    env,
    host_names,
    origin,
    readable,
    required,
    switch,
    text,
    whole_number,
)

BASE_DIR = Path(__file__).resolve().parent.parent
environ.Env.read_env(BASE_DIR / ".env")  # what the real environment says wins

DOT_ENV: str = text("DOT_ENV", "production")
if DOT_ENV not in {"development", "staging", "production"}:
    raise ImproperlyConfigured(f"DOT_ENV={DOT_ENV} is none of development, staging, production.")
IS_DEVELOPMENT = DOT_ENV == "development"

DOT_VERSION = __version__
# Which commit this is: `deploy/deploy` writes the file, hosts that build what is pushed say it in one of these.
_revision_file = BASE_DIR / "REVISION"
DOT_REVISION: str = (
    env.str("DOT_REVISION", default="")
    or (_revision_file.read_text().strip() if _revision_file.exists() else "")
    or env.str("HEROKU_SLUG_COMMIT", default="")
    or env.str("GIT_REV", default="")
)
DOT_VAR = Path(env.str("DOT_VAR", default="") or BASE_DIR / "var").resolve()

# What each environment switches on where nothing is said.
_FLAGS = {
    "development": {
        "DEBUG_MODE": True,
        "MCP_ENABLED": True,
        "ANALYTICS_ENABLED": True,
        "MONITORING_ENABLED": True,
    },
    "staging": {
        "DEBUG_MODE": False,
        "MCP_ENABLED": True,
        "ANALYTICS_ENABLED": True,
        "MONITORING_ENABLED": True,
    },
    "production": {
        "DEBUG_MODE": False,
        "MCP_ENABLED": False,
        "ANALYTICS_ENABLED": True,
        "MONITORING_ENABLED": True,
    },
}[DOT_ENV]
DEBUG: bool = switch("DEBUG_MODE", default=_FLAGS["DEBUG_MODE"])
MCP_ENABLED: bool = switch("MCP_ENABLED", default=_FLAGS["MCP_ENABLED"])
ANALYTICS_ENABLED: bool = switch("ANALYTICS_ENABLED", default=_FLAGS["ANALYTICS_ENABLED"])
MONITORING_ENABLED: bool = switch("MONITORING_ENABLED", default=_FLAGS["MONITORING_ENABLED"])
if DEBUG and DOT_ENV == "production":
    raise ImproperlyConfigured("DEBUG_MODE=on shows internals to anybody. Unset it in production.")

SECRET_KEY = required("SECRET_KEY", development="development-only-" + "x" * 40)
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = host_names(required("ALLOWED_HOSTS", development="localhost,127.0.0.1,[::1]"), "ALLOWED_HOSTS")

# The platform's own address, for links in messages; and, optionally, a second, cookieless host for `/run/`.
PUBLIC_URL = origin("PUBLIC_URL", "https://apps.example.com")
RUN_ORIGIN = origin("RUN_ORIGIN", "https://run.example.com")
if RUN_ORIGIN:
    if not PUBLIC_URL:
        raise ImproperlyConfigured("RUN_ORIGIN needs PUBLIC_URL: an app's files must know where the platform is.")
    if RUN_ORIGIN == PUBLIC_URL:
        raise ImproperlyConfigured("RUN_ORIGIN is PUBLIC_URL, but it serves files only: give it a host of its own.")
    ALLOWED_HOSTS.append(urlsplit(RUN_ORIGIN).hostname or "")
EVENTS_ORIGIN = origin("EVENTS_ORIGIN", "https://events.example.com")  # empty: the same origin
RATE_LIMITS_ENABLED: bool = switch("RATE_LIMITS_ENABLED", default=True)
if not RATE_LIMITS_ENABLED and DOT_ENV == "production":
    raise ImproperlyConfigured("RATE_LIMITS_ENABLED=off leaves sign-in unprotected. Unset it in production.")
OUTBOUND_ALLOW_PRIVATE: bool = switch("OUTBOUND_ALLOW_PRIVATE", default=IS_DEVELOPMENT)

# Applications

INSTALLED_APPS = [
    "dotplatform",
    "dotplatform.accounts",
    "dotplatform.flags",
    "metrics",
    "apps_registry",
    "appdata",
    "dotplatform.operations",
    "dotplatform.admin_site.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "django_tasks",
    "django_tasks_db",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

# Requests at or below API_PREFIXES carry bearer tokens only and go through the short chain; see dotplatform.handlers.
API_PREFIXES = ("/api", "/mcp", "/ofrep")
API_MIDDLEWARE = [
    "dotplatform.middleware.request_id",
    "dotplatform.logs.access",
    "metrics.requests.count_requests",
    "dotplatform.api.guard.api_guard",
]
# Files of apps and the SDK go to frames without cookies.
FILES_MIDDLEWARE = [
    "dotplatform.middleware.request_id",
    "dotplatform.file_hosts.files_only",
]
MIDDLEWARE = [
    "dotplatform.middleware.request_id",
    "dotplatform.logs.access",
    "metrics.requests.count_requests",
    "dotplatform.middleware.security_headers",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "dotplatform.operations.outage.honest_outage",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "dotplatform.middleware.bounded_form",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dotplatform.middleware.person_language",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "dotplatform.middleware.maintenance",
    "dotplatform.middleware.refused_method",
]

ROOT_URLCONF = "dotplatform.urls"
WSGI_APPLICATION = "dotplatform.wsgi.application"

TEMPLATES: list[dict[str, Any]] = [
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
                "dotplatform.context.platform",
            ],
        },
    },
]

FORM_RENDERER = "dotplatform.rendering.FormRenderer"

# Database: persistent connections, since a new one costs 8 ms; nothing that a transaction-mode pooler would break.

EMBEDDED_POSTGRES: Path | None = None
if IS_DEVELOPMENT and not env.str("DATABASE_URL", default=""):
    from dotplatform.database.embedded import DATABASE, ROLE, EmbeddedServer

    EMBEDDED_POSTGRES = DOT_VAR / "postgres"
    _database: dict[str, Any] = {
        "NAME": DATABASE,
        "USER": ROLE,
        "HOST": str(EmbeddedServer(EMBEDDED_POSTGRES).socket_folder),
    }
else:
    _url = required("DATABASE_URL")
    with readable("DATABASE_URL", "postgres://dot:secret@db.internal:5432/dot"):
        _database = environ.Env.db_url_config(_url)
        # A socket's folder is as libpq writes it: postgres://dot@%2Frun%2Fdb/dot
        _database["HOST"] = unquote(_database["HOST"])
    if "postgresql" not in _database.get("ENGINE", ""):
        raise ImproperlyConfigured("DATABASE_URL is no address of PostgreSQL, which alone keeps people's data apart.")
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        **_database,
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
# Set by `restore` for the process that loads a backup beside the tables in use.
DATABASES["default"]["NAME"] = env.str("DATABASE_NAME", default="") or DATABASES["default"]["NAME"]
DATABASE_SCHEMA: str = env.str("DATABASE_SCHEMA", default="")
if DATABASE_SCHEMA:
    DATABASES["default"].setdefault("OPTIONS", {})["options"] = f"-c search_path={DATABASE_SCHEMA}"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache, files, tasks, mail

_cache_url: str = env.str("CACHE_URL", default="")
if _cache_url and not _cache_url.startswith(("redis://", "rediss://", "unix://")):
    raise ImproperlyConfigured("CACHE_URL is no address of Redis. For example: CACHE_URL=redis://cache.internal:6379/0")
CACHES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "dot_cache"}
}
if _cache_url:
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    CACHES["default"] = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": _cache_url,
        # redis-py would try for up to 20 s, and whoever signs in meanwhile would wait instead of being told.
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 2, "retry": Retry(NoBackoff(), 1)},
    }

STORAGE_URL: str = env.str("STORAGE_URL", default="")
_s3 = urlsplit(STORAGE_URL)
if STORAGE_URL and not (_s3.scheme == "s3" and _s3.netloc):
    raise ImproperlyConfigured("STORAGE_URL names no bucket. For example: STORAGE_URL=s3://bucket/prefix")
STORAGES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": _s3.netloc,
            "location": _s3.path.lstrip("/"),
            "endpoint_url": env.str("STORAGE_ENDPOINT_URL", default="") or None,
        },
    }
    if STORAGE_URL
    else {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        # Names are content hashes: what is there already is the same bytes, or the torn file of a killed process.
        "OPTIONS": {"location": DOT_VAR / "storage", "base_url": "/media/", "allow_overwrite": True},
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
STATIC_URL = "/static/"
STATIC_ROOT = DOT_VAR / "static"
STATICFILES_DIRS: list[Any] = [BASE_DIR / "static"]
_web_vitals = BASE_DIR / "node_modules" / "web-vitals" / "dist"
WEB_VITALS_INSTALLED = (_web_vitals / "web-vitals.js").exists()
if WEB_VITALS_INSTALLED:  # without npm the platform runs; `check` and `preflight` say what is missing
    STATICFILES_DIRS.append(("vendor/web-vitals", _web_vitals))
WHITENOISE_USE_FINDERS = IS_DEVELOPMENT
WHITENOISE_AUTOREFRESH = DEBUG
# Images and fonts are compressed already; source maps are large, and only developers' tools ask for them.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("jpg", "jpeg", "png", "gif", "webp", "avif", "gz", "br", "woff", "woff2", "map")

TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

_email_url: str = text("EMAIL_URL", "consolemail://" if IS_DEVELOPMENT else "smtp://localhost:25")
with readable("EMAIL_URL", "smtp+tls://user:password@mail.example.com:587"):
    vars().update(environ.Env.email_url_config(_email_url))
DEFAULT_FROM_EMAIL: str = text("DEFAULT_FROM_EMAIL", "DOT Platform <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
SLACK_WEBHOOK_URL = address("SLACK_WEBHOOK_URL", "https://hooks.slack.com/services/…")

# Languages and time

LANGUAGE_CODE = "ko"
LANGUAGES = [("ko", _("Korean")), ("en", _("English"))]
FORMAT_MODULE_PATH = ["dotplatform.formats"]
TIME_ZONE: str = text("TIME_ZONE", "Asia/Seoul")
with readable("TIME_ZONE", "Asia/Seoul"):
    ZoneInfo(TIME_ZONE)
USE_TZ = True

# People

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none" if IS_DEVELOPMENT else "mandatory"
ACCOUNT_ADAPTER = "dotplatform.accounts.adapter.AccountAdapter"
ACCOUNT_SIGNUP_FORM_CLASS = "dotplatform.accounts.forms.NameForm"
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_REAUTHENTICATION_REQUIRED = True
if not RATE_LIMITS_ENABLED:
    ACCOUNT_RATE_LIMITS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_CHANGE_EMAIL = True
MFA_ADAPTER = "dotplatform.accounts.adapter.SecondFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "DOT Platform"
USERSESSIONS_TRACK_ACTIVITY = True

# API

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["dotplatform.api.permissions.BearerAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["dotplatform.api.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["dotplatform.api.envelope.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dotplatform.api.parsers.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "dotplatform.api.envelope.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "dotplatform.api.openapi.ContractSchema",
    "EXCEPTION_HANDLER": "dotplatform.api.failures.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "DOT Platform",
    "DESCRIPTION": "How to use it: docs/integrators.md. Every answer but a file or a stream has the same envelope.",
    "VERSION": DOT_VERSION,
    "OAS_VERSION": "3.1.0",
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SCHEMA_PATH_PREFIX": "/api",
    "POSTPROCESSING_HOOKS": ["dotplatform.api.openapi.complete"],
    "ENABLE_DJANGO_DEPLOY_CHECK": False,  # a test compares the whole document with its committed file
}

# Limits of the contract, shown in /api/platform/info.

DOT_LIMITS: dict[str, int] = {
    "key_bytes": 512,
    "value_bytes": whole_number("LIMIT_VALUE_BYTES", 256 * 1024, most=64 * 1024 * 1024),
    "value_depth": 32,
    "installation_keys": whole_number("LIMIT_KEYS", 10_000),
    "installation_bytes": whole_number("LIMIT_BYTES", 16 * 1024 * 1024),
    "person_streams": whole_number("LIMIT_STREAMS", 100),  # in each stream process
    "bundle_zip_bytes": whole_number("LIMIT_BUNDLE_ZIP_BYTES", 50 * 1024 * 1024),
    "bundle_bytes": whole_number("LIMIT_BUNDLE_BYTES", 200 * 1024 * 1024),
    "bundle_files": whole_number("LIMIT_BUNDLE_FILES", 5_000),
    "batch_operations": 100,
    "metrics_per_request": 100,
    "list_page": 1000,
}
LAUNCH_TOKEN_LIFETIME_S = 15 * 60
DATA_UPLOAD_MAX_MEMORY_SIZE = 64 * 1024 * 1024  # each view sets its own, lower limit
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
VISITORS_FORM_BYTES = 1024 * 1024
# A bundle; or an import, which has keys, times and escapes beside its values.
LARGEST_FORM_BYTES = max(DOT_LIMITS["bundle_zip_bytes"], 2 * DOT_LIMITS["installation_bytes"]) + 64 * 1024 * 1024

# Security headers (the seed's, with a policy that allows nothing inline). SECURE_CSP is read by Django 6's own
# middleware too, whose CSP.NONCE has this value.

CSP_NONCE = "<CSP_NONCE_SENTINEL>"
SECURE_CSP: dict[str, list[str]] = {
    "default-src": ["'self'"],
    "script-src": ["'self'", CSP_NONCE],
    "style-src": ["'self'", CSP_NONCE],
    "img-src": ["'self'", "data:", *filter(None, [RUN_ORIGIN])],  # apps' icons are files of their bundles
    "connect-src": ["'self'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}
PERMISSIONS_POLICY = "camera=(), microphone=(), geolocation=()"
SECURE_REFERRER_POLICY = "origin-when-cross-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_HSTS_SECONDS = 0 if IS_DEVELOPMENT else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not IS_DEVELOPMENT
SECURE_HSTS_PRELOAD = not IS_DEVELOPMENT
SECURE_SSL_REDIRECT: bool = switch("SECURE_SSL_REDIRECT", default=not IS_DEVELOPMENT)
SECURE_REDIRECT_EXEMPT = [r"^api/health"]  # a load balancer asks over plain HTTP
if switch("TRUST_PROXY_HEADERS", default=False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    ALLAUTH_TRUSTED_PROXY_COUNT = 1  # the address that sign-in attempts are counted by
SESSION_COOKIE_SECURE = not IS_DEVELOPMENT
CSRF_COOKIE_SECURE = not IS_DEVELOPMENT
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[PUBLIC_URL] if PUBLIC_URL else [])
CSRF_FAILURE_VIEW = "dotplatform.pages.csrf_failure"

# Operations

SENTRY_DSN: str = env.str("SENTRY_DSN", default="")
with readable("SENTRY_DSN", "https://key@sentry.example.com/1"):
    _dsn = urlsplit(SENTRY_DSN or "https://key@sentry.example.com/1")
    if not (_dsn.username and _dsn.hostname and _dsn.path.rpartition("/")[2].isdecimal()):
        raise ValueError(SENTRY_DSN)
SENTRY_RELEASE: str = env.str("SENTRY_RELEASE", default="") or f"dot-platform@{DOT_VERSION}+{DOT_REVISION[:12]}".rstrip(
    "+"
)
SENTRY_TRACES_SAMPLE_RATE = 0.1 if DOT_ENV == "production" else 1.0
PREFLIGHT_STOPS: bool = switch("PREFLIGHT_STOPS", default=DOT_ENV == "production")
HEALTH_EXTERNAL_URLS: list[str] = [
    address("HEALTH_EXTERNAL_URLS", "https://sso.example.com/up", url.strip())
    for url in text("HEALTH_EXTERNAL_URLS", "").split(",")
    if url.strip()
]
BACKUP_URL: str = env.str("BACKUP_URL", default="") or str(DOT_VAR / "backups")
BACKUP_ENDPOINT_URL: str = env.str("BACKUP_ENDPOINT_URL", default="")  # of an S3-compatible service that is not AWS
BACKUP_KEY: str = env.str("BACKUP_KEY", default="")  # the passphrase that backups are encrypted with
BACKUP_KEEP_DAYS = whole_number("BACKUP_KEEP_DAYS", 30 if DOT_ENV == "production" else 7, most=36_500)

LOG_LEVEL: str = text("LOG_LEVEL", "INFO").upper()
with readable("LOG_LEVEL", "INFO"):
    logging.getLevelNamesMapping()[LOG_LEVEL]
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"request_id": {"()": "dotplatform.logs.RequestIdFilter"}},
    "formatters": {
        "json": {"()": "dotplatform.logs.JSONFormatter"},
        "text": {
            "()": "dotplatform.logs.TextFormatter",
            "format": "{asctime} {levelname} {name} [{request_id}] {message}",
            "style": "{",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "filters": ["request_id"],
            "formatter": "text" if IS_DEVELOPMENT else "json",
        }
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django": {"handlers": [], "propagate": True},  # Django's own would print everything a second time
        "django.request": {"level": "ERROR"},  # the access log has the 4xx already
        "django.server": {"level": "WARNING"},
        "django_tasks_db": {"level": "WARNING"},
        "botocore": {"level": "WARNING"},  # tells each command where it found the credentials
    },
}
