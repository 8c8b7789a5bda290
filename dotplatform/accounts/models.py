"""People and the tokens they give to programs."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from dotplatform.database.identifiers import uuid7

PUBLISHERS = "publishers"  # members of this group may publish apps


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """A person who signs in with *email*, kept in lower case; whoever calls this vouches for the address."""
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        with transaction.atomic():
            user.save(using=self._db)
            user.vouch_for_email()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """An operator who may do anything in the console."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email__iexact=username)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, known by email address."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(_("email"), unique=True)
    name = models.CharField(_("name"), max_length=100, blank=True)
    language = models.CharField(
        _("language"), max_length=2, blank=True, choices=[("", _("As the browser asks")), *settings.LANGUAGES]
    )
    is_staff = models.BooleanField(_("operator"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        db_table = "users"
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [models.CheckConstraint(condition=Q(email=Lower("email")), name="users_email_lower_case")]

    def __str__(self) -> str:
        return self.name or self.email

    def clean(self) -> None:
        """However an address is typed, it is kept in lower case."""
        super().clean()
        self.email = self.email.lower()

    def get_full_name(self) -> str:
        return self.name or self.email

    def get_short_name(self) -> str:
        return self.name or self.email.partition("@")[0]

    def vouch_for_email(self) -> None:
        """Take the address as confirmed: somebody with the right to make people entered it."""
        addresses = EmailAddress.objects.filter(user=self)
        addresses.exclude(email=self.email).delete()
        addresses.update_or_create(user=self, email=self.email, defaults={"verified": True, "primary": True})

    @property
    def may_publish(self) -> bool:
        """Operators publish any app, members of the group ``publishers`` their own."""
        return self.is_staff or self.groups.filter(name=PUBLISHERS).exists()


class AccessTokenQuerySet(models.QuerySet["AccessToken"]):
    def in_use(self) -> AccessTokenQuerySet:
        """Neither revoked nor expired."""
        return self.filter(revoked_at=None).filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()))

    def over_since(self, moment: datetime) -> AccessTokenQuerySet:
        """Revoked or expired before *moment*."""
        return self.filter(Q(revoked_at__lt=moment) | Q(expires_at__lt=moment))

    def usable(self, digest: bytes) -> AccessToken | None:
        """The token with this digest and its owner, unless revoked, expired, or the owner is not active."""
        return self.in_use().filter(digest=digest, user__is_active=True).select_related("user").first()

    def note_use(self, token: AccessToken, at_most_every_s: float) -> None:
        """Remember that *token* was used just now, unless that was noted moments ago."""
        now = timezone.now()
        if token.last_used_at is None or (now - token.last_used_at).total_seconds() >= at_most_every_s:
            self.filter(pk=token.pk).update(last_used_at=now)


class AccessToken(models.Model):
    """A person's long-lived bearer token. Only its SHA-256 is kept; the token itself is shown once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="access_tokens")
    name = models.CharField(_("name"), max_length=100)
    digest = models.BinaryField(unique=True, editable=False)
    hint = models.CharField(_("ends in"), max_length=8, editable=False)
    scopes = ArrayField(models.TextField(), verbose_name=_("scopes"))
    app_ids = ArrayField(models.TextField(), verbose_name=_("only these apps"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True, editable=False)

    objects = AccessTokenQuerySet.as_manager()

    class Meta:
        db_table = "access_tokens"
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    @property
    def has_expired(self) -> bool:
        """Past its time; revoked is another matter."""
        return self.expires_at is not None and self.expires_at <= timezone.now()
