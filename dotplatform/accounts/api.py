"""``/api/me``: who the bearer of a token is."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from dotplatform.accounts.models import User
from dotplatform.api.errors import Unauthorized
from dotplatform.api.language import asked_language
from dotplatform.api.views import ApiView


def me(user: User, locale: str) -> dict[str, Any]:
    """``{id, email, name, language, locale}``: *language* is the person's choice or null, *locale* what applies."""
    return {
        "id": user.pk,
        "email": user.email,
        "name": user.get_short_name(),
        "language": user.language or None,
        "locale": user.language or locale,
    }


class MeView(ApiView):
    """The person behind the token. Needs no scope; launch tokens may ask too."""

    scopes = {"GET": None}
    takes_launch_tokens = True

    def get(self, request: Request) -> Response:
        user = User.objects.filter(pk=self.credential.user_id, is_active=True).first()
        if user is None:
            raise Unauthorized
        return Response(me(user, asked_language(request._request)))
