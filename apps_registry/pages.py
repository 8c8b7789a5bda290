"""The catalogue, an app's page, and what a person does with an app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, Literal, cast
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps_registry import services
from apps_registry.access import app_read
from apps_registry.cards import Card, card_of, permissions_of
from apps_registry.catalogue import AppPage, ListedPage, app_page, listed_page
from apps_registry.forms import ReviewForm, SettingsForm
from apps_registry.listing import Listing, read_listing
from apps_registry.models import App, Installation, Review
from apps_registry.upload import say_published, upload_form
from dotplatform.accounts.models import User
from dotplatform.api.errors import Forbidden, NotFound, ValidationFailed
from dotplatform.database.doors import as_person
from metrics.errors import errors_of

_View = Callable[..., HttpResponse]

_ERRORS_SHOWN = 20
_FRESH_SHOWN = 4  # apps of the catalogue below one's own


def page(view: _View) -> _View:
    """What services and access refuse, as pages say it: 404 and 403."""

    @wraps(view)
    def inside(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except NotFound as error:
            raise Http404 from error
        except Forbidden as error:
            raise PermissionDenied from error

    return inside


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """Signed in: my apps. Anonymous: what this is, and what there is."""
    if not request.user.is_authenticated:
        return render(request, "apps_registry/welcome.html", {"cards": _cards(request, listed_page(Listing()))})
    own = _launcher_cards(_person_id(request))
    mine = {card.app_id for card in own}
    fresh = [app for app in listed_page(Listing()).apps if app.app_id not in mine][:_FRESH_SHOWN]
    context = {"cards": own, "fresh": [mark_safe(app.html) for app in fresh]}  # noqa: S308
    return render(request, "apps_registry/launcher.html", context)


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    """Every active app, searched, sorted and paged by GET parameters."""
    try:
        listing = read_listing(request.GET)
    except ValidationFailed:  # an address somebody typed: show what there is
        listing = Listing()
    found = listed_page(listing)
    listing = found.listing
    context = {
        "cards": _cards(request, found),
        "categories": [(name, listing.in_category(name).query()) for name in found.categories],
        "all_query": listing.in_category("").query(),
        "listing": listing,
        "total": found.total,
        "pages": found.pages,
        "previous": listing.on_page(listing.page - 1).query() if listing.page > 1 else None,
        "next": listing.on_page(listing.page + 1).query() if listing.page < found.pages else None,
    }
    return render(request, "apps_registry/catalogue.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def how_to_publish(request: HttpRequest) -> HttpResponse:
    """How a folder becomes an app, by the ways that are open to the reader; whoever may publish uploads it here."""
    form = None
    if isinstance(request.user, User) and request.user.may_publish:
        form = upload_form(request.user)(request.POST or None, request.FILES or None)
    if request.method == "POST":
        if form is None:
            raise PermissionDenied
        if form.is_valid():
            say_published(request, form.instance)
            return redirect("app-detail", form.instance.app_id)
    context = {"form": form, "origin": request.build_absolute_uri("/").rstrip("/")}
    return render(request, "apps_registry/publish.html", context, status=400 if form and form.errors else 200)


@require_safe
@page
def detail(request: HttpRequest, app_id: str) -> HttpResponse:
    """Everything about one app, and the way to install it."""
    return _detail(request, app_id, None)


def _detail(request: HttpRequest, app_id: str, review_form: ReviewForm | None, status: int = 200) -> HttpResponse:
    shown = app_page(app_id)
    installation = _installation(request, app_id)
    is_installed = installation is not None and installation.status == Installation.Status.INSTALLED
    context = {
        "shown": shown,
        "app": shown.app,
        "card": replace(shown.card, is_installed=is_installed),
        "installation": installation,
        "permissions": permissions_of(shown.app, installation.permissions if installation and is_installed else []),
        "review_form": review_form or _review_form(request, shown),
        "author": _author(shown.app),
    }
    if _manages(request, shown.app):
        context |= {"manages": True, "errors": errors_of(app_id)[:_ERRORS_SHOWN]}
    return render(request, "apps_registry/detail.html", context, status=status)


@login_required
@require_POST
@page
def activate(request: HttpRequest, app_id: str) -> HttpResponse:
    """Make another release the one that people open: back to an earlier one, or forward again."""
    app = app_read(app_id)
    release = app.releases.filter(version=request.POST.get("version", "").replace("\0", "")).first()
    if release is None:
        raise NotFound
    services.activate_release(release, cast(User, request.user))
    words = {"names": f"{card_of(app).name} {release.version}"}
    messages.success(request, _("What people open now: %(names)s") % words)
    return redirect("app-detail", app_id)


@login_required
@require_POST
@page
def install(request: HttpRequest, app_id: str) -> HttpResponse:
    """Install with the permissions that are ticked."""
    app = app_read(app_id)
    installed = services.install(_person_id(request), app_id, _ticked(request, app))
    if installed.is_new:
        messages.success(request, _("%(name)s is installed.") % {"name": card_of(app).name})
    return redirect("app-detail", app_id)


@login_required
@page
def app_settings(request: HttpRequest, app_id: str) -> HttpResponse:
    """The app's settings for this person, its permissions, and the way out."""
    person_id = _person_id(request)
    with as_person(person_id):
        installation = services.installed_app(person_id, app_id)
    app = installation.app
    language = get_language() or ""
    form = SettingsForm(app.manifest, installation.settings, language, request.POST or None)
    status = 200
    if request.method == "POST":
        try:
            services.update_settings(person_id, app_id, form.changes())
        except ValidationFailed as error:
            form.take_errors(error, language)
            status = 400
        else:
            messages.success(request, _("Saved."))
            return redirect("app-settings", app_id)
    context = {
        "app": app,
        "card": card_of(app, is_installed=True),
        "form": form,
        "permissions": permissions_of(app, installation.permissions),
        "installation": installation,
    }
    return render(request, "apps_registry/settings.html", context, status=status)


@login_required
@require_POST
@page
def permissions(request: HttpRequest, app_id: str) -> HttpResponse:
    """Grant what is ticked, revoke the rest."""
    person_id = _person_id(request)
    with as_person(person_id):
        app = services.installed_app(person_id, app_id).app
    services.grant_permissions(person_id, app_id, _ticked(request, app))
    messages.success(request, _("Saved."))
    return redirect("app-settings", app_id)


@login_required
@page
def uninstall(request: HttpRequest, app_id: str) -> HttpResponse:
    """Ask what is to become of the data; then uninstall."""
    person_id = _person_id(request)
    with as_person(person_id):
        installation = services.installed_app(person_id, app_id)
    card = card_of(installation.app, is_installed=True)
    data = request.POST.get("data", "")
    if request.method == "POST" and data in ("keep", "delete"):
        services.uninstall(person_id, app_id, cast(Literal["keep", "delete"], data))
        if data == "delete":
            messages.success(request, _("%(name)s is uninstalled and your data in it deleted.") % {"name": card.name})
        else:
            messages.success(request, _("%(name)s is uninstalled. Your data is kept.") % {"name": card.name})
        return redirect("home")
    return render(request, "apps_registry/uninstall.html", {"card": card, "installation": installation})


@login_required
@require_POST
@page
def review(request: HttpRequest, app_id: str) -> HttpResponse:
    """Write one's review, or take it back."""
    if "delete" in request.POST:
        services.delete_review(_person_id(request), app_id)
        messages.success(request, _("Your review is deleted."))
        return redirect("app-detail", app_id)
    form = ReviewForm(request.POST)
    if not form.is_valid():
        return _detail(request, app_id, form, status=400)
    services.write_review(_person_id(request), app_id, form.cleaned_data["rating"], form.cleaned_data["text"])
    messages.success(request, _("Thank you for your review."))
    return redirect("app-detail", app_id)


def _launcher_cards(person_id: UUID) -> list[Card]:
    """The person's apps: what was opened last first, what was never opened after it, by name."""
    with as_person(person_id):
        own = Installation.objects.filter(status=Installation.Status.INSTALLED)
        found = list(own.select_related("app", "app__active_release"))
    cards = [(each.opened_at, card_of(each.app, is_installed=True)) for each in found]
    cards.sort(key=lambda pair: pair[1].short_name.casefold())
    cards.sort(key=lambda pair: pair[0].timestamp() if pair[0] else 0.0, reverse=True)
    return [card for _opened_at, card in cards]


def _ticked(request: HttpRequest, app: App) -> list[str]:
    """What the form grants; a permission that a release since then no longer asks for is left out."""
    asked = {permission.name for permission in permissions_of(app, [])}
    return [name for name in request.POST.getlist("permission") if name in asked]


def _review_form(request: HttpRequest, shown: AppPage) -> ReviewForm:
    """With what the person wrote before, if they did."""
    own = next((review for review in shown.reviews if review.user_id == request.user.pk), None)
    if own is None and request.user.is_authenticated and shown.rating["count"] > len(shown.reviews):
        own = Review.objects.filter(user_id=_person_id(request), app_id=shown.app.app_id).first()  # an older one
    return ReviewForm(initial={"rating": own.rating, "text": own.text} if own else None)


def _manages(request: HttpRequest, app: App) -> bool:
    """Whether the reader may change which release people open, and see what goes wrong in it."""
    person = request.user
    if not isinstance(person, User):
        return False
    return person.is_staff or (app.owner_id == person.pk and person.may_publish)


def _author(app: App) -> str:
    author = app.manifest.get("author", "")
    return str(author.get("name", "")) if isinstance(author, dict) else str(author)


def _person_id(request: HttpRequest) -> UUID:
    return cast(UUID, request.user.pk)


def _cards(request: HttpRequest, found: ListedPage) -> list[SafeString]:
    """The cards as HTML; the person's own apps are marked."""
    mine = _installed_ids(request)
    return [mark_safe(app.html_installed if app.app_id in mine else app.html) for app in found.apps]  # noqa: S308


def _installed_ids(request: HttpRequest) -> set[str]:
    if not request.user.is_authenticated:
        return set()
    with as_person(_person_id(request)):
        own = Installation.objects.filter(status=Installation.Status.INSTALLED)
        return {each.app_id for each in own.only("app_id")}


def _installation(request: HttpRequest, app_id: str) -> Installation | None:
    if not request.user.is_authenticated:
        return None
    with as_person(_person_id(request)):
        return Installation.objects.filter(app_id=app_id).first()
