"""Sending what is to be told: claimed by one worker at a time, tried again with growing pauses for a day.

A worker may be killed at any moment. So each attempt is written down when it begins, and again just before the message
leaves; whoever claims the delivery next knows how far it came:

- not handed over: nothing was sent, it is sent now;
- handed over, no answer written down: a signed webhook is sent again under the same ``webhook-id`` and a mail under the
  same ``Message-ID``, by which the other side tells that it is the same. Slack has nothing of the kind: the message is
  taken as sent, and shown as "sent, answer unknown".
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import time
from datetime import timedelta
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
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

logger = logging.getLogger("metrics.delivery")


class DeliveryFailed(Exception):
    """What the other side said."""


class ChannelGone(DeliveryFailed):
    """The other side asks for nothing more (410, Standard Webhooks)."""


def deliver_due() -> int:
    """Send what is due; the number of attempts made."""
    for number in range(AT_ONCE):
        attempt = _claim()
        if attempt is None:
            return number
        _make(attempt)
    return AT_ONCE


def _claim() -> DeliveryAttempt | None:
    """Begin an attempt at the delivery that has waited longest. That is committed before anything is sent, so that two
    workers never send one; the claim runs out, so that a killed worker's delivery is taken up by another.
    """
    now = timezone.now()
    earlier = Delivery.objects.filter(
        state=Delivery.State.PENDING,
        alert=OuterRef("alert"),
        channel=OuterRef("channel"),
        created_at__lt=OuterRef("created_at"),
    )
    due = Delivery.objects.filter(state=Delivery.State.PENDING, next_attempt_at__lte=now).exclude(Exists(earlier))
    while True:
        with transaction.atomic():
            locked = due.select_for_update(skip_locked=True, of=("self",)).select_related("channel")
            delivery = locked.order_by("next_attempt_at").first()
            if delivery is None:
                return None
            if _is_taken_as_sent(delivery):
                continue
            Delivery.objects.filter(pk=delivery.pk).update(attempts=F("attempts") + 1, next_attempt_at=now + CLAIM)
            attempt = DeliveryAttempt.objects.create(delivery=delivery)
        return DeliveryAttempt.objects.select_related("delivery__channel", "delivery__alert__rule").get(pk=attempt.pk)


def _is_taken_as_sent(delivery: Delivery) -> bool:
    """Close the attempt that was cut off, if there is one; whether the message is not to be sent again after it."""
    cut_off = delivery.tries.filter(duration_ms=None, error="").last()
    if cut_off is None:
        return False
    handed_over = cut_off.handed_over_at is not None
    error = "cut off while waiting for the answer" if handed_over else "cut off before anything was sent"
    DeliveryAttempt.objects.filter(pk=cut_off.pk).update(error=error)
    if not handed_over or delivery.channel.kind != Channel.Kind.SLACK:
        return False
    Delivery.objects.filter(pk=delivery.pk).update(state=Delivery.State.UNKNOWN, sent_at=cut_off.handed_over_at)
    return True


def _make(attempt: DeliveryAttempt) -> None:
    start = time.monotonic()
    error, gone = "", False
    try:
        send(attempt)
    except (DeliveryFailed, outbound.OutboundError, OSError) as failure:
        error, gone = str(failure)[:1000] or type(failure).__name__, isinstance(failure, ChannelGone)
    except Exception as failure:  # such as a secret that is not base64; the next message must not wait for its repair
        logger.exception("A message to the channel %s cannot be sent", attempt.delivery.channel)
        error = f"{type(failure).__name__}: {failure}"[:1000]
    with transaction.atomic():
        duration_ms = int((time.monotonic() - start) * 1000)
        DeliveryAttempt.objects.filter(pk=attempt.pk).update(duration_ms=duration_ms, error=error)
        if error:
            _failed(attempt.delivery, gone)
        else:
            _sent(attempt.delivery)


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


def send(attempt: DeliveryAttempt) -> None:
    """One attempt, by the channel's own way."""
    delivery = attempt.delivery
    match delivery.channel.kind:
        case Channel.Kind.SLACK:
            _post(attempt, to_json(messages.slack_body(delivery)), {})
        case Channel.Kind.WEBHOOK:
            body = to_json(messages.webhook_body(delivery))
            _post(attempt, body, signature(delivery.channel.secret, f"msg_{delivery.pk.hex}", body))
        case Channel.Kind.EMAIL:
            _mail(attempt)


def _hand_over(attempt: DeliveryAttempt) -> None:
    """From now on the other side may have it."""
    DeliveryAttempt.objects.filter(pk=attempt.pk).update(handed_over_at=timezone.now())


def _post(attempt: DeliveryAttempt, body: bytes, headers: dict[str, str]) -> None:
    headers = {"Content-Type": "application/json", **headers}
    answer = outbound.post(attempt.delivery.channel.address, body, headers, lambda: _hand_over(attempt))
    if answer.status == 410:
        raise ChannelGone("410: the other side asks for nothing more")
    if not 200 <= answer.status < 300:
        raise DeliveryFailed(f"{answer.status}: {answer.body[:200].decode(errors='replace')}")


def _mail(attempt: DeliveryAttempt) -> None:
    delivery = attempt.delivery
    subject, text = messages.mail_text(delivery)
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    headers = {"Message-ID": f"<alert-{delivery.pk.hex}@{domain}>"}
    with get_connection() as server:
        _hand_over(attempt)
        EmailMessage(subject, text, to=delivery.channel.addresses, headers=headers, connection=server).send()


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


def send_again(deliveries: QuerySet[Delivery]) -> int:
    """Put what was given up, or may not have arrived, in line once more; how many that were."""
    over = deliveries.filter(state__in=[Delivery.State.GIVEN_UP, Delivery.State.UNKNOWN])
    again = [Delivery(channel=one.channel, alert=one.alert, kind=one.kind) for one in over.select_related("channel")]
    return len(Delivery.objects.bulk_create(again, ignore_conflicts=True))


def send_test(channel: Channel) -> Delivery:
    """Put a test message in line; how it went stands in its attempts."""
    return Delivery.objects.create(channel=channel, kind=Delivery.Kind.TEST)
