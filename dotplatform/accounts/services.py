"""What people do with their account: one function each, for pages, admin and commands alike."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from dotplatform.accounts.models import AccessToken, User
from dotplatform.accounts.scopes import SCOPES, allowed_scopes
from dotplatform.api.authentication import ACCESS_PREFIX, digest, forget_access_token
from dotplatform.database.identifiers import APP_ID_PATTERN

MAX_TOKENS = 100  # usable ones at a time, a person
MAX_APP_IDS = 50
HINT_LENGTH = 4
SHOWN_AGAIN = timedelta(minutes=1)  # to who sends the same form twice, and sees the second answer only
_APP_ID = re.compile(APP_ID_PATTERN)


def issue_access_token(
    user: User,
    name: str,
    scopes: Collection[str],
    app_ids: Collection[str] | None = None,
    expires_at: datetime | None = None,
    *,
    once: str = "",
) -> tuple[AccessToken, str]:
    """A new token of *user* and its text, which is kept nowhere and cannot be shown again.

    *app_ids* None means any app. *once* names the form that asks, as it is filled in: sent twice (a double click, a
    reload), it makes one token. Raises ``ValidationError``, by field, for what cannot be granted.
    """
    _check_scopes(user, scopes)
    _check_app_ids(app_ids)
    if expires_at is not None and expires_at <= timezone.now():
        raise ValidationError({"expires_at": _("That moment is in the past.")})
    text = ACCESS_PREFIX + (_secret_of(user, once) if once else secrets.token_urlsafe(32))
    if once and (made := _made_before(text)):
        return made, text
    if AccessToken.objects.filter(user=user).in_use().count() >= MAX_TOKENS:
        raise ValidationError(_("You have %(count)s access tokens. Revoke some first."), params={"count": MAX_TOKENS})
    token = AccessToken(
        user=user,
        name=name.strip(),
        digest=digest(text),
        hint=text[-HINT_LENGTH:],
        scopes=[scope for scope in SCOPES if scope in scopes],
        app_ids=None if app_ids is None else sorted(set(app_ids)),
        expires_at=expires_at,
    )
    token.clean_fields()
    AccessToken.objects.bulk_create([token], ignore_conflicts=True)  # the other click may be served at this moment
    return AccessToken.objects.get(digest=token.digest), text


def _made_before(text: str) -> AccessToken | None:
    made = AccessToken.objects.filter(digest=digest(text)).first()
    if made and (made.revoked_at or made.created_at < timezone.now() - SHOWN_AGAIN):
        raise ValidationError(_("This form has made its token already. Open the page again for another one."))
    return made


def _secret_of(user: User, once: str) -> str:
    """The same for the same form: both answers to a double click show it. Nobody knows it without SECRET_KEY."""
    key = salted_hmac("dot.access-token", f"{user.pk}\n{once}", algorithm="sha256").digest()
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def revoke_access_token(token: AccessToken) -> bool:
    """End *token*: here at once, in other processes within their cache's few seconds. False if it was over already."""
    revoked = AccessToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    forget_access_token(bytes(token.digest))
    return bool(revoked)


def _check_scopes(user: User, scopes: Collection[str]) -> None:
    if not scopes:
        raise ValidationError({"scopes": _("Choose at least one scope.")})
    if unknown := sorted(set(scopes) - SCOPES.keys()):
        raise ValidationError(
            {"scopes": ValidationError(_("Unknown scope: %(names)s"), params={"names": ", ".join(unknown)})}
        )
    if refused := sorted(set(scopes) - allowed_scopes(user).keys()):
        raise ValidationError(
            {"scopes": ValidationError(_("You may not grant: %(names)s"), params={"names": ", ".join(refused)})}
        )


def _check_app_ids(app_ids: Collection[str] | None) -> None:
    if app_ids is None:
        return
    if not app_ids:
        raise ValidationError({"app_ids": _("Name at least one app, or allow all of them.")})
    if len(app_ids) > MAX_APP_IDS:
        raise ValidationError({"app_ids": _("Too many apps; allow all of them instead.")})
    for app_id in app_ids:
        if not _APP_ID.fullmatch(app_id):
            raise ValidationError(
                {"app_ids": ValidationError(_("“%(app_id)s” is not an app ID."), params={"app_id": app_id[:80]})}
            )
