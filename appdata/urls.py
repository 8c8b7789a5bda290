"""This room's addresses: pages at the root, API routes below ``/api/``."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path, re_path

from appdata import api, pages, person_pages

page_urls: list[URLPattern | URLResolver] = [
    path("apps/<str:app_id>/data", pages.entries, name="app_data"),
    path("account/export", person_pages.export, name="account_export"),
    path("account/delete", person_pages.delete, name="account_delete"),
    path("apps/<str:app_id>/data/export", pages.export, name="app_data_export"),
    path("apps/<str:app_id>/data/import", pages.import_, name="app_data_import"),
    path("apps/<str:app_id>/data/entry", pages.entry, name="app_entry"),
    path("apps/<str:app_id>/data/delete", pages.delete_entry, name="app_entry_delete"),
    path("apps/<str:app_id>/data/delete-ticked", pages.delete_entries, name="app_entries_delete"),
    path("apps/<str:app_id>/data/undo", pages.undo_delete, name="app_data_undo"),
    path("apps/<str:app_id>/data/history", pages.history, name="app_data_history"),
]
api_urls: list[URLPattern | URLResolver] = [
    # Everything after data/ is the key: it may begin and end with a slash, hold several, and even be two dots.
    re_path(r"^apps/(?P<app_id>[^/]+)/data/(?P<key>(?s:.*))\Z", api.entry),
    path("apps/<str:app_id>/data", api.entries),
    path("apps/<str:app_id>/batch", api.batch),
    path("apps/<str:app_id>/changes", api.changes),
    path("apps/<str:app_id>/events", api.events),
    path("apps/<str:app_id>/usage", api.usage),
    path("apps/<str:app_id>/export", api.export),
    path("apps/<str:app_id>/import", api.import_),
]
