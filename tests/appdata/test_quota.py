"""Quotas: refused with numbers; reading, shrinking and deleting always work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import override_settings

from dotplatform import settings
from tests.conftest import DotClient

DATA = "/api/apps/notes/data/"


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with override_settings(DOT_LIMITS={**settings.DOT_LIMITS, "installation_keys": 3, "installation_bytes": 100}):
        yield


def put(client: DotClient, key: str, length: int) -> Any:
    return client.put(DATA + key, b'"%b"' % (b"x" * (length - 2)), content_type="application/json")


def test_no_more_keys_than_allowed(alices: DotClient) -> None:
    for key in ("a", "b", "c"):
        assert put(alices, key, 2).status_code == 201
    response = put(alices, "d", 2)
    assert response.status_code == 507
    error = response.json()["error"]
    assert error["code"] == "QUOTA_EXCEEDED"
    assert error["details"] == {"keys": 3, "max_keys": 3, "bytes": 9, "max_bytes": 100, "needed_bytes": 3}
    assert put(alices, "c", 3).status_code == 200, "an entry that is there can be changed"


def test_no_more_bytes_than_allowed_to_the_byte(alices: DotClient) -> None:
    assert put(alices, "a", 49).status_code == 201
    assert put(alices, "b", 50).status_code == 507
    assert put(alices, "b", 49).status_code == 201
    assert put(alices, "b", 50).status_code == 507


def test_over_the_quota_one_can_read_shrink_and_delete(alices: DotClient) -> None:
    put(alices, "a", 60)
    put(alices, "b", 30)
    with override_settings(DOT_LIMITS={**settings.DOT_LIMITS, "installation_keys": 1, "installation_bytes": 10}):
        assert alices.get(DATA + "a").status_code == 200
        assert put(alices, "a", 61).status_code == 507
        assert put(alices, "a", 50).status_code == 200
        assert alices.delete(DATA + "b").status_code == 204


def test_a_failed_precondition_is_told_before_the_quota(alices: DotClient) -> None:
    put(alices, "a", 99)
    response = alices.put(DATA + "b", b"1", content_type="application/json", headers={"if-match": "*"})
    assert response.status_code == 412
