"""Query parameters, read strictly: what is not understood is a 400 that names it."""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from django.http import HttpRequest
from django.utils.translation import gettext_noop as _

from appdata.keys import checked_key
from dotplatform.api.errors import ValidationFailed


def text_parameter(request: HttpRequest, name: str) -> str:
    """The parameter, or ``""``. Django would replace what is not UTF-8; here that is refused."""
    try:
        unquote_to_bytes(request.META.get("QUERY_STRING", "")).decode()
    except UnicodeDecodeError as error:
        raise ValidationFailed.of(name, _("The address is not UTF-8.")) from error
    return request.GET.get(name, "")


def prefix_parameter(request: HttpRequest) -> str:
    """``?prefix=``, itself a possible key, or empty."""
    prefix = text_parameter(request, "prefix")
    return checked_key(prefix, field="prefix") if prefix else ""


def number_parameter(request: HttpRequest, name: str, default: int, maximum: int, minimum: int = 1) -> int:
    """The parameter as a whole number from *minimum* to *maximum*."""
    text = request.GET.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 20 and minimum <= int(text) <= maximum):
        params = {"minimum": minimum, "maximum": maximum}
        raise ValidationFailed.of(name, _("A whole number from %(minimum)s to %(maximum)s."), params)
    return int(text)


def truth_parameter(request: HttpRequest, name: str, *, default: bool) -> bool:
    """The parameter, ``true`` or ``false``."""
    text = request.GET.get(name)
    if text is None:
        return default
    if text not in {"true", "false"}:
        raise ValidationFailed.of(name, _("Either true or false."))
    return text == "true"


def choice_parameter(request: HttpRequest, name: str, choices: tuple[str, ...]) -> str:
    """The parameter, one of *choices*; the first unless given."""
    text = request.GET.get(name, choices[0])
    if text not in choices:
        raise ValidationFailed.of(name, _("One of: %(names)s."), {"names": ", ".join(choices)})
    return text
