"""What an operator can do to the running platform."""

from __future__ import annotations

from dotplatform.models import Platform


def set_maintenance(on: bool) -> bool:
    """Close or open the platform; whether that changed anything. Other processes notice within two seconds."""
    Platform.objects.current()
    changed = Platform.objects.exclude(maintenance_mode=on).update(maintenance_mode=on)
    Platform.objects.forget()
    return bool(changed)
