"""What the channels say: the seed's text and blocks, in Korean and English."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext

from dotplatform.api.envelope import rfc3339
from metrics.models import Alert, AlertRule, Delivery
from metrics.models.alerts import SEVERITY_WORDS
from metrics.vocabulary import APP_ERROR, APP_LOAD_TIME, KNOWN

LANGUAGES = {"both": ("ko", "en"), "ko": ("ko",), "en": ("en",)}
ICONS = {Delivery.Kind.OPENED: "🚨", Delivery.Kind.RESOLVED: "✅", Delivery.Kind.TEST: "🔔"}


def headline(delivery: Delivery) -> str:
    """``🚨 [DOT Platform] PERFORMANCE``, as in the seed."""
    return f"{ICONS[Delivery.Kind(delivery.kind)]} [DOT Platform] {topic(delivery.alert).upper()}"


def topic(alert: Alert | None) -> str:
    """``performance | errors | platform | test``"""
    if alert is None:
        return "test"
    if not alert.metric:
        return "platform"
    return "errors" if alert.metric == APP_ERROR else "performance"


def sentence(alert: Alert) -> str:
    """What is wrong, in the active language."""
    if not alert.metric:
        return gettext(alert.text) % alert.params
    value, threshold = quantity(alert.metric, alert.value), quantity(alert.metric, alert.threshold)
    if alert.metric == APP_LOAD_TIME:
        return gettext("App load time %(value)s exceeded the threshold") % {"value": value}
    return gettext("%(metric)s %(value)s exceeded the threshold %(threshold)s") % {
        "metric": alert.metric,
        "value": value,
        "threshold": threshold,
    }


def quantity(metric: str, value: float | None) -> str:
    """A value with its unit, such as ``3200ms``."""
    known = KNOWN.get(metric)
    return "" if value is None else f"{round(value, 3 if abs(value) < 10 else 0):.10g}{known.unit if known else ''}"


def facts(alert: Alert) -> list[str]:
    """Lines below the sentence: labels, how often, since when."""
    names = {
        "appId": gettext("App ID"),
        "release": gettext("release"),
        "route": gettext("route"),
        "device": gettext("device"),
    }
    lines = [f"{names.get(name, name)}: {value}" for name, value in alert.labels.items()]
    since = timezone.localtime(alert.opened_at).strftime("%Y-%m-%d %H:%M %Z")
    if _counts_samples(alert):
        lines.append(gettext("%(count)s times since %(since)s") % {"count": f"{alert.occurrences:,}", "since": since})
    else:
        lines.append(gettext("Since %(since)s") % {"since": since})
    return lines


def _counts_samples(alert: Alert) -> bool:
    return alert.rule is not None and alert.rule.statistic == AlertRule.Statistic.EACH


def paragraphs(delivery: Delivery) -> list[tuple[str, list[str]]]:
    """``(sentence, facts)`` in each of the channel's languages."""
    texts = []
    for language in LANGUAGES[delivery.channel.language]:
        with translation.override(language):
            texts.append(_paragraph(delivery))
    return texts


def _paragraph(delivery: Delivery) -> tuple[str, list[str]]:
    alert = delivery.alert
    if alert is None:
        return gettext("This is a test. Alerts will arrive here."), []
    if delivery.kind == Delivery.Kind.RESOLVED:
        return gettext("Resolved: %(sentence)s") % {"sentence": sentence(alert)}, facts(alert)
    return sentence(alert), facts(alert)


def link(alert: Alert) -> str:
    """The alert's page in the console; empty where the platform does not know its own address."""
    return (
        f"{settings.PUBLIC_URL}{reverse('admin:metrics_alert_change', args=[alert.pk])}" if settings.PUBLIC_URL else ""
    )


def slack_body(delivery: Delivery) -> dict[str, Any]:
    """``{text, blocks}`` of an incoming webhook: the seed's section block, once a language."""
    blocks: list[dict[str, Any]] = [
        {
            "type": "section",
            "text": {"type": "mrkdwn", "text": "\n".join([f"*{_escaped(first)}*", *map(_escaped, rest)])},
        }
        for first, rest in paragraphs(delivery)
    ]
    if delivery.alert and (url := link(delivery.alert)):
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": f"<{url}>"}]})
    return {"text": headline(delivery), "blocks": blocks}


def _escaped(text: str) -> str:
    """Labels come from anybody: no links, no @channel (Slack's own three escapes), nothing endless."""
    return text[:600].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mail_text(delivery: Delivery) -> tuple[str, str]:
    """Subject and body of a mail."""
    parts = ["\n".join([first, *rest]) for first, rest in paragraphs(delivery)]
    if delivery.alert and (url := link(delivery.alert)):
        parts.append(url)
    return f"{headline(delivery)}: {paragraphs(delivery)[0][0][:100]}".replace("\n", " "), "\n\n".join(parts) + "\n"


def webhook_body(delivery: Delivery) -> dict[str, Any]:
    """The Standard Webhooks payload: ``{type, timestamp, data}``."""
    data: dict[str, Any] = {}
    if alert := delivery.alert:
        data = {
            "id": alert.pk,
            "status": alert.status,
            "severity": SEVERITY_WORDS[alert.severity],
            "metric": alert.metric or None,
            "labels": alert.labels,
            "value": alert.value,
            "threshold": alert.threshold,
            "occurrences": alert.occurrences,
            "opened_at": alert.opened_at,
            "resolved_at": alert.resolved_at,
        }
    for language, member in (("en", "message"), ("ko", "message_ko")):
        with translation.override(language):
            data[member] = _paragraph(delivery)[0]
    return {"type": f"alert.{delivery.kind}", "timestamp": rfc3339(delivery.created_at), "data": data}
