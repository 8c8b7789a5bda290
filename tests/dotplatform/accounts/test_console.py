"""The console's pages about people and groups."""

from __future__ import annotations

import pytest

from dotplatform.accounts.models import User
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("language", "label"), [("en", "Apps | release | change"), ("ko", "앱 | 릴리스 | 변경")])
def test_rights_are_named_in_the_readers_language(
    client: DotClient, operator: User, alice: User, language: str, label: str
) -> None:
    client.force_login(operator)
    for page in ("auth/group/add/", f"accounts/user/{alice.pk}/change/"):
        text = client.get(f"/admin/{page}", headers={"accept-language": language}).text
        assert f">{label}</option>" in text
        assert "Can change" not in text
