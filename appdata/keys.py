"""Keys of entries: what is one, and how one is read from an address."""

from __future__ import annotations

import re

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

from dotplatform.api.errors import ValidationFailed
from dotplatform.limits import LIMITS

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc: C0, DEL and C1
_LAST_CHARACTER = "\U0010ffff"
ABOVE_ALL = _LAST_CHARACTER * 129  # longer than any key can be, and so after all of them


def checked_key(key: str, *, field: str = "key") -> str:
    """*key* itself, where it is 1 to 512 bytes of UTF-8 without control characters; 400 otherwise."""
    limit = LIMITS["key_bytes"]
    if key.isascii() and key.isprintable() and 0 < len(key) <= limit:  # as nearly all are
        return key
    if not key:
        raise ValidationFailed.of(field, _("A key has at least one character."))
    try:
        length = len(key.encode())
    except UnicodeEncodeError as error:
        raise ValidationFailed.of(field, _("A key is text in UTF-8; this is not.")) from error
    if length > limit:
        raise ValidationFailed.of(field, _("A key has at most %(limit)s bytes."), {"limit": limit})
    if not key.isprintable() and _CONTROL.search(key):
        raise ValidationFailed.of(field, _("A key has no control characters."))
    return key


def key_in_path(request: HttpRequest, key: str) -> str:
    """The checked *key* that the URL resolver found in the request's path.

    The server has decoded percent-encoding once, so ``%2F`` is ``/``; nothing else about the path is touched: ``//``
    and ``..`` are part of the key. Django would put ``%FF`` for a byte that is not UTF-8; here that is a 400.
    """
    raw: str = request.META["dot.path"]  # PEP 3333: bytes in the guise of Latin-1
    if not raw.isascii():
        try:
            raw.encode("latin-1").decode()
        except UnicodeError as error:
            raise ValidationFailed.of("key", _("A key is text in UTF-8; this is not.")) from error
    return checked_key(key)


def end_of_prefix(prefix: str) -> str:
    """The first text, in the order of bytes, after all that begin with *prefix*: an index range needs no LIKE."""
    head = prefix.rstrip(_LAST_CHARACTER)
    if not head:
        return ABOVE_ALL
    last = ord(head[-1])
    return head[:-1] + chr(0xE000 if last == 0xD7FF else last + 1)  # no surrogates in between
