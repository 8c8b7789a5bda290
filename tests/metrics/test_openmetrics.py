"""GET /api/metrics/openmetrics: what Prometheus reads."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from typing import Any

import pytest
from django.db import connection, transaction
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from dotplatform.accounts.models import AccessToken, User
from dotplatform.api.authentication import digest
from metrics import requests, rollups
from metrics.alerts.evaluation import evaluate
from metrics.models import Channel
from tests.conftest import DotClient
from tests.metrics.conftest import Record


@pytest.fixture
def prometheus(alice: User) -> DotClient:
    AccessToken.objects.create(user=alice, digest=digest("dot_pat_p"), scopes=["metrics:read"])
    return DotClient(headers={"authorization": "Bearer dot_pat_p"})


@pytest.fixture(autouse=True)
def _from_nothing() -> None:
    requests._counted.clear()


def scrape(client: DotClient) -> str:
    response = client.get("/api/metrics/openmetrics")
    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    return response.content.decode()


@pytest.mark.django_db
class TestOpenMetrics:
    def test_requests_are_counted_by_route(self, prometheus: DotClient, client: DotClient) -> None:
        for _ in range(3):
            client.get("/api/health/live")
        client.get("/apps/nowhere")
        client.get("/api/nothing-of-ours")
        text = scrape(prometheus)
        name = "dot_http_request_duration_seconds"
        assert f'{name}_count{{method="GET",route="/api/health/live",status="200"}} 3' in text
        assert f'{name}_bucket{{method="GET",route="/api/health/live",status="200",le="+Inf"}} 3' in text
        assert f'{name}_count{{method="GET",route="/apps/{{app_id}}",status="404"}} 1' in text
        assert "nowhere" not in text
        assert "nothing-of-ours" not in text
        client.get("/api/health/live")
        assert f'{name}_count{{method="GET",route="/api/health/live",status="200"}} 4' in scrape(prometheus)

    def test_alerts_lag_and_measurements(self, prometheus: DotClient, record: Record) -> None:
        record("app-load-time", [5000.0], appId="notes")
        assert re.search(r"^dot_rollup_lag_seconds \d", scrape(prometheus), re.MULTILINE)
        evaluate()
        text = scrape(prometheus)
        assert 'dot_alerts_unresolved{severity="warning",status="open"} 1.0' in text
        assert 'dot_measured_p75{name="app-load-time"} 5000.0' in text
        assert rollups.lag_s() == 0

    def test_it_ends_as_the_format_says(self, prometheus: DotClient) -> None:
        assert scrape(prometheus).endswith("\n# EOF\n")

    @pytest.fixture
    def told(self, prometheus: DotClient, client: DotClient, record: Record) -> str:
        """What is exposed where there is something of everything, with names that need escaping."""
        client.get("/api/health/live")
        record("LCP", [500.0])
        record("app-load-time", [5000.0], appId="notes")
        Channel.objects.create(name='a "quoted"\\ name', kind="webhook", target="https://hook.example.com/")
        evaluate()
        return scrape(prometheus)

    def test_a_strict_reader_of_openmetrics_understands_it(self, told: str) -> None:
        families = {family.name: family for family in text_string_to_metric_families(told)}  # type: ignore[no-untyped-call]
        assert families["dot_http_request_duration_seconds"].type == "histogram"
        assert all(family.type in {"gauge", "histogram"} and family.documentation for family in families.values())
        names = {sample.labels["channel"] for sample in families["dot_alert_channel_failures"].samples}
        assert any(name.endswith('a "quoted"\\ name') for name in names)

    @pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian package prometheus) is not here")
    def test_promtool_has_nothing_to_say(self, told: str) -> None:
        checked = subprocess.run(
            ["promtool", "check", "metrics"], input=told, capture_output=True, text=True, timeout=30
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")

    def test_only_with_the_scope_and_for_all_apps(self, alice: User, client: DotClient) -> None:
        assert client.get("/api/metrics/openmetrics").status_code == 401
        for number, (scopes, app_ids) in enumerate(((["apps:read"], None), (["metrics:read"], ["notes"]))):
            token = f"dot_pat_{number}"
            AccessToken.objects.create(user=alice, digest=digest(token), scopes=scopes, app_ids=app_ids)
            response = client.get("/api/metrics/openmetrics", headers={"authorization": f"Bearer {token}"})
            assert response.status_code == 403


@pytest.mark.django_db
def test_counts_are_kept_where_they_cannot_be_written(client: DotClient) -> None:
    client.get("/api/health/live")
    with transaction.atomic():
        transaction.set_rollback(True)
        requests.flush()
    assert sum(sum(cells[:-1]) for cells in requests._counted.values()) == 1


@pytest.mark.django_db(transaction=True)
def test_what_a_process_has_counted_is_added_up_apart_from_its_requests(
    client: DotClient, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    client.get("/api/health/live")
    requests.flush()
    monkeypatch.setattr(requests, "_flush_due", 0.0)
    with django_assert_num_queries(0):
        client.get("/api/health/live")
    for thread in threading.enumerate():
        if thread.name == "request counts":
            thread.join(10)
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(n) FROM metric_requests, unnest(buckets) AS n")
        assert cursor.fetchone() == (2,)
    assert not requests._counted
