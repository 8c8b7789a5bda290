"""What the worker does: tombstones and receipts expire, and counters are compared with what is there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from appdata.models import Receipt, Tombstone
from appdata.services import Place, delete_entry, list_changes, put_entry, run_batch
from appdata.tasks import expire_receipts, expire_tombstones, recount
from apps_registry.models import Installation
from dotplatform.accounts.models import User
from dotplatform.api.errors import ResyncRequired
from dotplatform.database.doors import as_operator
from metrics.models import Alert
from tests.appdata.conftest import installation
from tests.appdata.test_batch import assert_counters_are_exact


@pytest.fixture
def place(installed: None, alice: User) -> Place:
    return Place(alice.id, "notes")


def test_tombstones_expire_and_what_they_told_is_410(place: Place, alice: User) -> None:
    for key in ("a", "b", "c"):
        put_entry(place, key, b"1")
    delete_entry(place, "a")  # revision 4
    delete_entry(place, "b")  # revision 5
    with as_operator():
        Tombstone.objects.filter(key="a").update(deleted_at=F("deleted_at") - timedelta(days=31))
        expire_tombstones()
        assert list(Tombstone.objects.values_list("key", flat=True)) == ["b"]
    assert installation(alice).forgotten_revision == 4
    with pytest.raises(ResyncRequired):
        list_changes(place, 3, limit=10)
    assert list_changes(place, 4, limit=10).body.count(b'"deleted":true') == 1


def test_receipts_expire(place: Place) -> None:
    put_entry(place, "a", b"1")
    for key in ("old", "new"):
        run_batch(place, [{"op": "check", "key": "a"}], b'{"operations":[{"op":"check","key":"a","revision":1}]}', key)
    with as_operator():
        Receipt.objects.filter(key="old").update(created_at=F("created_at") - timedelta(hours=25))
        expire_receipts()
        assert list(Receipt.objects.values_list("key", flat=True)) == ["new"]


def test_a_drifted_counter_is_told_and_put_right(place: Place, alice: User) -> None:
    put_entry(place, "a", b"1")
    recount()
    assert not Alert.objects.exists(), "there is no drift to begin with"
    with as_operator():
        Installation.objects.filter(user=alice, app_id="notes").update(data_bytes=99, data_keys=9)
    recount()
    assert_counters_are_exact(alice)
    assert Alert.objects.get().params == {"count": 1}
