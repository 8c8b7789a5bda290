"""Alerts: one for a storm, told once, counted to the last sample, and resolved when it is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import LazySettings
from django.core.exceptions import ValidationError
from django.utils import timezone, translation

from dotplatform.accounts.models import User
from dotplatform.models import Platform
from metrics import tasks
from metrics.alerts import delivery, lifecycle
from metrics.alerts.evaluation import LOOK_EVERY, evaluate
from metrics.alerts.preview import would_have_fired
from metrics.models import Alert, AlertRule, Channel, Delivery
from metrics.reduction import Agent
from metrics.samples import SampleRejected, Sender, read_sample
from tests.metrics.conftest import Endpoint, Record

QUIET = timedelta(minutes=6)


def only_alert() -> Alert:
    return Alert.objects.get()


@pytest.mark.django_db
@pytest.mark.usefixtures("slack", "seeds_rule")
class TestAStorm:
    def test_ten_thousand_slow_loads_are_one_alert_and_one_message(self, record: Record, endpoint: Endpoint) -> None:
        for _ in range(10):
            record("app-load-time", [3200.0] * 1000, appId="notes", release="1.0.0")
            evaluate()
            delivery.deliver_due()
        alert = only_alert()
        assert (alert.occurrences, alert.status, alert.labels) == (10_000, "open", {"appId": "notes"})
        (text,) = endpoint.texts
        assert "🚨 [DOT Platform] PERFORMANCE" in text
        assert "*앱 로딩 시간이 3200ms로 임계값을 초과했습니다*\n앱 ID: notes" in text

        for _ in range(3):
            evaluate(timezone.now() + QUIET)
            delivery.deliver_due()
        assert only_alert().status == "resolved"
        assert len(endpoint.texts) == 2
        assert "✅" in endpoint.texts[1]
        assert "10,000" in endpoint.texts[1]

    def test_looking_again_counts_nothing_twice(self, record: Record) -> None:
        record("app-load-time", [3200.0, 4000.0], appId="notes")
        for _ in range(3):
            evaluate()
        assert (only_alert().occurrences, only_alert().value) == (2, 4000)
        record("app-load-time", [3001.0, 3000.0, 100.0], appId="notes")
        evaluate()
        assert only_alert().occurrences == 3

    def test_each_app_has_its_own(self, record: Record) -> None:
        record("app-load-time", [5000.0], appId="notes")
        record("app-load-time", [5000.0], appId="tasks")
        evaluate()
        assert {alert.labels["appId"] for alert in Alert.objects.all()} == {"notes", "tasks"}

    def test_invented_apps_do_not_make_a_storm(self, record: Record, endpoint: Endpoint) -> None:
        for number in range(40):
            record("app-load-time", [5000.0], appId=f"app-{number:02}")
        evaluate()
        delivery.deliver_due()
        assert Alert.objects.count() == lifecycle.MOST_ALERTS_A_RULE + 1
        assert len(endpoint.texts) == lifecycle.MOST_ALERTS_A_RULE + 1
        assert Alert.objects.get(labels=lifecycle.OTHERS).occurrences == 20

    def test_what_comes_in_a_day_late_wakes_nobody(self, record: Record) -> None:
        record("app-load-time", [5000.0], appId="notes", at=datetime.now(UTC) - timedelta(days=3))
        evaluate()
        assert not Alert.objects.exists()

    def test_nothing_happens_where_monitoring_is_off(self, record: Record, settings: LazySettings) -> None:
        settings.MONITORING_ENABLED = False
        record("app-load-time", [5000.0], appId="notes")
        evaluate()
        assert not Alert.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("slack")
class TestTelling:
    @pytest.fixture(autouse=True)
    def _slow(self, record: Record, seeds_rule: AlertRule) -> None:
        record("app-load-time", [5000.0], appId="notes")

    def told(self, endpoint: Endpoint) -> int:
        delivery.deliver_due()
        return len(endpoint.received)

    def test_coming_back_within_the_cool_down_is_not_told_again(self, record: Record, endpoint: Endpoint) -> None:
        evaluate()
        assert self.told(endpoint) == 1
        evaluate(timezone.now() + QUIET)
        assert self.told(endpoint) == 2
        record("app-load-time", [5000.0], appId="notes")
        evaluate()
        assert Alert.objects.unresolved().count() == 1
        assert self.told(endpoint) == 2
        record("app-load-time", [5000.0], appId="notes")
        evaluate(timezone.now() + timedelta(minutes=61))  # it is still there
        assert self.told(endpoint) == 3

    def test_silent_in_maintenance_and_told_afterwards_if_it_lasts(self, record: Record, endpoint: Endpoint) -> None:
        Platform.objects.current()
        Platform.objects.update(maintenance_mode=True)
        Platform.objects.forget()
        evaluate()
        assert only_alert().status == "open"
        assert self.told(endpoint) == 0
        Platform.objects.update(maintenance_mode=False)
        Platform.objects.forget()
        evaluate()
        assert self.told(endpoint) == 1

    def test_what_was_not_told_is_not_told_to_be_over(self, endpoint: Endpoint) -> None:
        Platform.objects.current()
        Platform.objects.update(maintenance_mode=True)
        Platform.objects.forget()
        evaluate()
        evaluate(timezone.now() + QUIET)
        Platform.objects.update(maintenance_mode=False)
        Platform.objects.forget()
        assert only_alert().status == "resolved"
        assert self.told(endpoint) == 0

    def test_acknowledged_stays_one_alert_and_goes_on_counting(self, record: Record, operator: User) -> None:
        evaluate()
        assert lifecycle.acknowledge(Alert.objects.all(), operator) == 1
        record("app-load-time", [5000.0], appId="notes")
        evaluate()
        alert = only_alert()
        assert (alert.status, alert.occurrences) == ("acknowledged", 2)
        assert [event.kind for event in alert.events.all()] == ["opened", "acknowledged"]

    def test_snoozed_it_says_nothing_until_then(self, record: Record, endpoint: Endpoint, operator: User) -> None:
        evaluate()
        assert self.told(endpoint) == 1
        until = timezone.now() + timedelta(hours=1)
        lifecycle.snooze(Alert.objects.all(), until, operator)
        Alert.objects.update(last_seen_at=until)
        evaluate(until - timedelta(minutes=1))
        assert self.told(endpoint) == 1
        evaluate(until + timedelta(minutes=1))
        assert self.told(endpoint) == 2

    def test_resolved_by_hand_and_by_whom(self, endpoint: Endpoint, operator: User) -> None:
        evaluate()
        lifecycle.resolve(Alert.objects.all(), operator)
        assert lifecycle.resolve(Alert.objects.all(), operator) == 0
        assert only_alert().events.get(kind="resolved").by == operator
        assert self.told(endpoint) == 2

    def test_a_channel_for_worse_things_hears_nothing(self, slack: Channel) -> None:
        Channel.objects.filter(pk=slack.pk).update(min_severity=3)
        evaluate()
        assert not Delivery.objects.exists()


@pytest.mark.django_db
class TestWindows:
    def rule(self, **fields: object) -> AlertRule:
        AlertRule.objects.all().delete()
        return AlertRule.objects.create(**{"name": "a rule", "metric": "LCP", "window_s": 600, **fields})

    def test_p75_needs_enough_samples(self, record: Record) -> None:
        self.rule(statistic="p75", threshold=4000, min_samples=10, group_by=["route"])
        record("LCP", [9000.0] * 9)
        evaluate()
        assert not Alert.objects.exists()
        record("LCP", [9000.0])
        evaluate(timezone.now() + LOOK_EVERY)
        assert only_alert().labels == {"route": "/admin/login/"}

    def test_one_slow_visitor_in_five_does_not_move_p75(self, record: Record) -> None:
        self.rule(statistic="p75", threshold=4000)
        record("LCP", [9000.0] + [1000.0] * 4)
        evaluate()
        assert not Alert.objects.exists()

    def test_it_resolves_when_the_window_has_moved_on(self, record: Record) -> None:
        self.rule(statistic="p95", threshold=4000, group_by=[])
        record("LCP", [9000.0])
        evaluate()
        assert only_alert().status == "open"
        evaluate(timezone.now() + timedelta(minutes=11))
        assert only_alert().status == "resolved"

    @pytest.mark.parametrize(
        ("statistic", "threshold", "opens"), [("count", 19, 1), ("count", 20, 0), ("rate", 1.9, 1), ("rate", 2, 0)]
    )
    def test_count_and_rate(self, record: Record, statistic: str, threshold: float, opens: int) -> None:
        self.rule(metric="app-error", statistic=statistic, threshold=threshold)
        record("app-error", [1.0] * 20, appId="notes")
        evaluate()
        assert Alert.objects.count() == opens

    def test_only_the_labels_it_asks_for(self, record: Record) -> None:
        self.rule(statistic="each", threshold=10, label_filter={"appId": "notes", "plan": "free"})
        record("LCP", [50.0], appId="notes", plan="paid")
        record("LCP", [50.0], appId="tasks", plan="free")
        evaluate()
        assert not Alert.objects.exists()
        record("LCP", [50.0], appId="notes", plan="free")
        evaluate()
        assert only_alert().occurrences == 1

    def test_a_filters_numbers_are_labels_too(self, record: Record) -> None:
        rule = self.rule(statistic="each", threshold=10, label_filter={"floor": 5, "beta": True})
        rule.full_clean()
        rule.save()
        record("LCP", [50.0], floor="5", beta="true")
        evaluate()
        assert only_alert().occurrences == 1

    @pytest.mark.parametrize("wrong", [["appId"], {"appId": None}, {"appId": ["notes"]}, "notes"])
    def test_a_filter_is_an_object_of_labels(self, wrong: object) -> None:
        rule = self.rule(statistic="each", threshold=10)
        rule.label_filter = wrong  # type: ignore[assignment]
        with pytest.raises(ValidationError):
            rule.full_clean()

    @pytest.mark.parametrize(
        ("language", "wrong", "says"),
        [
            ("en", {"app id": "notes"}, "A label's name begins with a letter or _ and holds letters"),
            ("ko", {"app id": "notes"}, "레이블 이름은 영문자나 _로 시작하고"),
            ("en", {"": "notes"}, "A label's name begins with a letter"),
            ("en", {"x" * 65: "notes"}, "at most 64."),
            (
                "en",
                {"plan": "x" * 257},
                "The label plan must be text, a number or a boolean of at most 256 characters.",
            ),
            ("ko", {"plan": ["free"]}, "레이블 plan"),
            ("en", {f"l{number}": "x" for number in range(21)}, "A sample has at most 20 labels."),
        ],
    )
    def test_a_filter_asks_for_no_label_that_no_sample_can_have(
        self, language: str, wrong: dict[str, str], says: str
    ) -> None:
        with pytest.raises(SampleRejected):
            read_sample({"name": "LCP", "value": 1, "labels": wrong}, Sender(Agent("", "", "")))
        rule = self.rule(statistic="each", threshold=10)
        rule.label_filter = wrong
        with translation.override(language), pytest.raises(ValidationError) as raised:
            rule.full_clean()
        assert list(raised.value.message_dict) == ["label_filter"]
        assert says in raised.value.message_dict["label_filter"][0]

    def test_nor_does_it_tell_apart_by_one(self) -> None:
        rule = self.rule(statistic="each", threshold=10)
        rule.group_by = ["appId", "app id"]
        with pytest.raises(ValidationError) as raised:
            rule.full_clean()
        assert list(raised.value.message_dict) == ["group_by"]
        rule.group_by = ["appId", "_plan"]
        rule.full_clean()

    @pytest.mark.parametrize("statistic", ["each", "p75"])
    @pytest.mark.parametrize("end", ["switched off", "deleted"])
    def test_without_its_rule_an_alert_is_over(self, record: Record, statistic: str, end: str) -> None:
        rule = self.rule(statistic=statistic, threshold=10)
        record("LCP", [50.0])
        evaluate()
        assert only_alert().status == "open"
        if end == "deleted":
            rule.delete()
        else:
            AlertRule.objects.update(is_enabled=False)
        lifecycle.report_problem("test", "The platform's own problem")
        evaluate()
        assert [alert.status for alert in Alert.objects.order_by("opened_at")] == ["resolved", "open"]

    def test_each_with_a_minimum_counts_all_once_it_is_reached(self, record: Record) -> None:
        self.rule(statistic="each", threshold=10, min_samples=3)
        for expected in (0, 0, 1):
            record("LCP", [50.0])
            evaluate()
            assert Alert.objects.count() == expected
        assert only_alert().occurrences == 3

    def test_not_before_it_is_due(self, record: Record) -> None:
        rule = self.rule(statistic="count", threshold=0)
        evaluate()
        record("LCP", [50.0])
        evaluate()
        assert not Alert.objects.exists()
        AlertRule.objects.filter(pk=rule.pk).update(due_at=timezone.now())
        evaluate()
        assert Alert.objects.exists()

    def test_preview_counts_the_episodes_of_last_week(self, record: Record) -> None:
        rule = self.rule(statistic="each", threshold=3000, window_s=3600)
        now = datetime.now(UTC)
        for hours in (50, 49.5, 30, 2):
            record("LCP", [5000.0], at=now - timedelta(hours=hours))
        record("LCP", [100.0], at=now - timedelta(hours=20))
        assert would_have_fired(rule) == 3


@pytest.mark.django_db
def test_alerts_are_forgotten_a_quarter_after_they_were_resolved(slack: Channel) -> None:
    for name in ("old", "recent", "open"):
        lifecycle.report_problem(name, "The platform's own problem")
    lifecycle.notify_due(timezone.now())
    lifecycle.resolve(Alert.objects.exclude(fingerprint="platform:open"))
    long_ago = timezone.now() - lifecycle.KEPT - timedelta(hours=1)
    Alert.objects.filter(fingerprint="platform:old").update(resolved_at=long_ago)
    Alert.objects.filter(fingerprint="platform:open").update(opened_at=long_ago)
    tasks.forget_old_alerts()
    assert set(Alert.objects.values_list("fingerprint", flat=True)) == {"platform:recent", "platform:open"}
    assert not Delivery.objects.filter(alert__fingerprint="platform:old").exists()
