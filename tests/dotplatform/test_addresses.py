"""Pages' addresses as people type them."""

from __future__ import annotations

import pytest

from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("/home", "/"),
        ("/apps/", "/apps"),
        ("/apps/?search=lunch", "/apps?search=lunch"),
        ("/apps/notes/data//", "/apps/notes/data"),
        ("/status/", "/status"),
        ("/account/", "/account"),
    ],
)
def test_a_habit_leads_to_the_page(client: DotClient, typed: str, meant: str) -> None:
    response = client.get(typed)
    assert (response.status_code, response["Location"]) == (301, meant)


def test_no_other_address_gains_or_loses_a_slash(client: DotClient) -> None:
    assert client.get("/accounts/login/").status_code == 200
    assert client.get("/nothing/").status_code == 404
    assert client.get("/api/platform/info/").status_code in {401, 404}
