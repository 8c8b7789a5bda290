"""My data: what an app keeps for the signed-in person, to look at, change and delete."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from appdata import services
from appdata.access import entry_at, installation_at, place_of
from appdata.forms import ImportForm, ValueForm, reason, where
from appdata.models import Entry
from appdata.services import Conditions, Usage
from appdata.transfer import JSON_LINES_TYPE, export_entries, import_entries
from apps_registry.cards import card_of
from dotplatform.api.errors import ApiError, NotFound, PreconditionFailed
from dotplatform.database.doors import as_person

ENTRIES_A_PAGE = 50


@never_cache
@login_required
@require_safe
def entries(request: HttpRequest, app_id: str) -> HttpResponse:
    """A page of the person's entries in one app, by prefix, with the usage against the quota."""
    place = place_of(request, app_id)
    prefix, after = (request.GET.get(name, "").replace("\0", "") for name in ("prefix", "after"))
    with as_person(place.user_id, app_id):
        installation = installation_at(place)
        found = list(Entry.objects.under(prefix).after(after).without_values()[: ENTRIES_A_PAGE + 1])
    shown = found[:ENTRIES_A_PAGE]
    return render(
        request,
        "appdata/entries.html",
        {
            "app": card_of(installation.app),
            "entries": shown,
            "next": shown[-1].key if len(found) > len(shown) else None,
            "prefix": prefix,
            "after": after,
            "usage": Usage.of(installation),
        },
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def entry(request: HttpRequest, app_id: str) -> HttpResponse:
    """One entry (``?key=``: a path would lose keys like ``..``), its value to read and to change."""
    place = place_of(request, app_id)
    key = request.GET.get("key", "")
    with as_person(place.user_id, app_id):
        installation = installation_at(place)
        found, text = entry_at(place, key)
    form = ValueForm(request.POST or None, initial={"value": text, "revision": found.revision})
    if request.method == "POST" and form.is_valid():
        seen = Conditions(match=[form.cleaned_data["revision"]])
        try:
            services.put_entry(place, key, form.cleaned_data["value"], seen)
        except PreconditionFailed:
            form.add_error(None, _("The app changed this entry meanwhile. Look at its present value and try again."))
        except ApiError as error:
            form.add_error("value", reason(error))
        else:
            messages.success(request, _("Saved."))
            return redirect(f"{reverse('app_entry', args=[app_id])}?{urlencode({'key': key})}")
    return render(request, "appdata/entry.html", {"app": card_of(installation.app), "entry": found, "form": form})


@never_cache
@login_required
@require_safe
def export(request: HttpRequest, app_id: str) -> StreamingHttpResponse:
    """All entries as a file of JSON Lines."""
    place = place_of(request, app_id)
    with as_person(place.user_id, app_id):
        installation_at(place)
    headers = {"Content-Disposition": f'attachment; filename="{app_id}.jsonl"'}
    return StreamingHttpResponse(export_entries(place), content_type=JSON_LINES_TYPE, headers=headers)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_(request: HttpRequest, app_id: str) -> HttpResponse:
    """Take a file that was exported; first show what would change, then, told so, change it."""
    place = place_of(request, app_id)
    with as_person(place.user_id, app_id):
        installation = installation_at(place)
    form = ImportForm(request.POST or None, request.FILES or None)
    outcome = None
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            outcome = import_entries(place, given["file"].file, mode=given["mode"], dry_run=given["dry_run"])
        except ApiError as error:
            form.add_error("file", f"{reason(error)} {where(error)}".strip())
    return render(request, "appdata/import.html", {"app": card_of(installation.app), "form": form, "outcome": outcome})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_entry(request: HttpRequest, app_id: str) -> HttpResponse:
    """Ask, and on POST delete the entry."""
    place = place_of(request, app_id)
    key = request.GET.get("key", "")
    with as_person(place.user_id, app_id):
        installation = installation_at(place)
        found, text = entry_at(place, key)
    if request.method == "POST":
        try:
            services.delete_entry(place, key)
        except NotFound:
            messages.info(request, _("It was deleted already."))
        else:
            messages.success(request, _("Deleted “%(key)s”.") % {"key": key})
        return redirect("app_data", app_id)
    return render(
        request, "appdata/delete_entry.html", {"app": card_of(installation.app), "entry": found, "text": text}
    )
