"""Search, category, order and page of the catalogue, the same for its page and for the API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.utils.translation import gettext_noop as _

from apps_registry.querysets import DEFAULT_ORDERING, ORDERINGS, AppQuerySet
from dotplatform.api.errors import ValidationFailed

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100
MAX_PAGE = 100_000
SEARCH_CHARACTERS = 100


@dataclass(frozen=True)
class Listing:
    """What is asked for; *page* counts from 1."""

    search: str = ""
    category: str = ""
    ordering: str = DEFAULT_ORDERING
    page: int = 1
    page_size: int = PAGE_SIZE

    @property
    def bounds(self) -> slice:
        """The rows of this page."""
        return slice((self.page - 1) * self.page_size, self.page * self.page_size)

    def on_page(self, page: int) -> Listing:
        """The same on another page."""
        return replace(self, page=page)

    def in_category(self, category: str) -> Listing:
        """The same in another category, from its first page."""
        return replace(self, category=category, page=1)

    def query(self) -> str:
        """The query string of this listing, defaults left out."""
        given = {"search": self.search, "category": self.category}
        if self.ordering != DEFAULT_ORDERING:
            given["ordering"] = self.ordering
        if self.page > 1:
            given["page"] = str(self.page)
        if self.page_size != PAGE_SIZE:
            given["page_size"] = str(self.page_size)
        return urlencode({name: value for name, value in given.items() if value})

    def narrow(self, apps: AppQuerySet) -> AppQuerySet:
        """Those of *apps* that are asked for, in the order asked for."""
        return apps.matching(self.search).in_category(self.category).sorted_by(self.ordering)


def read_listing(query: Mapping[str, str]) -> Listing:
    """The listing in a query string, or ``ValidationFailed`` naming the parameter."""
    ordering = query.get("ordering", "") or DEFAULT_ORDERING
    if ordering not in ORDERINGS:
        raise ValidationFailed.of("ordering", _("Expected one of: %(expected)s."), {"expected": ", ".join(ORDERINGS)})
    return Listing(
        search=query.get("search", "")[:SEARCH_CHARACTERS].strip(),
        category=query.get("category", "")[:SEARCH_CHARACTERS].strip(),
        ordering=ordering,
        page=_number(query, "page", 1, MAX_PAGE),
        page_size=_number(query, "page_size", PAGE_SIZE, MAX_PAGE_SIZE),
    )


def _number(query: Mapping[str, str], name: str, default: int, highest: int) -> int:
    text = query.get(name, "")
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= highest):
        raise ValidationFailed.of(name, _("Expected a whole number from 1 to %(highest)s."), {"highest": highest})
    return int(text)
