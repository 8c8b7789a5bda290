"""Every environment variable of the platform, with what it does: the table of docs/operators.md is written from here.

``python -m dotplatform.operations.variables`` writes it anew; a test compares it, and the names, with the settings.
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "operators.md"
BEGIN = "<!-- variables: written by `python -m dotplatform.operations.variables` -->"
END = "<!-- end of variables -->"

# name: (default or example, what it does). Required ones have their example in the settings.
VARIABLES: dict[str, tuple[str, str]] = {
    "DOT_ENV": ("`production`", "`development`, `staging` or `production`"),
    "SECRET_KEY": ("required", "signs sessions and tokens: `openssl rand -base64 48`"),
    "SECRET_KEY_FALLBACKS": (
        "none",
        "earlier keys, comma-separated, that still count while you change keys",
    ),
    "ALLOWED_HOSTS": ("required", "host names, comma-separated: `apps.example.com`"),
    "DATABASE_URL": (
        "required",
        "`postgres://dot:secret@db.internal:5432/dot`, PostgreSQL 15 or newer; none in development: embedded",
    ),
    "PUBLIC_URL": ("none", "the platform's own address, for links in mails: `https://apps.example.com`"),
    "RUN_ORIGIN": ("none", "a second, cookieless host for apps' files: `https://run.example.com`"),
    "EVENTS_ORIGIN": ("same origin", "where event streams are served, if elsewhere"),
    "TRUST_PROXY_HEADERS": ("off", "on behind a proxy that sets `X-Forwarded-Proto` and `X-Forwarded-For` itself"),
    "SECURE_SSL_REDIRECT": ("on, off in development", "send plain HTTP to HTTPS"),
    "CSRF_TRUSTED_ORIGINS": ("`PUBLIC_URL`", "origins whose forms are taken"),
    "DOT_REVISION": ("what the host says", "which commit is deployed; `verify_deploy --revision` compares"),
    "DOT_VAR": ("`var`", "folder for everything written at run time"),
    "CACHE_URL": ("a database table", "`redis://cache.internal:6379/0`"),
    "STORAGE_URL": ("`DOT_VAR/storage`", "bundles and icons: `s3://bucket/prefix`"),
    "STORAGE_ENDPOINT_URL": ("AWS", "an S3-compatible service for `STORAGE_URL`"),
    "EMAIL_URL": (
        "`smtp://localhost:25`, the console in development",
        "`smtp+tls://user:password@mail.example.com:587`",
    ),
    "DEFAULT_FROM_EMAIL": ("`DOT Platform <no-reply@localhost>`", "sender of mails"),
    "SLACK_WEBHOOK_URL": ("none", "where alerts go by default"),
    "SENTRY_DSN": ("none", "error reports; nothing secret leaves"),
    "SENTRY_RELEASE": ("version and commit", "name of the release in reports"),
    "PREFLIGHT_STOPS": ("on, off outside production", "a critical finding of `preflight` stops `release`"),
    "HEALTH_EXTERNAL_URLS": ("none", "addresses that `/api/health` asks too, comma-separated"),
    "BACKUP_URL": ("`DOT_VAR/backups`", "folder or `s3://bucket/prefix`"),
    "BACKUP_ENDPOINT_URL": ("AWS", "an S3-compatible service for `BACKUP_URL`"),
    "BACKUP_KEY": ("none", "passphrase that backups are encrypted with; keep it elsewhere: `openssl rand -base64 32`"),
    "BACKUP_KEEP_DAYS": ("30, 7 outside production", "how long backups are kept; never the last good one goes"),
    "DEBUG_MODE": ("off, on in development", "error pages with internals; refused in production"),
    "MCP_ENABLED": ("on, off in production", "the `/mcp` endpoint"),
    "ANALYTICS_ENABLED": ("on", "browsers report Web Vitals and load times"),
    "MONITORING_ENABLED": ("on", "alert rules are evaluated and delivered"),
    "RATE_LIMITS_ENABLED": ("on", "off only outside production"),
    "OUTBOUND_ALLOW_PRIVATE": ("off, on in development", "may webhooks go to private addresses"),
    "TIME_ZONE": ("`Asia/Seoul`", "for pages, and for the time of nightly tasks"),
    "LOG_LEVEL": ("`INFO`", "`DEBUG`, `INFO`, `WARNING` or `ERROR`"),
    "LIMIT_VALUE_BYTES": ("262144", "one entry's JSON text"),
    "LIMIT_KEYS": ("10000", "entries of one person in one app"),
    "LIMIT_BYTES": ("16777216", "bytes of one person in one app"),
    "LIMIT_STREAMS": ("100", "event streams of one person at a time, in each stream process"),
    "LIMIT_BUNDLE_ZIP_BYTES": ("52428800", "a bundle, zipped"),
    "LIMIT_BUNDLE_BYTES": ("209715200", "a bundle, unpacked"),
    "LIMIT_BUNDLE_FILES": ("5000", "files in a bundle"),
}
# Set by `restore` for its own process; and by hosts, for DOT_REVISION.
INTERNAL = {"DATABASE_SCHEMA", "DATABASE_NAME", "HEROKU_SLUG_COMMIT", "GIT_REV"}


def names_in_settings() -> set[str]:
    """Every name that settings.py asks the environment for."""
    tree = ast.parse((ROOT / "dotplatform" / "settings.py").read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args]
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.args[0], ast.Constant) and _asks_the_environment(call.func)
    } - INTERNAL


def _asks_the_environment(function: ast.expr) -> bool:
    if isinstance(function, ast.Name):
        return function.id in {"address", "origin", "required", "switch", "text", "whole_number"}
    return isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name) and function.value.id == "env"


def table() -> str:
    """The table in Markdown."""
    rows = [f"| `{name}` | {default} | {text} |" for name, (default, text) in VARIABLES.items()]
    return "\n".join(["| variable | default | what it does |", "|---|---|---|", *rows])


def written(page: str) -> str:
    """*page* with its table written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
