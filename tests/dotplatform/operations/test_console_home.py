"""The console's first page, and how its lists are narrowed."""

from __future__ import annotations

import re

import pytest
from django.utils import timezone

from dotplatform.accounts.models import User
from dotplatform.operations.models import Backup
from dotplatform.operations.templatetags.console_home import console_facts
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def console(operator: User) -> DotClient:
    client = DotClient(headers={"accept-language": "en"})
    client.force_login(operator)
    return client


def facts(console: DotClient) -> dict[str, str]:
    page = console.get("/admin/").content.decode()
    found = re.findall(r"<span>([^<]+)</span> <strong>(.*?)</strong>", page)
    return {label: re.sub("<[^>]*>", "", value) for label, value in found}


def test_it_tells_how_things_are_at_a_glance(console: DotClient, alice: User) -> None:
    assert facts(console) | {"Status": ""} == {
        "Status": "",
        "Alerts": "none",
        "Last backup": "none yet",
        "Apps": "0",
        "People": "2",
    }
    Backup.objects.create(name="b", location="x", status=Backup.Status.GOOD, started_at=timezone.now())
    assert facts(console)["Last backup"] == "now"


def test_what_needs_somebody_is_marked(console: DotClient) -> None:
    states = {fact.label: fact.state for fact in console_facts()["facts"]}
    assert states["Last backup"] == "warn"
    assert states["Alerts"] == ""


def test_what_operators_look_for_first_stands_first(console: DotClient) -> None:
    page = console.get("/admin/").content.decode()
    tables = re.findall(r'<li>\s*<a href="/admin/([a-z_]+/[a-z_]+)/"', page)
    assert tables[:3] == ["apps_registry/app", "apps_registry/release", "apps_registry/installation"]
    assert tables.index("accounts/user") < tables.index("auth/group")


def test_a_filter_says_what_is_chosen(console: DotClient, alice: User) -> None:
    page = console.get("/admin/accounts/user/?is_staff__exact=1").content.decode()
    assert "<strong>Yes</strong>" in page
    assert "Clear all filters" in page
    assert "alice@example.com" not in page


def test_an_empty_list_says_so_and_leads_back(console: DotClient) -> None:
    assert "Nothing here yet." in console.get("/admin/metrics/alert/").content.decode()
    page = console.get("/admin/accounts/user/?q=nobody").content.decode()
    assert "Nothing matches." in page
    assert "Show everything" in page


def test_the_list_of_apps_leads_to_the_upload(console: DotClient) -> None:
    page = console.get("/admin/apps_registry/app/").content.decode()
    assert 'href="/admin/apps_registry/release/add/"' in page
    upload = console.get("/admin/apps_registry/release/add/").content.decode()
    assert 'value="Publish"' in upload
    assert "_addanother" not in upload
