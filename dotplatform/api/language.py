"""The language that a caller of the API asks for. (Django's own function looks into a cookie first.)"""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation.trans_real import parse_accept_lang_header


def asked_language(request: HttpRequest) -> str:
    """``ko`` or ``en``, from Accept-Language alone; the platform's default where it names neither."""
    known = dict(settings.LANGUAGES)
    for asked, _ in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")):
        if (language := asked.partition("-")[0]) in known:
            return language
    return settings.LANGUAGE_CODE
