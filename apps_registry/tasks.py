"""What the worker does for apps."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from django.utils.translation import gettext_noop as _

from apps_registry.bundles import ROOT, list_folder, remove_stray_bundle
from apps_registry.models import Release
from dotplatform.schedule import periodic

STRAY_AFTER = timedelta(days=1)  # longer than any publishing takes


@periodic(_("Remove files of no release"), daily_at=time(4, 10), in_operators_door=False)
def remove_stray_bundles() -> None:
    """Files of no release: left by a process that was killed while it published. Nothing else leaves any."""
    folders, descriptions = list_folder(ROOT)
    stored = {*folders, *(name.removesuffix(".json") for name in descriptions)}
    for sha256 in stored - set(Release.objects.values_list("sha256", flat=True)):
        remove_stray_bundle(sha256, older_than=datetime.now(UTC) - STRAY_AFTER)
