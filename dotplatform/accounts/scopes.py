"""What an access token may be allowed to do (SPEC 3), in the words shown to whoever issues one."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dotplatform.accounts.models import User

PUBLISH = "registry:publish"

SCOPES: dict[str, str | Promise] = {
    "apps:read": _("See the catalogue and which apps you have installed"),
    "apps:write": _("Install and uninstall apps, change their settings, open them for you"),
    "data:read": _("Read what your apps store for you"),
    "data:write": _("Create and change what your apps store for you"),
    "data:delete": _("Delete what your apps store for you"),
    "metrics:read": _("Read summaries of load times and Web Vitals"),
    PUBLISH: _("Publish apps and releases, and switch between releases"),
}


def allowed_scopes(user: User) -> dict[str, str | Promise]:
    """The scopes that *user* may give to a token: publishing is for those who may publish themselves (SPEC 6)."""
    return SCOPES if user.may_publish else {scope: text for scope, text in SCOPES.items() if scope != PUBLISH}
