"""If-Match and If-None-Match (RFC 9110, section 13): entity tags are quoted revisions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

from appdata.services import ANY, UNCONDITIONAL, Conditions
from dotplatform.api.errors import ValidationFailed

_TAG = re.compile(r'[ \t,]*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"[ \t]*(?:,[ \t,]*|\Z)')  # between commas may be nothing
_REVISION = re.compile(r"[1-9][0-9]{0,17}")


def is_conditional(request: HttpRequest) -> bool:
    """Whether there is anything that must hold."""
    return "HTTP_IF_MATCH" in request.META or "HTTP_IF_NONE_MATCH" in request.META


def conditions_of(request: HttpRequest) -> Conditions:
    """What the request asks to hold. Weak tags match only If-None-Match; tags that are not ours match nothing."""
    if not is_conditional(request):
        return UNCONDITIONAL
    meta = request.META
    return Conditions(
        _revisions("If-Match", meta.get("HTTP_IF_MATCH"), weak=False),
        _revisions("If-None-Match", meta.get("HTTP_IF_NONE_MATCH"), weak=True),
    )


def _revisions(header: str, text: str | None, *, weak: bool) -> Sequence[int] | None:
    if text is None:
        return None
    if text.strip() == "*":
        return ANY
    found, position = [], 0
    while position < len(text):
        tag = _TAG.match(text, position)
        if tag is None:
            # Taking it for "no condition" would overwrite what the caller wanted to protect.
            raise ValidationFailed.of(header, _('Entity tags are quoted and separated by commas, as in "17", or *.'))
        if (weak or not tag[1]) and _REVISION.fullmatch(tag[2]):
            found.append(int(tag[2]))
        position = tag.end()
    return found
