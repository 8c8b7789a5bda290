"""``DOT_LIMITS``, for requests to read.

Django's settings are a lazy object: each look at one costs as much as ten at a dictionary, and an entry written takes
six looks at limits, a batch thirty.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.signals import setting_changed
from django.dispatch import receiver

LIMITS: dict[str, int] = dict(settings.DOT_LIMITS)


@receiver(setting_changed)
def _follow(*, setting: str, **kwargs: Any) -> None:
    """Tests override settings."""
    if setting == "DOT_LIMITS":
        LIMITS.update(settings.DOT_LIMITS)
