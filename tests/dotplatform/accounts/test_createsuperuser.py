"""`manage.py createsuperuser`, the first command of an operator."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command

from dotplatform.accounts.models import User


def test_speaks_one_language(alice: User) -> None:
    with pytest.raises(CommandError, match="That email is already taken"):
        call_command("createsuperuser", interactive=False, email=alice.email)
