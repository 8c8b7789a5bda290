"""Who is asking: access tokens (``dot_pat_…``) and launch tokens (``dot_run_…``). No cookie is ever read here."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

from dotplatform.accounts.models import AccessToken
from dotplatform.api.errors import Forbidden, NotFound, Unauthorized

ACCESS_PREFIX = "dot_pat_"
LAUNCH_PREFIX = "dot_run_"
LAUNCH_SCOPES = frozenset({"data:read", "data:write", "data:delete"})
CACHE_S = 5.0  # how long a revoked or expired access token may still be taken by a process that just saw it
_CACHE_SIZE = 10_000

_signer = signing.Signer(salt="dot.launch-token", sep=".")
_cache: dict[bytes, tuple[float, Credential]] = {}


@dataclass(frozen=True, slots=True)
class Credential:
    """What the bearer may do: as *user_id*, with *scopes*, in *app_ids* (None: any app)."""

    user_id: UUID
    scopes: frozenset[str]
    app_ids: frozenset[str] | None
    is_launch: bool

    def require(self, scope: str) -> None:
        """Raise 403 where *scope* is missing."""
        if scope not in self.scopes:
            raise Forbidden(details={"required_scope": scope})

    def require_app(self, app_id: str) -> None:
        """Raise 404 where these credentials are for other apps."""
        if self.app_ids is not None and app_id not in self.app_ids:
            raise NotFound


def authenticate(request: HttpRequest) -> Credential | None:
    """The caller's credential; None where no Authorization header is sent. What is sent and not valid is 401."""
    header = request.META.get("HTTP_AUTHORIZATION")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    token = token.strip()
    if scheme.lower() == "bearer":
        if token.startswith(LAUNCH_PREFIX):
            return _from_launch_token(token)
        if token.startswith(ACCESS_PREFIX):
            return _from_access_token(token)
    raise Unauthorized


def issue_launch_token(user_id: UUID, app_id: str, scopes: frozenset[str] = LAUNCH_SCOPES) -> tuple[str, datetime]:
    """A token for one person in one app, and when it ends. *scopes* may narrow what it allows."""
    expires = int(time.time()) + settings.LAUNCH_TOKEN_LIFETIME_S
    allowed = "".join(letter for letter, scope in _LETTERS.items() if scope in scopes)
    token = LAUNCH_PREFIX + _signer.sign(f"{user_id.hex}.{app_id}.{allowed}.{expires}")
    return token, datetime.fromtimestamp(expires, UTC)


_LETTERS = {"r": "data:read", "w": "data:write", "d": "data:delete"}


def _from_launch_token(token: str) -> Credential:
    try:
        user_hex, app_id, allowed, expires = _signer.unsign(token[len(LAUNCH_PREFIX) :]).split(".")
    except (signing.BadSignature, ValueError) as error:
        raise Unauthorized from error
    if int(expires) <= time.time():
        raise Unauthorized
    scopes = LAUNCH_SCOPES if len(allowed) == len(_LETTERS) else frozenset(_LETTERS[letter] for letter in allowed)
    return Credential(UUID(user_hex), scopes, frozenset({app_id}), is_launch=True)


def digest(token: str) -> bytes:
    """What the database keeps of an access token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def _from_access_token(token: str) -> Credential:
    key = digest(token)
    now = time.monotonic()
    cached = _cache.get(key)
    if cached and cached[0] > now:
        return cached[1]
    found = AccessToken.objects.usable(key)
    if found is None:
        _cache.pop(key, None)
        raise Unauthorized
    credential = Credential(
        user_id=found.user_id,
        scopes=frozenset(found.scopes),
        app_ids=None if found.app_ids is None else frozenset(found.app_ids),
        is_launch=False,
    )
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    _cache[key] = (now + CACHE_S, credential)
    return credential
