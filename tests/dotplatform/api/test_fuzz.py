"""schemathesis: whatever the document allows, and much that it does not, sent with real tokens by somebody else.

No answer is a 500, none contradicts the document, and Alice, who stands by, has what she had.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings as hypothesis_settings
from schemathesis.checks import CHECKS

from apps_registry.models import App, Installation
from dotplatform.accounts.models import AccessToken, User
from dotplatform.accounts.scopes import SCOPES
from dotplatform.api.api import SCHEMA
from dotplatform.api.authentication import digest, issue_launch_token
from dotplatform.database.doors import as_person
from dotplatform.handlers import Handler
from tests.dotplatform.api.test_routes import diary, rows_of  # noqa: F401  (a fixture)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

EXAMPLES = 6
LEFT_OUT = {
    # JSON Schema cannot say "at most 512 bytes of UTF-8", "an id that is there", "percent-encoding decoded once".
    "positive_data_acceptance",
    # A beacon with a wrong sample is 202 and names it; an unknown query parameter is ignored, as HTTP clients expect.
    "negative_data_rejection",
}


@schemathesis.serializer("application/x-ndjson")
def json_lines(context: Any, value: Any) -> bytes:
    """What schemathesis cannot write by itself: whatever it made up, as one line."""
    return value if isinstance(value, bytes) else orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)


schema = schemathesis.openapi.from_dict(orjson.loads(SCHEMA.read_bytes()))
schema.app = Handler()


@pytest.fixture
def bystander(alice: User, diary: None) -> Iterator[None]:  # noqa: F811
    """Alice, before and after."""
    before = rows_of(alice)
    assert any(before.values())
    yield
    assert rows_of(alice) == before


@pytest.fixture
def tokens(bob: User) -> list[str]:
    """Bob's: one for everything, one of an open app."""
    token = "dot_pat_" + secrets.token_urlsafe(32)
    AccessToken.objects.create(user=bob, name="fuzz", hint="….", digest=digest(token), scopes=list(SCOPES))
    return [token, issue_launch_token(bob.id, "notes")[0]]


@pytest.fixture(autouse=True)
def _quiet(settings: Any) -> None:
    settings.RATE_LIMITS_ENABLED = False


@schema.parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_gets_a_wrong_answer(case: Any, bystander: None, bob: User, tokens: list[str]) -> None:
    if "app_id" in (case.path_parameters or {}):
        case.path_parameters["app_id"] = "notes"  # a random one exists nowhere
        with as_person(bob.id):
            Installation.objects.get_or_create(user=bob, app=App.objects.get(app_id="notes"))
    left_out = LEFT_OUT | ({"not_a_server_error"} if case.path == "/api/health" else set())  # 503 is what it is for
    for token in tokens:
        case.call_and_validate(
            headers={"Authorization": f"Bearer {token}"}, excluded_checks=[CHECKS.get_one(name) for name in left_out]
        )
