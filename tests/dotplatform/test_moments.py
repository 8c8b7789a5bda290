"""How moments read, in both languages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.timezone import localtime

from dotplatform.templatetags.moments import ago

AFTERNOON = datetime(2026, 11, 23, 7, 52, tzinfo=UTC)  # in Seoul


@pytest.mark.parametrize(
    ("language", "written"),
    [("ko", "2026. 11. 23. 오후 4:52"), ("en", "Nov 23, 2026, 16:52")],
)
def test_a_date_with_its_time(language: str, written: str) -> None:
    with translation.override(language):
        assert date_format(localtime(AFTERNOON), "DATETIME_FORMAT") == written


@pytest.mark.parametrize(("language", "written"), [("ko", "3분 전"), ("en", "3\xa0minutes ago")])
def test_how_long_ago_with_the_exact_moment_in_its_title(language: str, written: str) -> None:
    moment = timezone.now() - timedelta(minutes=3, seconds=1)
    with translation.override(language):
        shown = ago(moment)
        exact = date_format(localtime(moment), "DATETIME_FORMAT")
    assert shown == f'<time datetime="{moment.isoformat()}" title="{exact}">{written}</time>'
