"""My data: what an app keeps for the signed-in person, to look at, change and delete."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from appdata import services
from appdata.access import apps_with_consent, entry_at, installation_at, place_of
from appdata.forms import ImportForm, ValueForm, reason, where
from appdata.history import last_writes, names_of_writers, with_writers
from appdata.models import Entry
from appdata.services import Conditions, Place, Usage
from appdata.transfer import JSON_LINES_TYPE, export_entries, import_entries
from appdata.undo import delete_for_a_minute, undo, undoable
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
        found = list(Entry.objects.under(prefix).after(after).with_preview()[: ENTRIES_A_PAGE + 1])
        discarded = undoable(place)
    shown = found[:ENTRIES_A_PAGE]
    return render(
        request,
        "appdata/entries.html",
        {
            "app": card_of(installation.app),
            "entries": with_writers(app_id, shown),
            "discarded": discarded,
            "sharing": apps_with_consent(place),
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
        writer = names_of_writers(app_id, [found.written_by])[found.written_by]
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
    words = {"app": card_of(installation.app), "entry": found, "writer": writer, "form": form}
    return render(request, "appdata/entry.html", words)


@never_cache
@login_required
@require_safe
def history(request: HttpRequest, app_id: str) -> HttpResponse:
    """The last writes to the person's data in one app, whichever app they came from."""
    place = place_of(request, app_id)
    with as_person(place.user_id, app_id):
        installation = installation_at(place)
        writes = last_writes(place)
    return render(request, "appdata/history.html", {"app": card_of(installation.app), "writes": writes})


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
        return _deleted(request, place, [key])
    return render(
        request, "appdata/delete_entry.html", {"app": card_of(installation.app), "entry": found, "text": text}
    )


@login_required
@require_POST
def delete_entries(request: HttpRequest, app_id: str) -> HttpResponse:
    """Delete those that are ticked; no question first, since it can be undone."""
    place = place_of(request, app_id)
    with as_person(place.user_id, app_id):
        installation_at(place)
    keys = [key for key in request.POST.getlist("key") if "\0" not in key]
    if not keys:
        messages.info(request, _("Tick what to delete first."))
        return redirect("app_data", app_id)
    return _deleted(request, place, keys)


@login_required
@require_POST
def undo_delete(request: HttpRequest, app_id: str) -> HttpResponse:
    """Bring back what was deleted last, within a minute."""
    place = place_of(request, app_id)
    with as_person(place.user_id, app_id):
        installation_at(place)
    try:
        undone = undo(place)
    except NotFound:
        messages.error(request, _("That was more than a minute ago. It is gone for good."))
    except ApiError as error:
        messages.error(request, reason(error))
    else:
        if undone.restored:
            words = ngettext("%(count)s entry is back.", "%(count)s entries are back.", undone.restored)
            messages.success(request, words % {"count": undone.restored})
        if undone.kept:
            messages.info(request, _("What the app has written again meanwhile stays as it is."))
    return redirect("app_data", app_id)


def _deleted(request: HttpRequest, place: Place, keys: list[str]) -> HttpResponse:
    """Delete *keys*, and go to the list, which offers to undo it."""
    try:
        delete_for_a_minute(place, keys)
    except NotFound:
        messages.info(request, _("It was deleted already."))
    return redirect("app_data", place.app_id)
