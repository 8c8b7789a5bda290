"""Each person's data in each app: entries, and the tombstones of deleted ones."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from appdata.querysets import DiscardedQuerySet, EntryQuerySet
from dotplatform.database.constraints import VERBS, CompositeForeignKey, RowSecurity, SharedRows
from dotplatform.database.identifiers import uuid7


class Entry(models.Model):
    """One JSON value of one person in one app under one key.

    Its only foreign key is the installation's ``(user_id, app_id)``: no entry without one, and deleting the
    installation deletes the entries by the database's own cascade.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user_id = models.UUIDField(_("person"))
    app_id = models.TextField(_("app"))
    key = models.TextField(_("key"), db_collation="C")  # listed in the order of its bytes, on every server
    value = models.JSONField(_("value"))
    revision = models.BigIntegerField(_("revision"))
    bytes = models.IntegerField(_("bytes"))  # key + JSON text as stored: what counts against the quota
    created_at = models.DateTimeField(_("created"))
    updated_at = models.DateTimeField(_("updated"))
    # Null where the app itself wrote it, as mostly; "" the person (a page, an access token), else the other app's id
    written_by = models.TextField(_("written by"), null=True, editable=False)

    objects = EntryQuerySet.as_manager()

    class Meta:
        db_table = "app_data"
        verbose_name = _("entry")
        verbose_name_plural = _("entries")
        constraints = [
            models.UniqueConstraint(fields=["user_id", "app_id", "key"], name="app_data_key_unique"),
            CompositeForeignKey(
                name="app_data_installation",
                columns=["user_id", "app_id"],
                to_table="user_apps",
                to_columns=["user_id", "app_id"],
            ),
            RowSecurity(name="app_data_row_security"),
            SharedRows(name="app_data_shared", insert=("write",), update=("write",), delete=("delete",)),
        ]

    def __str__(self) -> str:
        return self.key


class Tombstone(models.Model):
    """That an entry was deleted, kept 30 days so that others can learn of it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user_id = models.UUIDField()
    app_id = models.TextField()
    key = models.TextField(db_collation="C")
    revision = models.BigIntegerField()
    deleted_at = models.DateTimeField()
    written_by = models.TextField(null=True, editable=False)

    class Meta:
        db_table = "app_data_tombstones"
        indexes = [
            models.Index(fields=["user_id", "app_id", "revision"], name="app_data_tombstones_revision"),
            models.Index(fields=["deleted_at"], name="app_data_tombstones_deleted"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["user_id", "app_id", "key"], name="app_data_tombstones_key_unique"),
            CompositeForeignKey(
                name="app_data_tombstones_installation",
                columns=["user_id", "app_id"],
                to_table="user_apps",
                to_columns=["user_id", "app_id"],
            ),
            RowSecurity(name="app_data_tombstones_row_security"),
            SharedRows(name="app_data_tombstones_shared", insert=("delete",), delete=("write",)),
        ]

    def __str__(self) -> str:
        return self.key


class Receipt(models.Model):
    """That a batch with an Idempotency-Key was done, and what it answered: kept 24 hours, so that it is done once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user_id = models.UUIDField()
    app_id = models.TextField()
    key = models.TextField(db_collation="C")
    digest = models.TextField()  # SHA-256 of the request's body, in hexadecimal digits
    response = models.TextField()
    revision = models.BigIntegerField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "app_data_receipts"
        indexes = [models.Index(fields=["created_at"], name="app_data_receipts_created")]
        constraints = [
            models.UniqueConstraint(fields=["user_id", "app_id", "key"], name="app_data_receipts_key_unique"),
            CompositeForeignKey(
                name="app_data_receipts_installation",
                columns=["user_id", "app_id"],
                to_table="user_apps",
                to_columns=["user_id", "app_id"],
            ),
            RowSecurity(name="app_data_receipts_row_security"),
            SharedRows(name="app_data_receipts_shared", insert=VERBS, update=VERBS),
        ]

    def __str__(self) -> str:
        return self.key


class Discarded(models.Model):
    """An entry that its person deleted on a page within the last minute, so that they can take that back.

    One deletion an installation at most: the next one, and after the minute the worker, removes these rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user_id = models.UUIDField()
    app_id = models.TextField()
    key = models.TextField(db_collation="C")
    value = models.JSONField()
    created_at = models.DateTimeField()
    deleted_at = models.DateTimeField()

    objects = DiscardedQuerySet.as_manager()

    class Meta:
        db_table = "app_data_discarded"
        indexes = [models.Index(fields=["deleted_at"], name="app_data_discarded_deleted")]
        constraints = [
            models.UniqueConstraint(fields=["user_id", "app_id", "key"], name="app_data_discarded_key_unique"),
            CompositeForeignKey(
                name="app_data_discarded_installation",
                columns=["user_id", "app_id"],
                to_table="user_apps",
                to_columns=["user_id", "app_id"],
            ),
            RowSecurity(name="app_data_discarded_row_security"),
        ]

    def __str__(self) -> str:
        return self.key


class AppLimit(models.Model):
    """What operators allow the installations of one app, where it differs from the platform's limits."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    app = models.OneToOneField(
        "apps_registry.App",
        models.CASCADE,
        to_field="app_id",
        db_column="app_id",
        related_name="+",
        verbose_name=_("app"),
    )
    max_keys = models.PositiveIntegerField(_("entries at most"), null=True, blank=True)
    max_bytes = models.PositiveBigIntegerField(_("bytes at most"), null=True, blank=True)

    class Meta:
        db_table = "app_data_limits"
        verbose_name = _("limit")
        verbose_name_plural = _("limits")

    def __str__(self) -> str:
        return str(self.app_id)
