"""What the database itself knows of an installation's status."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from apps_registry.models import App, Installation
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_person


@pytest.fixture
def installation(db: None) -> Installation:
    person = User.objects.create_user("alice@example.com", "dot-demo-2026")
    app = App.objects.create(app_id="notes", name="Notes")
    with as_person(person.id):
        return Installation.objects.create(user=person, app=app)


def test_only_known_ones_are_stored(installation: Installation) -> None:
    with as_person(installation.user_id):
        mine = Installation.objects.filter(pk=installation.pk)
        with pytest.raises(IntegrityError, match="installation_status_known"), transaction.atomic():
            mine.update(status="lost")
        assert mine.update(status=Installation.Status.UNINSTALLED) == 1
        assert mine.get().status == "uninstalled"
        with pytest.raises(IntegrityError, match="installation_status_known"):
            Installation.objects.create(user_id=installation.user_id, app_id="notes", status="")
