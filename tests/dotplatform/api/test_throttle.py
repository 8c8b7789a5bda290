"""The budget of each credential: generous, told in headers, refilled with time, nobody else's concern."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from django.conf import LazySettings

from dotplatform.accounts.models import User
from dotplatform.api import throttle
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db

Api = Callable[[UUID, str], DotClient]


@pytest.fixture(autouse=True)
def _small_budget(monkeypatch: pytest.MonkeyPatch, settings: LazySettings) -> Iterator[None]:
    settings.RATE_LIMITS_ENABLED = True
    monkeypatch.setattr(throttle, "BURST", 3)
    monkeypatch.setattr(throttle, "PER_SECOND", 0.1)
    throttle.forget()
    yield
    throttle.forget()


def test_says_what_is_left_and_then_when_to_come_back(api: Api, alice: User) -> None:
    client = api(alice.pk, "notes")
    left = [client.get("/api/me").headers["RateLimit-Remaining"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    refused = client.get("/api/me")
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert refused.headers["Retry-After"] == "10"
    assert refused.headers["RateLimit-Limit"] == "3"
    assert refused.headers["RateLimit-Remaining"] == "0"
    assert int(refused.headers["RateLimit-Reset"]) in {29, 30}


def test_fills_up_again(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    client = api(alice.pk, "notes")
    for _ in range(4):
        client.get("/api/me")
    later = time.monotonic() + 11
    monkeypatch.setattr("dotplatform.api.throttle.time.monotonic", lambda: later)
    assert client.get("/api/me").status_code == 200


def test_is_each_credentials_own(api: Api, alice: User, bob: User) -> None:
    for _ in range(4):
        api(alice.pk, "notes").get("/api/me")  # a new token each time: renewing it renews no budget
    assert api(alice.pk, "notes").get("/api/me").status_code == 429
    assert api(alice.pk, "tasks").get("/api/me").status_code == 200
    assert api(bob.pk, "notes").get("/api/me").status_code == 200


def test_leaves_strangers_and_health_alone(client: DotClient) -> None:
    for _ in range(5):
        answer = client.get("/api/platform/info")
        assert answer.status_code == 200
        assert "RateLimit-Remaining" not in answer.headers


def test_is_off_where_rate_limits_are_off(api: Api, alice: User, settings: LazySettings) -> None:
    settings.RATE_LIMITS_ENABLED = False
    assert [api(alice.pk, "notes").get("/api/me").status_code for _ in range(5)] == [200] * 5


def test_remembers_a_bounded_number_of_credentials(api: Api, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_BUCKETS", 4)
    for number in range(12):
        api(alice.pk, f"app-{number}").get("/api/me")
    assert len(throttle._buckets) <= 4
