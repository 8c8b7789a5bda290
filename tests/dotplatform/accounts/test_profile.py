"""A person's name and language, as they set them themselves."""

from __future__ import annotations

from dotplatform.accounts.forms import ProfileForm
from dotplatform.accounts.models import User


def test_saving_a_name_does_not_bring_back_rights_that_were_taken_meanwhile(alice: User) -> None:
    form = ProfileForm({"name": "Alice Kim", "language": "ko"}, instance=alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert form.is_valid()
    form.save()
    alice.refresh_from_db()
    assert (alice.name, alice.language, alice.is_active) == ("Alice Kim", "ko", False)
