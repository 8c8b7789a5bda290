"""The catalogue's lists and an app's page, as everybody sees them; what is a person's own is added by the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Avg, Count
from django.template.loader import render_to_string
from django.utils.translation import get_language

from apps_registry import remembered
from apps_registry.access import app_read
from apps_registry.cards import Card, card_of, screenshots_of
from apps_registry.listing import Listing
from apps_registry.models import App, Release, Review
from apps_registry.shapes import app_detail_shape, app_shape
from dotplatform.api.envelope import to_json

_REVIEWS_SHOWN = 20
_RELEASES_SHOWN = 10


@dataclass(frozen=True)
class ListedApp:
    """A card as HTML, for people who have the app and for those who do not."""

    app_id: str
    html: str
    html_installed: str


@dataclass(frozen=True)
class ListedPage:
    """One page of the catalogue; *listing* is on a page that exists."""

    apps: list[ListedApp]
    listing: Listing
    total: int
    pages: int
    categories: list[str]


@dataclass(frozen=True)
class AppPage:
    """What an app's page says to everybody."""

    app: App
    card: Card
    screenshots: list[dict[str, Any]]
    releases: list[Release]
    reviews: list[Review]
    rating: dict[str, Any]


def listed_page(listing: Listing) -> ListedPage:
    """A page of the catalogue in the language of this request."""
    if listing.search:  # too many different ones to keep
        return _listed_page(listing)
    return remembered.of_catalogue(("page", listing, get_language()), lambda: _listed_page(listing))


def app_page(app_id: str) -> AppPage:
    """An app's page in the language of this request, or ``NotFound``."""
    return remembered.of_app(app_id, ("page", get_language()), lambda: _app_page(app_id))


def public_list(listing: Listing) -> bytes:
    """JSON of the list that anybody may read."""
    if listing.search:
        return _public_list(listing)
    return remembered.of_catalogue(("json", listing), lambda: _public_list(listing))


def public_app(app_id: str) -> bytes:
    """JSON of one app that anybody may read, or ``NotFound``."""
    return remembered.of_app(app_id, "json", lambda: to_json(app_detail_shape(app_read(app_id), installed=False)))


def list_shape(items: list[dict[str, Any]], listing: Listing, total: int) -> dict[str, Any]:
    """The contract's app list."""
    return {"items": items, "page": listing.page, "page_size": listing.page_size, "total": total}


def _listed_page(listing: Listing) -> ListedPage:
    apps = listing.narrow(App.objects.active().with_release())
    total = apps.count()
    pages = max(1, -(-total // listing.page_size))
    listing = listing.on_page(min(listing.page, pages))
    return ListedPage([_listed(app) for app in apps[listing.bounds]], listing, total, pages, _categories())


def _listed(app: App) -> ListedApp:
    html, html_installed = (
        render_to_string("apps_registry/card.html", {"card": card_of(app, is_installed=is_installed)})
        for is_installed in (False, True)
    )
    return ListedApp(app.app_id, html, html_installed)


def _app_page(app_id: str) -> AppPage:
    app = app_read(app_id)
    reviews = Review.objects.filter(app_id=app_id)
    return AppPage(
        app=app,
        card=card_of(app),
        screenshots=screenshots_of(app),
        releases=list(app.releases.all()[:_RELEASES_SHOWN]),
        reviews=list(reviews.select_related("user").order_by("-updated_at")[:_REVIEWS_SHOWN]),
        rating=reviews.aggregate(average=Avg("rating"), count=Count("id")),
    )


def _public_list(listing: Listing) -> bytes:
    apps = listing.narrow(App.objects.active().with_release())
    items = [app_shape(app, installed=False) for app in apps[listing.bounds]]
    return to_json(list_shape(items, listing, apps.count()))


def _categories() -> list[str]:
    """Every category that an active app names, sorted."""
    named = App.objects.active().values_list("manifest__categories", flat=True)
    return sorted({name for names in named for name in names or []}, key=str.casefold)
