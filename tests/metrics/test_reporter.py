"""Which pages report, and when they do not."""

from __future__ import annotations

import pytest
from django.conf import LazySettings
from django.core.checks import run_checks

from tests.conftest import DotClient


@pytest.mark.django_db
class TestReporter:
    def test_pages_report(self, client: DotClient, settings: LazySettings) -> None:
        settings.WEB_VITALS_INSTALLED = True
        page = client.get("/accounts/login/").content.decode()
        assert "js/vitals.js" in page
        assert "js/errors.js" in page

    def test_nothing_is_reported_where_analytics_is_off(self, client: DotClient, settings: LazySettings) -> None:
        settings.ANALYTICS_ENABLED = False
        page = client.get("/accounts/login/").content.decode()
        assert "js/vitals.js" not in page
        assert "js/errors.js" not in page

    def test_without_the_npm_package_operators_are_told(self, client: DotClient, settings: LazySettings) -> None:
        settings.WEB_VITALS_INSTALLED = False
        assert "js/vitals.js" not in client.get("/accounts/login/").content.decode()
        assert "dot.W101" in {message.id for message in run_checks()}
        settings.ANALYTICS_ENABLED = False
        assert "dot.W101" not in {message.id for message in run_checks()}
