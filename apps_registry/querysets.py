"""The questions that pages and API ask about apps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.expressions import Combinable
from django.db.models.functions import Lower

if TYPE_CHECKING:
    from apps_registry.models import App  # noqa: F401  (a type parameter)

_NAME = Lower("name")  # as people look for it: databases put a small a after a capital Z
# What people may sort by, and how: the ``ordering`` parameter of the catalogue and of ``/api/apps``.
ORDERINGS: dict[str, tuple[str | Combinable, ...]] = {
    "-created_at": ("-created_at", "-id"),
    "created_at": ("created_at", "id"),
    "name": (_NAME, "app_id"),
    "-name": (_NAME.desc(), "-app_id"),
    "-install_count": ("-install_count", _NAME, "app_id"),
    "install_count": ("install_count", _NAME, "app_id"),
    "-updated_at": ("-updated_at", "-id"),
    "updated_at": ("updated_at", "id"),
}
DEFAULT_ORDERING = "-created_at"


class AppQuerySet(models.QuerySet["App"]):
    """Named questions; each narrows or sorts the one before."""

    def active(self) -> AppQuerySet:
        """Apps that people may find, install and open: active, and with a release."""
        return self.filter(status="active", active_release__isnull=False)

    def with_release(self) -> AppQuerySet:
        """Its active release in the same query."""
        return self.select_related("active_release")

    def matching(self, words: str) -> AppQuerySet:
        """Every word of *words* in the name, the description (in any language) or the app's id."""
        found = self
        for word in words.replace("\x00", "").split()[:8]:
            condition = Q(app_id__icontains=word) | Q(name__icontains=word) | Q(manifest__description__icontains=word)
            for language, _name in settings.LANGUAGES:
                for member in ("name", "description"):
                    condition |= Q(**{f"manifest__translations__{language}__{member}__icontains": word})
            found = found.filter(condition)
        return found

    def in_category(self, category: str) -> AppQuerySet:
        """Apps that name *category*; all of them when it is empty."""
        return self.filter(manifest__categories__contains=[category.replace("\x00", "")]) if category else self

    def only_ids(self, app_ids: frozenset[str] | None) -> AppQuerySet:
        """What an app-limited credential may see; None means any app."""
        return self if app_ids is None else self.filter(app_id__in=app_ids)

    def sorted_by(self, ordering: str = "") -> AppQuerySet:
        """Sorted by one of ``ORDERINGS``, newest first by default."""
        return self.order_by(*ORDERINGS[ordering or DEFAULT_ORDERING])
