"""POST /api/metrics: what browsers send goes in, bounded, and what is refused is said."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dotplatform.accounts.models import AccessToken, User
from dotplatform.api.authentication import digest
from metrics import limiter, partitions
from metrics.models import Sample
from tests.conftest import DotClient

Api = Callable[..., DotClient]

CHROME_ON_ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko)"
    " Chrome/140.0.0.0 Mobile Safari/537.36"
)
WEB_VITALS_OBJECT = {
    "name": "LCP",
    "value": 2764.4,
    "delta": 2764.4,
    "rating": "needs-improvement",
    "id": "v6-1790000000000-1234567890123",
    "navigationType": "navigate",
    "entries": [{"name": "", "entryType": "largest-contentful-paint", "startTime": 2764.4, "element": {}}],
}


@pytest.fixture(autouse=True)
def _unlimited(settings: LazySettings) -> None:
    settings.RATE_LIMITS_ENABLED = False


def post(client: DotClient, body: Any, content_type: str = "application/json", **headers: str) -> Any:
    return client.post("/api/metrics", json.dumps(body), content_type=content_type, headers=headers)


def data(response: Any) -> Any:
    assert response.status_code == 202, response.content
    return response.json()["data"]


def codes(response: Any) -> list[tuple[int, str]]:
    return [(one["index"], one["code"]) for one in data(response)["rejected"]]


@pytest.mark.django_db
class TestTakingIn:
    def test_one_sample(self, client: DotClient) -> None:
        answer = data(post(client, {"name": "app-load-time", "value": 812.5, "labels": {"appId": "notes"}}))
        assert answer == {"accepted": 1, "rejected": []}
        sample = Sample.objects.get()
        assert (sample.name, sample.value, sample.app_id, sample.rating) == ("app-load-time", 812.5, "notes", "good")
        assert sample.labels == {"appId": "notes"}
        assert sample.day == sample.timestamp.astimezone(UTC).date()

    def test_an_array_as_a_beacon_sends_it(self, client: DotClient) -> None:
        body = [{"name": name, "value": 1} for name in ("CLS", "INP", "LCP", "FCP", "TTFB")]
        assert data(post(client, body, "text/plain;charset=UTF-8"))["accepted"] == 5
        assert Sample.objects.count() == 5

    def test_a_web_vitals_object_goes_in_as_it_is(self, client: DotClient) -> None:
        assert data(post(client, WEB_VITALS_OBJECT))["accepted"] == 1
        sample = Sample.objects.get()
        assert (sample.rating, sample.navigation_type) == ("needs-improvement", "navigate")

    def test_the_same_id_again_replaces_the_earlier_value(self, client: DotClient) -> None:
        for value in (0.01, 0.31):
            post(client, {**WEB_VITALS_OBJECT, "name": "CLS", "value": value})
        sample = Sample.objects.get()
        assert (sample.value, sample.rating) == (0.31, "poor")

    def test_the_same_id_twice_in_one_array_keeps_the_later(self, client: DotClient) -> None:
        assert data(post(client, [WEB_VITALS_OBJECT, {**WEB_VITALS_OBJECT, "value": 3000}]))["accepted"] == 2
        assert Sample.objects.get().value == 3000

    @pytest.mark.parametrize("days", [1, 4])
    def test_the_same_id_replaces_across_midnight(self, client: DotClient, days: int) -> None:
        now = datetime.now(UTC)
        post(client, {**WEB_VITALS_OBJECT, "timestamp": (now - timedelta(days=days)).isoformat()})
        post(client, {**WEB_VITALS_OBJECT, "value": 99, "timestamp": now.isoformat()})
        sample = Sample.objects.get()
        assert sample.value == 99
        assert sample.day == (now - timedelta(days=days)).date()

    def test_one_id_names_several_metrics(self, client: DotClient) -> None:
        post(client, [{"name": "LCP", "value": 1, "id": "page-1"}, {"name": "FCP", "value": 2, "id": "page-1"}])
        assert Sample.objects.count() == 2

    def test_bobs_sample_does_not_replace_alices_of_the_same_id(self, alice: User, bob: User, api: Api) -> None:
        for person in (alice, bob):
            assert data(post(api(person.id, "notes"), {"name": "saves", "value": 1, "id": "1"}))["accepted"] == 1
        assert Sample.objects.count() == 2

    def test_a_launch_token_speaks_for_its_own_app(self, alice: User, api: Api) -> None:
        post(api(alice.id, "notes"), {"name": "saves", "value": 1, "labels": {"appId": "tasks"}})
        assert Sample.objects.get().app_id == "notes"

    def test_an_access_token_may_report(self, alice: User, client: DotClient) -> None:
        AccessToken.objects.create(user=alice, name="ci", digest=digest("dot_pat_x"), scopes=["data:read"])
        response = post(client, {"name": "builds", "value": 1}, authorization="Bearer dot_pat_x")
        assert data(response)["accepted"] == 1

    def test_credentials_that_have_expired_do_not_cost_the_sample(self, client: DotClient) -> None:
        assert data(post(client, {"name": "LCP", "value": 1}, authorization="Bearer dot_pat_no"))["accepted"] == 1

    def test_a_missing_partition_is_made(self, client: DotClient) -> None:
        moment = datetime.now(UTC) - timedelta(days=6)
        assert data(post(client, {"name": "LCP", "value": 1, "timestamp": moment.timestamp() * 1000}))["accepted"] == 1
        assert Sample.objects.get().day == moment.date()

    def test_it_takes_one_statement(self, client: DotClient) -> None:
        client.get("/api/health")  # what the process remembers (maintenance) is asked for here
        post(client, {"name": "LCP", "value": 1})
        with CaptureQueriesContext(
            connection,
        ) as queries:
            post(client, [WEB_VITALS_OBJECT, {"name": "FCP", "value": 2}])
        assert len(queries) == 1


@pytest.mark.django_db
class TestPrivacy:
    def test_an_address_becomes_its_route(self, client: DotClient) -> None:
        url = "https://apps.example.com/admin/metrics/sample/?q=secret#top"
        post(client, {"name": "LCP", "value": 1, "url": url})
        assert Sample.objects.get().url == "/admin/metrics/sample/"

    @pytest.mark.parametrize(
        "url", ["/nowhere/alice@example.com", "http://[", "javascript:alert(1)", "//evil.example/a"]
    )
    def test_an_address_that_is_not_ours_is_not_kept(self, client: DotClient, url: str) -> None:
        post(client, {"name": "LCP", "value": 1, "url": url})
        assert Sample.objects.get().url == "(other)"

    def test_the_page_comes_from_referer_where_the_sample_does_not_say(self, client: DotClient) -> None:
        post(client, {"name": "LCP", "value": 1}, referer="http://testserver/admin/login/?next=/x", host="testserver")
        assert Sample.objects.get().url == "/admin/login/"

    def test_a_user_agent_becomes_three_words(self, client: DotClient) -> None:
        post(client, {"name": "LCP", "value": 1}, user_agent=CHROME_ON_ANDROID)
        sample = Sample.objects.get()
        assert (sample.browser, sample.system, sample.device) == ("Chrome", "Android", "mobile")
        assert sample.user_agent == "Chrome · Android · mobile"

    def test_no_address_is_kept_anywhere(self, client: DotClient, settings: LazySettings) -> None:
        settings.RATE_LIMITS_ENABLED = True
        client.post("/api/metrics", '{"name":"LCP","value":1}', content_type="text/plain", REMOTE_ADDR="203.0.113.77")
        with connection.cursor() as cursor:
            cursor.execute("SELECT string_agg(t::text, ' ') FROM platform_metrics t")
            samples = cursor.fetchone()[0]
            cursor.execute("SELECT string_agg(t::text, ' ') FROM metric_budgets t")
            budgets = cursor.fetchone()[0]
        assert budgets
        assert "203.0.113" not in samples + budgets


REFUSED: list[tuple[Any, str]] = [
    ("LCP", "INVALID_SAMPLE"),
    ({"value": 1}, "INVALID_NAME"),
    ({"name": "<script>", "value": 1}, "INVALID_NAME"),
    ({"name": "n" * 121, "value": 1}, "INVALID_NAME"),
    ({"name": "LCP"}, "INVALID_VALUE"),
    ({"name": "LCP", "value": "1"}, "INVALID_VALUE"),
    ({"name": "LCP", "value": True}, "INVALID_VALUE"),
    ({"name": "LCP", "value": -1}, "VALUE_OUT_OF_RANGE"),
    ({"name": "CLS", "value": 101}, "VALUE_OUT_OF_RANGE"),
    ({"name": "custom", "value": 1e300}, "VALUE_OUT_OF_RANGE"),
    ({"name": "x", "value": 1, "labels": []}, "INVALID_LABELS"),
    ({"name": "x", "value": 1, "labels": {"a b": "c"}}, "INVALID_LABELS"),
    ({"name": "x", "value": 1, "labels": {"a": "\0"}}, "INVALID_LABELS"),
    ({"name": "x", "value": 1, "labels": {"a": {"b": 1}}}, "INVALID_LABELS"),
    ({"name": "x", "value": 1, "labels": {"a": "v" * 257}}, "INVALID_LABELS"),
    ({"name": "x", "value": 1, "labels": {f"l{n}": "v" for n in range(21)}}, "TOO_MANY_LABELS"),
    ({"name": "x", "value": 1, "url": "/" * 2049}, "INVALID_URL"),
    ({"name": "x", "value": 1, "id": ""}, "INVALID_ID"),
    ({"name": "x", "value": 1, "id": 7}, "INVALID_ID"),
    ({"name": "x", "value": 1, "rating": "great"}, "INVALID_RATING"),
    ({"name": "x", "value": 1, "rating": []}, "INVALID_RATING"),
    ({"name": "x", "value": 1, "navigationType": "A" * 50}, "INVALID_NAVIGATION_TYPE"),
    ({"name": "x", "value": 1, "delta": "1"}, "INVALID_VALUE"),
    ({"name": "x", "value": 1, "timestamp": "yesterday"}, "INVALID_TIMESTAMP"),
    ({"name": "x", "value": 1, "timestamp": "2026-11-23T10:00:00"}, "INVALID_TIMESTAMP"),
    ({"name": "x", "value": 1, "timestamp": 1e30}, "INVALID_TIMESTAMP"),
    ({"name": "x", "value": 1, "timestamp": 0}, "TIMESTAMP_OUT_OF_RANGE"),
    ({"name": "x", "value": 1, "timestamp": "2099-01-01T00:00:00Z"}, "TIMESTAMP_OUT_OF_RANGE"),
]


@pytest.mark.django_db
class TestRefusing:
    @pytest.mark.parametrize(("sample", "code"), REFUSED)
    def test_what_is_wrong_is_said_and_the_rest_is_kept(self, client: DotClient, sample: Any, code: str) -> None:
        response = post(client, [{"name": "LCP", "value": 1}, sample])
        assert codes(response) == [(1, code)]
        assert data(response)["accepted"] == 1
        refused = data(response)["rejected"][0]
        assert refused["message"]
        assert refused["message_ko"] != refused["message"]
        assert Sample.objects.count() == 1

    def test_a_hundred_and_not_one_more(self, client: DotClient) -> None:
        assert data(post(client, [{"name": "x", "value": 1}] * 100))["accepted"] == 100
        response = post(client, [{"name": "x", "value": 1}] * 101)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")

    @pytest.mark.parametrize(
        ("body", "content_type", "status", "code"),
        [
            ("{", "application/json", 400, "INVALID_JSON"),
            ('{"name":"x","value":NaN}', "text/plain", 400, "INVALID_JSON"),
            ("{}", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
            (" " * 300_000, "application/json", 413, "PAYLOAD_TOO_LARGE"),
        ],
    )
    def test_bodies_that_are_no_samples(
        self, client: DotClient, body: str, content_type: str, status: int, code: str
    ) -> None:
        response = client.post("/api/metrics", body, content_type=content_type)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)

    def test_reading_needs_credentials_and_there_is_nothing_to_read(
        self, client: DotClient, alice: User, api: Api
    ) -> None:
        assert client.get("/api/metrics").status_code == 401
        response = api(alice.id, "notes").get("/api/metrics")
        assert (response.status_code, response.headers["Allow"]) == (405, "OPTIONS, POST")


@pytest.mark.django_db
class TestRateLimit:
    @pytest.fixture(autouse=True)
    def _small_budgets(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.RATE_LIMITS_ENABLED = True
        monkeypatch.setattr(limiter, "PER_ADDRESS", limiter.Budget(burst=3, per_second=0.1))
        monkeypatch.setattr(limiter, "PER_PERSON", limiter.Budget(burst=2, per_second=0.1))

    def statuses(self, client: DotClient, number: int, address: str = "203.0.113.1") -> list[int]:
        body = '{"name":"LCP","value":1}'
        return [
            client.post("/api/metrics", body, content_type="text/plain", REMOTE_ADDR=address).status_code
            for _ in range(number)
        ]

    def test_an_address_that_sends_too_much_waits(self, client: DotClient) -> None:
        assert self.statuses(client, 5) == [202, 202, 202, 429, 429]
        assert Sample.objects.count() == 3
        response = client.post("/api/metrics", "{}", content_type="text/plain", REMOTE_ADDR="203.0.113.1")
        assert response.json()["error"]["code"] == "RATE_LIMITED"
        assert 1 <= int(response.headers["Retry-After"]) <= 10

    def test_ipv4_clients_of_a_socket_for_both_kinds_are_told_apart(self, client: DotClient) -> None:
        self.statuses(client, 4, address="::ffff:203.0.113.1")
        assert self.statuses(client, 1, address="::ffff:203.0.113.1") == [429]
        assert self.statuses(client, 1, address="::ffff:203.0.113.2") == [202]

    def test_another_address_does_not_wait(self, client: DotClient) -> None:
        self.statuses(client, 4)
        assert self.statuses(client, 1, "203.0.113.2") == [202]

    def test_a_household_with_ipv6_is_one(self, client: DotClient) -> None:
        assert self.statuses(client, 3, "2001:db8::1") == [202] * 3
        assert self.statuses(client, 1, "2001:db8::ffff:2") == [429]

    def test_a_person_has_a_budget_of_their_own(self, alice: User, bob: User, api: Api) -> None:
        assert self.statuses(api(alice.id, "notes"), 3) == [202, 202, 429]
        assert self.statuses(api(bob.id, "notes"), 1) == [202]  # and the refused request cost the address nothing
        assert self.statuses(api(bob.id, "notes"), 1) == [429]  # now the address they share is used up

    def test_time_fills_the_budget(self, client: DotClient) -> None:
        self.statuses(client, 4)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE metric_budgets SET spent_until = spent_until - interval '10 seconds'")
        assert self.statuses(client, 2) == [202, 429]


@pytest.mark.django_db(transaction=True)
class TestTogether:
    def test_the_limit_holds_across_connections(self, settings: LazySettings, monkeypatch: pytest.MonkeyPatch) -> None:
        settings.RATE_LIMITS_ENABLED = True
        monkeypatch.setattr(limiter, "PER_ADDRESS", limiter.Budget(burst=10, per_second=0.01))
        statuses: list[int] = []

        def browse() -> None:
            statuses.extend(post(DotClient(), {"name": "LCP", "value": 1}).status_code for _ in range(8))
            connection.close()

        threads = [threading.Thread(target=browse) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [202] * 10 + [429] * 22

    def test_old_partitions_go_and_coming_ones_are_there(self, client: DotClient) -> None:
        today = datetime.now(UTC).date()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT metrics_make_partition(%s), metrics_make_partition(%s)",
                [today - timedelta(days=31), today - timedelta(days=30)],
            )
        partitions.make_partitions_ahead()
        dropped = partitions.drop_old_partitions()
        assert dropped == [f"platform_metrics_{today - timedelta(days=31):%Y%m%d}"]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_regclass(%s) IS NOT NULL", [f"platform_metrics_{today + timedelta(days=3):%Y%m%d}"]
            )
            assert cursor.fetchone() == (True,)
        assert partitions.drop_old_partitions() == []
