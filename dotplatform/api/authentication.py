"""Who is asking: access tokens (``dot_pat_…``) and launch tokens (``dot_run_…``). No cookie is ever read here.

A request costs no query for its token: a launch token is signed, an access token is remembered for ``CACHE_S``, and
so is the list of people who have been deactivated. So a revocation or a deactivation is honoured within ``CACHE_S`` by
every process, and the end of a token's life at once. What is no token is remembered as long: a program that goes on
with a revoked one costs no queries either.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from math import inf
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

from dotplatform.accounts.models import AccessToken, User
from dotplatform.api.errors import Forbidden, NotFound, Unauthorized
from dotplatform.remembered import Remembered

ACCESS_PREFIX = "dot_pat_"
LAUNCH_PREFIX = "dot_run_"
LAUNCH_SCOPES = frozenset({"data:read", "data:write", "data:delete"})
CACHE_S = 5.0  # how long a revoked token, or one of a deactivated person, may still be taken
USE_NOTED_EVERY_S = 60.0
_CACHE_SIZE = 10_000

_signer = signing.Signer(salt="dot.launch-token", sep=".")
_cache: dict[bytes, tuple[float, float, Credential]] = {}  # digest → (fresh until, expires at, credential)
_unknown: dict[bytes, float] = {}  # digest → until when it need not be looked up again


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

    def acting_in(self, app_id: str) -> str:
        """The app that these credentials speak for when they ask about *app_id*; "" where it is the person.

        The only app they are for may ask about another one, and the person's consents decide (``appdata.access``);
        with several apps nobody could say which of them asks: ``NotFound``.
        """
        if self.app_ids is None:
            return ""
        if app_id not in self.app_ids and len(self.app_ids) > 1:
            raise NotFound
        return app_id if app_id in self.app_ids else next(iter(self.app_ids))


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
    expires, credential = _read_launch_token(token)
    if expires <= time.time() or credential.user_id in _deactivated_people():
        raise Unauthorized
    return credential


@lru_cache(_CACHE_SIZE)
def _read_launch_token(token: str) -> tuple[int, Credential]:
    """When it ends and what it allows, the signature checked. (What raises is not remembered.)"""
    try:
        user_hex, app_id, allowed, expires = _signer.unsign(token[len(LAUNCH_PREFIX) :]).split(".")
    except (signing.BadSignature, ValueError) as error:
        raise Unauthorized from error
    scopes = LAUNCH_SCOPES if len(allowed) == len(_LETTERS) else frozenset(_LETTERS[letter] for letter in allowed)
    return int(expires), Credential(UUID(user_hex), scopes, frozenset({app_id}), is_launch=True)


def _load_deactivated_people() -> frozenset[UUID]:
    """People who may no longer sign in. (Who was deleted has no rows left to see.)"""
    return frozenset(User.objects.filter(is_active=False).values_list("id", flat=True))


_deactivated_people = Remembered(_load_deactivated_people, CACHE_S)


def forget() -> None:
    """Ask the database again at the next request of this process."""
    _cache.clear()
    _unknown.clear()
    _read_launch_token.cache_clear()
    _deactivated_people.forget()


def digest(token: str) -> bytes:
    """What the database keeps of an access token: its SHA-256."""
    return hashlib.sha256(token.encode()).digest()


def _from_access_token(token: str) -> Credential:
    key = digest(token)
    fresh_until, expires_at, credential = _cache.get(key) or _look_up(key)
    if fresh_until <= time.monotonic():
        _, expires_at, credential = _look_up(key)
    if expires_at <= time.time():
        raise Unauthorized
    return credential


def _look_up(key: bytes) -> tuple[float, float, Credential]:
    """The credential of the access token with this digest, from the database; remembered for ``CACHE_S``."""
    fresh_until = time.monotonic() + CACHE_S  # counted from before the query: what it sees may be old already
    if time.monotonic() < _unknown.get(key, 0.0):
        raise Unauthorized
    found = AccessToken.objects.usable(key)
    if found is None:
        _cache.pop(key, None)
        if len(_unknown) >= _CACHE_SIZE:
            _unknown.clear()
        _unknown[key] = fresh_until
        raise Unauthorized
    AccessToken.objects.note_use(found, at_most_every_s=USE_NOTED_EVERY_S)
    credential = Credential(
        user_id=found.user_id,
        scopes=_scopes_in_force(found),
        app_ids=None if found.app_ids is None else frozenset(found.app_ids),
        is_launch=False,
    )
    if len(_cache) >= _CACHE_SIZE:
        _cache.clear()
    entry = (fresh_until, found.expires_at.timestamp() if found.expires_at else inf, credential)
    _cache[key] = entry
    return entry


def _scopes_in_force(token: AccessToken) -> frozenset[str]:
    """What was granted, less publishing where the person may no longer publish (SPEC 6)."""
    scopes = frozenset(token.scopes)
    if "registry:publish" in scopes and not token.user.may_publish:
        return scopes - {"registry:publish"}
    return scopes


def forget_access_token(key: bytes) -> None:
    """Ask the database again about the token with this digest: it was revoked."""
    _cache.pop(key, None)
