"""DRF's side of authentication: the guard has looked at the token, this hands on what it found and checks scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from dotplatform.api.authentication import Credential
from dotplatform.api.errors import Forbidden, Unauthorized

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView


def credential_of(request: HttpRequest | Request) -> Credential:
    """The caller's credential, which the guard put on the request; 401 where there is none."""
    inner = request._request if isinstance(request, Request) else request
    credential = cast(Credential | None, getattr(inner, "credential", None))
    if credential is None:
        raise Unauthorized
    return credential


class BearerAuthentication(BaseAuthentication):
    """Hands DRF what the guard found: ``request.auth`` is the credential."""

    def authenticate(self, request: Request) -> tuple[None, Credential] | None:
        credential = getattr(request._request, "credential", None)
        return None if credential is None else (None, credential)


class HasScope(BasePermission):
    """Checks the view's ``scopes`` for the method, and that a launch token is only used where it is meant for."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        scopes: dict[str, str | None] = getattr(view, "scopes", {})
        credential = credential_of(request)
        method = "GET" if request.method == "HEAD" else request.method
        if (scope := scopes.get(method or "")) is not None:
            credential.require(scope)
        if credential.is_launch and not getattr(view, "takes_launch_tokens", False):
            raise Forbidden
        return True
