"""Which apps exist, their releases, and who has installed which."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps_registry.querysets import AppQuerySet
from dotplatform.database.constraints import RowSecurity, SharedRows
from dotplatform.database.identifiers import APP_ID_PATTERN, uuid7

RATINGS = (1, 2, 3, 4, 5)
REVIEW_CHARACTERS = 2000


class App(models.Model):
    """An entry of the catalogue. Its name and manifest are those of the active release."""

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        INACTIVE = "inactive", _("inactive")
        INSTALLING = "installing", _("installing")
        ERROR = "error", _("error")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    app_id = models.TextField(_("app ID"), unique=True, validators=[RegexValidator(APP_ID_PATTERN)])
    name = models.TextField(_("name"))
    manifest = models.JSONField(_("manifest"), default=dict)
    status = models.TextField(_("status"), choices=Status.choices, default=Status.ACTIVE)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="apps",
        verbose_name=_("owner"),
    )
    active_release = models.ForeignKey(
        "Release", models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("active release")
    )
    # Other origins that an operator lets the app reach; what the manifest asks for beyond them stays closed.
    granted_csp: models.JSONField[dict[str, list[str]], dict[str, list[str]]] = models.JSONField(
        _("granted origins"), default=dict, blank=True
    )
    install_count = models.IntegerField(_("installations"), default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    objects = AppQuerySet.as_manager()

    class Meta:
        db_table = "apps"
        verbose_name = _("app")
        verbose_name_plural = _("apps")
        indexes = [models.Index(fields=["status", "-created_at"], name="apps_status_created")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "inactive", "installing", "error"]),
                name="apps_status_known",
            ),
            models.CheckConstraint(condition=Q(app_id__regex=APP_ID_PATTERN), name="apps_app_id_shape"),
        ]

    def __str__(self) -> str:
        return self.name


class Release(models.Model):
    """One immutable, versioned bundle of an app, stored under its content hash."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    app = models.ForeignKey(
        App, models.CASCADE, to_field="app_id", db_column="app_id", related_name="releases", verbose_name=_("app")
    )
    version = models.TextField(_("version"))
    code = models.BigIntegerField(_("version code"))
    sha256 = models.CharField(_("content hash"), max_length=64)
    manifest = models.JSONField(_("manifest"), default=dict)
    bytes = models.BigIntegerField(_("bytes"))
    files = models.IntegerField(_("files"))
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("published by"),
    )
    created_at = models.DateTimeField(_("published"), auto_now_add=True)

    warnings: list[dict[str, str]] = []  # for the author, right after publishing; not stored

    class Meta:
        db_table = "app_releases"
        verbose_name = _("release")
        verbose_name_plural = _("releases")
        ordering = ["app_id", "-code"]
        constraints = [
            models.UniqueConstraint(fields=["app", "code"], name="app_releases_code_unique"),
            models.UniqueConstraint(fields=["app", "version"], name="app_releases_version_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.app_id} {self.version}"


class Installation(models.Model):
    """A person has an app. Also carries the counters of the person's data in it, which one row lock keeps exact."""

    class Status(models.TextChoices):
        INSTALLED = "installed", _("installed")
        UNINSTALLED = "uninstalled", _("uninstalled, data kept")

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="installations",
        verbose_name=_("person"),
        db_index=False,  # the unique constraint's index begins with it
    )
    app = models.ForeignKey(
        App,
        models.CASCADE,
        to_field="app_id",
        db_column="app_id",
        related_name="installations",
        verbose_name=_("app"),
    )
    # In the database a domain, which knows the same two: a CHECK would be set up for every write of an entry.
    status = models.TextField(_("status"), choices=Status.choices, default=Status.INSTALLED)
    settings: models.JSONField[dict[str, Any], dict[str, Any]] = models.JSONField(_("settings"), default=dict)
    permissions: models.JSONField[list[str], list[str]] = models.JSONField(_("granted permissions"), default=list)
    installed_at = models.DateTimeField(_("installed"), auto_now_add=True)
    opened_at = models.DateTimeField(_("last opened"), null=True, editable=False)
    # Kept by the SQL functions of appdata, in the transaction of the write they count.
    revision = models.BigIntegerField(_("revision"), default=0, db_default=0, editable=False)
    data_keys = models.IntegerField(_("entries"), default=0, db_default=0, editable=False)
    data_bytes = models.BigIntegerField(_("bytes"), default=0, db_default=0, editable=False)
    # Tombstones up to this revision have expired: changes since before it cannot be told any more.
    forgotten_revision = models.BigIntegerField(default=0, db_default=0, editable=False)

    class Meta:
        db_table = "user_apps"
        verbose_name = _("installation")
        verbose_name_plural = _("installations")
        constraints = [
            models.UniqueConstraint(fields=["user", "app"], name="user_apps_user_app_unique"),
            RowSecurity(name="user_apps_row_security"),
            SharedRows(name="user_apps_shared", update=("write", "delete")),  # the counters of the data
        ]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.app_id}"


class Review(models.Model):
    """What a person says about an app, one each. Everybody may read it, only its writer may change it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reviews", verbose_name=_("person"))
    app = models.ForeignKey(
        App, models.CASCADE, to_field="app_id", db_column="app_id", related_name="reviews", verbose_name=_("app")
    )
    rating = models.SmallIntegerField(_("rating"), choices=[(rating, str(rating)) for rating in RATINGS])
    text = models.TextField(_("text"), blank=True, max_length=REVIEW_CHARACTERS)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        db_table = "app_reviews"
        verbose_name = _("review")
        verbose_name_plural = _("reviews")
        constraints = [
            models.UniqueConstraint(fields=["user", "app"], name="app_reviews_user_app_unique"),
            models.CheckConstraint(condition=Q(rating__gte=1, rating__lte=5), name="app_reviews_rating_range"),
            RowSecurity(name="app_reviews_row_security", readable_by_all=True),
        ]

    def __str__(self) -> str:
        return f"{self.app_id} · {self.rating}"

    @property
    def stars(self) -> str:
        """``★★★☆☆``"""
        return "★" * self.rating + "☆" * (RATINGS[-1] - self.rating)
