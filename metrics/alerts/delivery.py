"""Sending what is to be told: claimed by one worker at a time, tried again with growing pauses for a day."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import timedelta

from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from dotplatform import outbound
from dotplatform.api.envelope import to_json
from metrics.alerts import lifecycle, messages
from metrics.models import Channel, Delivery, DeliveryAttempt

CLAIM = timedelta(seconds=45)  # longer than any attempt takes; a killed worker's delivery is free again after it
PAUSES_S = (10, 30, 60, 300, 900, 3600)  # then every hour
GIVE_UP_AFTER = timedelta(days=1)
DEAD_AFTER_FAILURES = 4  # in a row: the channel itself becomes an alert on the others
AT_ONCE = 50


class DeliveryFailed(Exception):
    """What the other side said."""


class ChannelGone(DeliveryFailed):
    """The other side asks for nothing more (410, Standard Webhooks)."""


def deliver_due() -> int:
    """Send what is due; the number of attempts made."""
    for number in range(AT_ONCE):
        delivery = _claim()
        if delivery is None:
            return number
        _attempt(delivery)
    return AT_ONCE


def _claim() -> Delivery | None:
    """Take the delivery that has waited longest. The claim is committed before anything is sent, so that two workers
    never send one; it runs out, so that a killed worker's delivery is sent by another.

    What is cut off between the other side's answer and our record is sent again, under the same ``webhook-id``.
    """
    now = timezone.now()
    earlier = Delivery.objects.filter(
        state=Delivery.State.PENDING,
        alert=OuterRef("alert"),
        channel=OuterRef("channel"),
        created_at__lt=OuterRef("created_at"),
    )
    with transaction.atomic():
        due = Delivery.objects.filter(state=Delivery.State.PENDING, next_attempt_at__lte=now).exclude(Exists(earlier))
        delivery = due.select_for_update(skip_locked=True).order_by("next_attempt_at").first()
        if delivery is None:
            return None
        Delivery.objects.filter(pk=delivery.pk).update(attempts=F("attempts") + 1, next_attempt_at=now + CLAIM)
    return Delivery.objects.select_related("channel", "alert", "alert__rule").get(pk=delivery.pk)


def _attempt(delivery: Delivery) -> None:
    start = time.monotonic()
    error, gone = "", False
    try:
        send(delivery)
    except (DeliveryFailed, outbound.OutboundError, OSError) as failure:
        error, gone = str(failure)[:1000] or type(failure).__name__, isinstance(failure, ChannelGone)
    with transaction.atomic():
        duration_ms = int((time.monotonic() - start) * 1000)
        DeliveryAttempt.objects.create(delivery=delivery, duration_ms=duration_ms, error=error)
        if error:
            _failed(delivery, gone)
        else:
            _sent(delivery)


def _sent(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.SENT, sent_at=timezone.now())
    if Channel.objects.filter(pk=delivery.channel_id).exclude(failures=0).update(failures=0):
        lifecycle.report_well(_dead(delivery.channel))


def _failed(delivery: Delivery, gone: bool) -> None:
    now = timezone.now()
    pause = timedelta(seconds=PAUSES_S[min(delivery.attempts, len(PAUSES_S)) - 1])
    if gone or now + pause > delivery.created_at + GIVE_UP_AFTER:
        Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.GIVEN_UP)
    else:
        Delivery.objects.filter(pk=delivery.pk).update(next_attempt_at=now + pause)
    channel = Channel.objects.filter(pk=delivery.channel_id)
    channel.update(failures=F("failures") + 1)
    if gone:
        channel.update(is_enabled=False)
    if gone or channel.filter(failures__gte=DEAD_AFTER_FAILURES).exists():
        lifecycle.report_problem(
            _dead(delivery.channel),
            _("The alert channel “%(channel)s” does not take messages; nothing is told there."),
            {"channel": delivery.channel.name},
        )


def _dead(channel: Channel) -> str:
    return f"channel:{channel.pk}"


def send(delivery: Delivery) -> None:
    """One attempt, by the channel's own way."""
    match delivery.channel.kind:
        case Channel.Kind.SLACK:
            _post(delivery.channel, to_json(messages.slack_body(delivery)), {})
        case Channel.Kind.WEBHOOK:
            body = to_json(messages.webhook_body(delivery))
            _post(delivery.channel, body, signature(delivery.channel.secret, f"msg_{delivery.pk.hex}", body))
        case Channel.Kind.EMAIL:
            subject, text = messages.mail_text(delivery)
            send_mail(subject, text, None, delivery.channel.addresses)


def _post(channel: Channel, body: bytes, headers: dict[str, str]) -> None:
    answer = outbound.post(channel.address, body, {"Content-Type": "application/json", **headers})
    if answer.status == 410:
        raise ChannelGone("410: the other side asks for nothing more")
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")


def signature(secret: str, identifier: str, body: bytes) -> dict[str, str]:
    """The headers of Standard Webhooks: an id that stays the same in every attempt, the time, and HMAC-SHA256."""
    timestamp = str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = hmac.digest(key, f"{identifier}.{timestamp}.".encode() + body, hashlib.sha256)
    return {
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(signed).decode()}",
    }


def send_test(channel: Channel) -> Delivery:
    """Put a test message in line; how it went stands in its attempts."""
    return Delivery.objects.create(channel=channel, kind=Delivery.Kind.TEST)
