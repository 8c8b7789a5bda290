"""Maintenance mode: everybody is told to come back, operators get in."""

from __future__ import annotations

import io

from django.core.management import call_command

from dotplatform.accounts.models import User
from tests.conftest import DotClient


def maintenance(state: str) -> str:
    out = io.StringIO()
    call_command("maintenance", state, stdout=out)
    return out.getvalue()


def test_pages_and_api_answer_503_and_operators_get_in(client: DotClient, alice: User, operator: User) -> None:
    assert maintenance("on") == "Maintenance mode is on.\n"
    page, api = client.get("/apps"), client.get("/api/public/apps")
    assert [page.status_code, api.status_code] == [503, 503]
    assert page.headers["Retry-After"]
    assert api.headers["Retry-After"]
    assert api.json()["error"]["code"] == "MAINTENANCE"
    client.force_login(alice)
    assert client.get("/apps").status_code == 503
    client.force_login(operator)
    assert client.get("/apps").status_code != 503
    assert client.get("/admin/").status_code == 200


def test_off_opens_again_and_says_when_there_was_nothing_to_do(client: DotClient, db: None) -> None:
    maintenance("on")
    assert maintenance("off") == "Maintenance mode is off.\n"
    assert client.get("/api/public/apps").status_code != 503
    assert maintenance("off") == "Maintenance mode was off already.\n"
