"""Delivery: signed, retried, visible, and never into the platform's own network."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.core import mail
from django.core.exceptions import ValidationError
from django.utils import timezone

from dotplatform import outbound
from metrics.alerts import delivery, lifecycle
from metrics.models import Alert, Channel, Delivery
from tests.metrics.conftest import Endpoint

PROBLEM = "The alert channel “%(channel)s” does not take messages; nothing is told there."


def problem() -> None:
    """Something to tell."""
    lifecycle.report_problem("test", PROBLEM, {"channel": "X"})
    lifecycle.notify_due(timezone.now())


def wait(**time: float) -> None:
    """Let that much time pass for everything that is to be sent."""
    Delivery.objects.update(next_attempt_at=timezone.now())
    if time:
        moved = timedelta(**time)
        for one in Delivery.objects.all():
            Delivery.objects.filter(pk=one.pk).update(created_at=one.created_at - moved)


@pytest.mark.django_db
class TestWebhook:
    @pytest.fixture
    def channel(self, endpoint: Endpoint) -> Channel:
        return Channel.objects.create(name="hook", kind="webhook", target=endpoint.url)

    def test_the_signature_is_the_standards(self, channel: Channel, endpoint: Endpoint) -> None:
        problem()
        assert delivery.deliver_due() == 1
        ((headers, body),) = endpoint.received
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + endpoint.raw[0]
        key = base64.b64decode(channel.secret.removeprefix("whsec_"))
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert body["type"] == "alert.opened"
        assert body["data"]["severity"] == "critical"
        assert body["data"]["message"] != body["data"]["message_ko"]

    def test_every_attempt_carries_one_id(self, channel: Channel, endpoint: Endpoint) -> None:
        endpoint.status = 500
        problem()
        delivery.deliver_due()
        endpoint.status = 200
        wait()
        delivery.deliver_due()
        assert len({headers["webhook-id"] for headers, _ in endpoint.received}) == 1
        (sent,) = Delivery.objects.all()
        assert sent.state == "sent"
        assert [attempt.error[:4] for attempt in sent.tries.all()] == ["500:", ""]

    def test_it_waits_longer_each_time_and_gives_up_after_a_day(self, channel: Channel, endpoint: Endpoint) -> None:
        endpoint.status = 503
        problem()
        pauses = []
        for _ in range(3):
            delivery.deliver_due()
            pauses.append((Delivery.objects.get().next_attempt_at - timezone.now()).total_seconds())
            wait()
        assert pauses == sorted(pauses)
        assert delivery.deliver_due() == 1
        wait(days=1)
        delivery.deliver_due()
        assert Delivery.objects.get().state == "given up"

    def test_a_redirect_is_a_failure(self, channel: Channel, endpoint: Endpoint) -> None:
        endpoint.status = 302
        problem()
        delivery.deliver_due()
        assert Delivery.objects.get().tries.get().error.startswith("302")

    def test_410_ends_the_channel_and_says_so_on_the_others(self, channel: Channel, endpoint: Endpoint) -> None:
        Channel.objects.create(name="mail", kind="email", target="ops@example.com, on-call@example.com")
        endpoint.status = 410
        problem()
        delivery.deliver_due()
        channel.refresh_from_db()
        assert not channel.is_enabled
        lifecycle.notify_due(timezone.now())
        delivery.deliver_due()
        assert "hook" in mail.outbox[-1].body
        assert mail.outbox[-1].to == ["ops@example.com", "on-call@example.com"]

    def test_a_dead_channel_is_an_alert_on_the_others_until_it_lives(
        self, channel: Channel, endpoint: Endpoint
    ) -> None:
        Channel.objects.create(name="mail", kind="email", target="ops@example.com")
        endpoint.status = 500
        problem()
        for _ in range(delivery.DEAD_AFTER_FAILURES):
            wait()
            delivery.deliver_due()
        dead = Alert.objects.get(fingerprint=f"platform:channel:{channel.pk}")
        lifecycle.notify_due(timezone.now())
        assert [one.channel.kind for one in dead.deliveries.all()] == ["email"]
        endpoint.status = 200
        wait()
        delivery.deliver_due()
        dead.refresh_from_db()
        assert dead.status == "resolved"

    def test_an_address_with_korean_letters_is_called(self, channel: Channel, endpoint: Endpoint) -> None:
        channel.target = f"{endpoint.url}/알림?팀=운영"
        channel.full_clean()
        channel.save()
        problem()
        delivery.deliver_due()
        assert Delivery.objects.get().state == "sent"

    def test_a_secret_that_cannot_sign_fails_its_own_channel_only(
        self, channel: Channel, slack: Channel, endpoint: Endpoint
    ) -> None:
        Channel.objects.filter(pk=channel.pk).update(secret="whsec_x")
        problem()
        delivery.deliver_due()
        assert "🚨" in endpoint.texts[0]
        failed = Delivery.objects.get(channel=channel)
        assert (failed.state, failed.channel.failures) == ("pending", 1)
        assert "base64" in failed.tries.get().error

    @pytest.mark.parametrize("secret", ["", "whsec_x", "whsec_not base64, by far not", "whsec_c2hvcnQ="])
    def test_such_a_secret_is_refused_when_it_is_entered(self, channel: Channel, secret: str) -> None:
        channel.secret = secret
        with pytest.raises(ValidationError) as error:
            channel.full_clean()
        assert list(error.value.message_dict) == ["secret"]

    def test_the_test_message(self, channel: Channel, endpoint: Endpoint) -> None:
        delivery.send_test(channel)
        delivery.deliver_due()
        assert endpoint.received[0][1]["type"] == "alert.test"


@pytest.mark.django_db
class TestOrderAndText:
    def test_resolved_is_not_told_before_opened(self, slack: Channel, endpoint: Endpoint) -> None:
        endpoint.status = 500
        problem()
        delivery.deliver_due()
        lifecycle.report_well("test")
        assert delivery.deliver_due() == 0
        endpoint.status = 200
        wait()
        assert delivery.deliver_due() == 2
        assert ["🚨" in text for text in endpoint.texts] == [True, True, False]

    def test_labels_cannot_write_slack_markup(self, slack: Channel, endpoint: Endpoint) -> None:
        lifecycle.report_problem("x", PROBLEM, {"channel": "<!channel> & <https://evil.example|click>"})
        lifecycle.notify_due(timezone.now())
        delivery.deliver_due()
        assert "&lt;!channel&gt; &amp; &lt;https" in endpoint.texts[0]
        assert "<!channel>" not in endpoint.texts[0]

    def test_the_environments_slack_is_used_where_a_channel_names_none(
        self, endpoint: Endpoint, settings: LazySettings
    ) -> None:
        problem()
        assert not Delivery.objects.exists()
        Alert.objects.all().delete()
        settings.SLACK_WEBHOOK_URL = endpoint.url
        problem()
        delivery.deliver_due()
        assert len(endpoint.received) == 1


class TestOutbound:
    @pytest.fixture(autouse=True)
    def _production(self, settings: LazySettings) -> None:
        settings.OUTBOUND_ALLOW_PRIVATE = False

    def test_it_does_not_call_this_machine(self, endpoint: Endpoint) -> None:
        with pytest.raises(outbound.OutboundError, match="private address"):
            outbound.post(endpoint.url, b"{}", {})
        assert endpoint.received == []

    @pytest.mark.parametrize(
        "url",
        [
            "http://localhost/",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://169.254.169.254/latest/meta-data/",
            "http://10.0.0.1/",
            "http://0/",
            "http://2130706433/",
            "http://0x7f.1/",
        ],
    )
    def test_nor_its_network_however_it_is_written(self, url: str) -> None:
        with pytest.raises(outbound.OutboundError, match="private address"):
            outbound.post(url, b"", {})

    @pytest.mark.parametrize(
        "url", ["file:///etc/passwd", "gopher://x/", "/hook", "http://", "http://x:99999/", "http://[x/"]
    )
    def test_nor_anything_but_http(self, url: str) -> None:
        with pytest.raises(outbound.OutboundError):
            outbound.post(url, b"", {})

    def test_a_name_that_no_dns_can_hold_is_an_answer_for_the_operator(self) -> None:
        with pytest.raises(outbound.OutboundError, match="UnicodeError"):
            outbound.post(f"http://{'a' * 64}.example.com/", b"", {})
