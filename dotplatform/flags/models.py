"""Feature flags: what operators switch on and off, or give to a share of the people (an A/B test)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from dotplatform.database.identifiers import uuid7

KEY_PATTERN = r"^[a-z][a-z0-9._-]{0,62}$"
MOST_VARIANTS = 20
MOST_FLAGS = 500  # a bulk evaluation answers all of them


def on_and_off() -> dict[str, Any]:
    """The variants of a plain switch."""
    return {"off": False, "on": True}


class Flag(models.Model):
    """A value under a name that programs ask for; which of its *variants* a person gets is decided here."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    key = models.CharField(
        _("key"),
        max_length=63,
        unique=True,
        validators=[RegexValidator(KEY_PATTERN)],
        help_text=_("What programs ask for: new-checkout"),
    )
    description = models.TextField(_("description"), blank=True)
    is_on = models.BooleanField(
        _("on"), default=False, help_text=_("While it is off, everybody gets the default variant.")
    )
    variants: models.JSONField[Any, Any] = models.JSONField(
        _("variants"), default=on_and_off, help_text=_('Their names and values: {"off": false, "on": true}')
    )
    default_variant = models.CharField(_("default variant"), max_length=64, default="off")
    shares: models.JSONField[Any, Any] = models.JSONField(
        _("shares"),
        default=dict,
        blank=True,
        help_text=_('Percent of the people for each variant, 100 at most: {"on": 25}. The others get the default.'),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        db_table = "feature_flags"
        verbose_name = _("feature flag")
        verbose_name_plural = _("feature flags")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key

    def clean(self) -> None:
        """Variants are named values; the default and the shares are of them."""
        variants, shares = self.variants, self.shares
        if not isinstance(variants, dict) or not 1 <= len(variants) <= MOST_VARIANTS or "" in variants:
            raise ValidationError({"variants": _("Give names and values as a JSON object, 20 at most.")})
        if self.default_variant not in variants:
            raise ValidationError({"default_variant": _("That is none of the variants.")})
        if not isinstance(shares, dict) or not shares.keys() <= variants.keys() or not _are_percents(shares):
            raise ValidationError({"shares": _("Give each variant a number; together they are 100 at most.")})
        if self._state.adding and Flag.objects.count() >= MOST_FLAGS:
            raise ValidationError(_("There are 500 flags. Delete one that is no longer asked for."))


def _are_percents(shares: dict[str, Any]) -> bool:
    numbers = list(shares.values())
    return all(type(number) in {int, float} and number >= 0 for number in numbers) and sum(numbers) <= 100
