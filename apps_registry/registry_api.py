"""Publishing, for programs: ``/api/registry/…`` with the scope ``registry:publish``."""

from __future__ import annotations

from typing import IO, cast

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_noop as _
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from apps_registry import services, shapes
from apps_registry.access import app_write, person_of, release_write
from apps_registry.models import App
from apps_registry.publishing import publish_release
from dotplatform.accounts.models import User
from dotplatform.api.errors import TooLarge, ValidationFailed
from dotplatform.api.views import ApiView
from dotplatform.limits import LIMITS

FORM_BYTES = 64 * 1024  # what a multipart form adds around its file


class _Publishing(ApiView):
    scopes = {"GET": "registry:publish", "POST": "registry:publish", "PATCH": "registry:publish"}

    def person(self) -> User:
        """Who publishes."""
        return person_of(self.credential)

    def own_app(self, app_id: str) -> App:
        """The app, if these credentials are for it and it is the caller's to change."""
        self.credential.require_app(app_id)
        app = app_write(app_id)
        services.require_ownership(app, self.person())
        return app

    def publish(self, request: Request, app_id: str | None) -> Response:
        """201 with the release made of the form's ``bundle``."""
        release = publish_release(
            _bundle(request),
            self.person(),
            app_id=app_id or request._request.POST.get("app_id") or None,
            name=request._request.POST.get("name") or None,
            limited_to=self.credential.app_ids,
        )
        return Response({**shapes.release_shape(release, release.app), "warnings": release.warnings}, status=201)


class RegistryApps(_Publishing):
    """Publish a new app, or the next release of the one that the manifest names."""

    parser_classes = [MultiPartParser]

    def post(self, request: Request) -> Response:
        return self.publish(request, None)


class RegistryReleases(_Publishing):
    """An app's releases, newest first; publish the next."""

    parser_classes = [MultiPartParser]

    def get(self, request: Request, app_id: str) -> Response:
        app = self.own_app(app_id)
        return Response({"items": [shapes.release_shape(release, app) for release in app.releases.all()]})

    def post(self, request: Request, app_id: str) -> Response:
        self.own_app(app_id)
        return self.publish(request, app_id)


class RegistryActivate(_Publishing):
    """Roll forward or back."""

    def post(self, request: Request, app_id: str, version: str) -> Response:
        app = self.own_app(app_id)
        release = release_write(app, version)
        services.activate_release(release, self.person())
        return Response(shapes.release_shape(release, app))


class RegistryApp(_Publishing):
    """Take an app out of the catalogue, or put it back: ``{"status": "active" | "inactive"}``."""

    def patch(self, request: Request, app_id: str) -> Response:
        app = self.own_app(app_id)
        body = request.data
        if not isinstance(body, dict) or set(body) != {"status"}:
            raise ValidationFailed.of("status", _("Expected an object with the member status, and no other."))
        services.set_app_status(app, body["status"], self.person())
        return Response(shapes.app_shape(app, installed=False))


def _bundle(request: Request) -> IO[bytes]:
    limit = LIMITS["bundle_zip_bytes"]
    if int(request._request.META.get("CONTENT_LENGTH") or 0) > limit + FORM_BYTES:
        raise TooLarge(details={"field": "bundle", "limit": limit})
    bundle = request.FILES.get("bundle")
    if not isinstance(bundle, UploadedFile):
        raise ValidationFailed.of("bundle", _("Send the zip file as the multipart field bundle."))
    return cast(IO[bytes], bundle)
