"""This room in the operator console: pages open, buttons do what they say."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from dotplatform.accounts.models import User
from metrics.alerts import delivery, evaluation
from metrics.models import Alert, AlertRule, Channel, Delivery, Sample
from tests.conftest import DotClient
from tests.metrics.conftest import Endpoint, Record


@pytest.fixture
def console(operator: User) -> DotClient:
    client = DotClient(headers={"accept-language": "en"})
    client.force_login(operator)
    return client


@pytest.mark.django_db
@pytest.mark.usefixtures("slack", "seeds_rule")
class TestConsole:
    @pytest.fixture(autouse=True)
    def _an_alert(self, record: Record, slack: Channel, seeds_rule: AlertRule) -> None:
        record("app-load-time", [5000.0], appId="notes")
        evaluation.evaluate()
        delivery.deliver_due()

    @pytest.mark.parametrize("model", [Sample, AlertRule, Alert, Channel, Delivery])
    def test_lists_and_pages_open(self, console: DotClient, model: type[Sample]) -> None:
        name = f"admin:metrics_{model._meta.model_name}"
        assert console.get(reverse(f"{name}_changelist")).status_code == 200
        one = model.objects.order_by("-pk").first()
        assert one is not None
        assert console.get(reverse(f"{name}_change", args=[one.pk])).status_code == 200

    def test_nobody_else_sees_them(self, client: DotClient, bob: User) -> None:
        client.force_login(bob)
        assert client.get(reverse("admin:metrics_alert_changelist")).status_code in {302, 403}

    def test_samples_cannot_be_changed(self, console: DotClient) -> None:
        sample = Sample.objects.get()
        assert (
            console.post(reverse("admin:metrics_sample_delete", args=[sample.pk]), {"post": "yes"}).status_code == 403
        )
        assert console.get(reverse("admin:metrics_sample_add")).status_code == 403

    @pytest.mark.parametrize(
        ("action", "status"),
        [
            ("acknowledge", "acknowledged"),
            ("resolve", "resolved"),
            ("snooze_an_hour", "open"),
            ("snooze_a_day", "open"),
        ],
    )
    def test_actions(self, console: DotClient, operator: User, action: str, status: str) -> None:
        alert = Alert.objects.get()
        response = console.post(
            reverse("admin:metrics_alert_changelist"),
            {"action": action, "_selected_action": [str(alert.pk)]},
            follow=True,
        )
        assert "1 alert changed." in response.content.decode()
        alert.refresh_from_db()
        assert alert.status == status
        assert alert.events.last().by == operator  # type: ignore[union-attr]

    @pytest.mark.parametrize(
        ("right", "model", "action"),
        [
            ("view_alert", Alert, "resolve"),
            ("view_alert", Alert, "snooze_a_day"),
            ("view_delivery", Delivery, "send_again"),
            ("view_channel", Channel, "test"),
        ],
    )
    def test_who_may_only_look_does_nothing(
        self, client: DotClient, bob: User, right: str, model: type[Alert], action: str
    ) -> None:
        User.objects.filter(pk=bob.pk).update(is_staff=True)
        bob.user_permissions.add(Permission.objects.get(codename=right))
        client.force_login(bob)
        Delivery.objects.update(state="given up")
        before = [list(kind.objects.order_by("pk").values()) for kind in (Alert, Delivery)]
        page = reverse(f"admin:metrics_{model._meta.model_name}_changelist")
        chosen = [str(each.pk) for each in model.objects.all()]
        assert client.get(page).status_code == 200
        client.post(page, {"action": action, "_selected_action": chosen})
        assert [list(kind.objects.order_by("pk").values()) for kind in (Alert, Delivery)] == before

    def test_a_rules_preview(self, console: DotClient, seeds_rule: AlertRule) -> None:
        page = console.get(reverse("admin:metrics_alertrule_change", args=[seeds_rule.pk])).content.decode()
        assert "Would have fired 1 time in the last 7 days." in page

    def test_a_label_that_no_sample_can_have_is_refused_at_its_field(
        self, console: DotClient, seeds_rule: AlertRule
    ) -> None:
        page = console.post(
            reverse("admin:metrics_alertrule_change", args=[seeds_rule.pk]), {"label_filter": '{"app id": "notes"}'}
        )
        (error,) = page.context["adminform"].form.errors["label_filter"]
        assert error.startswith("A label's name begins with a letter")

    def test_the_test_button(self, console: DotClient, slack: Channel, endpoint: Endpoint) -> None:
        fields = {"name": "Slack", "kind": "slack", "target": slack.target, "language": "en", "min_severity": "1"}
        url = reverse("admin:metrics_channel_change", args=[slack.pk])
        response = console.post(url, {**fields, "is_enabled": "on", "_test": "1"}, follow=True)
        assert "on its way" in response.content.decode()
        delivery.deliver_due()
        assert "*This is a test. Alerts will arrive here.*" in endpoint.texts[-1]
