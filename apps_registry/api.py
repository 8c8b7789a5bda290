"""The catalogue and a person's apps, for programs."""

from __future__ import annotations

from typing import Any, Literal, cast

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.db.models.functions import Lower
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as _
from rest_framework.request import Request
from rest_framework.response import Response

from apps_registry import services, shapes
from apps_registry.bundles import run_url
from apps_registry.catalogue import list_shape, public_app, public_list
from apps_registry.listing import Listing, read_listing
from apps_registry.manifest import Manifest
from apps_registry.models import App, Installation
from apps_registry.querysets import AppQuerySet
from dotplatform.api.authentication import LAUNCH_SCOPES, Credential, issue_launch_token
from dotplatform.api.conditional import cacheable
from dotplatform.api.errors import NotFound, ValidationFailed
from dotplatform.api.views import ApiView
from dotplatform.database.doors import as_person

PUBLIC_CACHE = "public, s-maxage=300, stale-while-revalidate=86400"  # the seed's header for its app list


class PublicApps(ApiView):
    """Active apps, newest first, for anybody."""

    permission_classes = []

    def get(self, request: Request) -> HttpResponse:
        return cacheable(request._request, public_list(read_listing(request.query_params)), PUBLIC_CACHE)


class PublicApp(ApiView):
    """One active app, for anybody."""

    permission_classes = []

    def get(self, request: Request, app_id: str) -> HttpResponse:
        return cacheable(request._request, public_app(app_id), PUBLIC_CACHE)


class Apps(ApiView):
    """Active apps, each with whether the caller has it."""

    scopes = {"GET": "apps:read"}

    def get(self, request: Request) -> Response:
        return Response(listed_apps(self.credential, read_listing(request.query_params)))


class AppDetail(ApiView):
    """One active app, with whether the caller has it."""

    scopes = {"GET": "apps:read"}

    def get(self, request: Request, app_id: str) -> Response:
        self.credential.require_app(app_id)
        with as_person(self.credential.user_id):
            app = _with_installed(App.objects.active().with_release(), self.credential.user_id)
            found = app.filter(app_id=app_id).first()
            if found is None:
                raise NotFound
            return Response(shapes.app_detail_shape(found, installed=found.installed))


class MyApps(ApiView):
    """The caller's apps, by name."""

    scopes = {"GET": "apps:read"}

    def get(self, request: Request) -> Response:
        listing = read_listing(request.query_params)
        with as_person(self.credential.user_id):
            apps = listing.narrow(App.objects.only_ids(self.credential.app_ids))
            own = Installation.objects.filter(
                user_id=self.credential.user_id, status=Installation.Status.INSTALLED, app__in=apps
            ).select_related("app", "app__active_release")
            items = [
                shapes.installation_shape(each) for each in own.order_by(Lower("app__name"), "app_id")[listing.bounds]
            ]
            return Response(list_shape(items, listing, own.count()))


class MyApp(ApiView):
    """Install, set and uninstall."""

    scopes = {"GET": "apps:read", "PUT": "apps:write", "PATCH": "apps:write", "DELETE": "apps:write"}

    def get(self, request: Request, app_id: str) -> Response:
        self.credential.require_app(app_id)
        with as_person(self.credential.user_id):
            return Response(shapes.installation_shape(services.installed_app(self.credential.user_id, app_id)))

    def put(self, request: Request, app_id: str) -> Response:
        self.credential.require_app(app_id)
        body = _members(request, {"permissions"})
        installed = services.install(self.credential.user_id, app_id, body.get("permissions"))
        return Response(self._own(app_id), status=201 if installed.is_new else 200)

    def patch(self, request: Request, app_id: str) -> Response:
        self.credential.require_app(app_id)
        body = _members(request, {"settings", "permissions"})
        with as_person(self.credential.user_id):  # both or neither
            services.installed_app(self.credential.user_id, app_id)
            if "settings" in body:
                services.update_settings(self.credential.user_id, app_id, body["settings"])
            if "permissions" in body:
                services.grant_permissions(self.credential.user_id, app_id, body["permissions"])
            return Response(self._own(app_id))

    def delete(self, request: Request, app_id: str) -> Response:
        self.credential.require_app(app_id)
        data = request.query_params.get("data", "keep")
        if data not in ("keep", "delete"):
            raise ValidationFailed.of("data", _("Expected one of: %(expected)s."), {"expected": "keep, delete"})
        services.uninstall(self.credential.user_id, app_id, cast(Literal["keep", "delete"], data))
        return Response(status=204)

    def _own(self, app_id: str) -> dict[str, Any]:
        with as_person(self.credential.user_id):
            return shapes.installation_shape(services.installed_app(self.credential.user_id, app_id))


class Launch(ApiView):
    """A launch token for one of the caller's apps; it may do no more than the token that asks for it."""

    scopes = {"POST": "apps:read"}

    def post(self, request: Request, app_id: str) -> Response:
        return Response(launch(self.credential, app_id, request._request))


def listed_apps(credential: Credential, listing: Listing) -> dict[str, Any]:
    """The contract's app list for one caller: active apps that the credential may see, each with ``installed``."""
    with as_person(credential.user_id):
        apps = listing.narrow(App.objects.active().with_release().only_ids(credential.app_ids))
        found = _with_installed(apps, credential.user_id)[listing.bounds]
        items = [shapes.app_shape(app, installed=app.installed) for app in found]
        return list_shape(items, listing, apps.count())


def launch(credential: Credential, app_id: str, request: HttpRequest) -> dict[str, Any]:
    """``{url, token, expires_at, events_origin}`` for one of the caller's apps, or ``NotFound``."""
    credential.require_app(app_id)
    with as_person(credential.user_id):
        app = services.installed_app(credential.user_id, app_id).app
    release = app.active_release
    if app.status != App.Status.ACTIVE or release is None:
        raise NotFound
    token, expires_at = issue_launch_token(credential.user_id, app_id, credential.scopes & LAUNCH_SCOPES)
    start = run_url(app_id, release.sha256) + Manifest(release.manifest).start_url
    return {
        "url": request.build_absolute_uri(start),
        "token": token,
        "expires_at": expires_at,
        "events_origin": settings.EVENTS_ORIGIN or request.build_absolute_uri("/").rstrip("/"),
    }


def _with_installed(apps: AppQuerySet, user_id: Any) -> Any:
    """Each app with ``installed``; inside the person's door."""
    own = Installation.objects.filter(user_id=user_id, app_id=OuterRef("app_id"), status=Installation.Status.INSTALLED)
    return apps.annotate(installed=Exists(own))


def _members(request: Request, allowed: set[str]) -> dict[str, Any]:
    """The body's members; an empty body has none."""
    body = request.data if request._request.META.get("CONTENT_LENGTH") not in (None, "", "0") else {}
    if not isinstance(body, dict):
        raise ValidationFailed.of("body", _("Expected a JSON object."))
    for name in body.keys() - allowed:
        raise ValidationFailed.of(name, _("There is no such member here."))
    return body
