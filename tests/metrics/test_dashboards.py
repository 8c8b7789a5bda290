"""Dashboards: the right numbers, a table behind every chart, a link per view, nothing that the CSP forbids."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from apps_registry.models import App, Release
from apps_registry.services import activate
from dotplatform.accounts.models import User
from metrics import badges, rollups
from metrics.dashboards.charts import line_chart, scale, time_ticks
from tests.conftest import DotClient
from tests.metrics.conftest import Record

URL = "/admin/metrics/dashboard/"
NOW = datetime.now(UTC)


@pytest.fixture
def console(operator: User) -> DotClient:
    client = DotClient(headers={"accept-language": "en"})
    client.force_login(operator)
    return client


def page(client: DotClient, **query: str) -> str:
    response = client.get(URL, query)
    assert response.status_code == 200
    text = response.content.decode()
    assert " style=" not in text
    assert not re.search(r"<script(?![^>]*(src|application/json))", text)
    return text


@pytest.mark.django_db
class TestDashboards:
    def test_vitals_stand_against_googles_thresholds(self, console: DotClient, record: Record) -> None:
        record("LCP", [4500.0] * 3 + [3000.0, 1000.0])
        text = page(console)
        assert re.search(r'<span class="poor">4,[45]\d\d ms</span>', text)
        assert "good 1</span>" in text
        assert "needs improvement 1</span>" in text
        assert "poor 3</span>" in text
        assert text.count('class="threshold ') >= 6
        assert text.count("<details>") == text.count('role="img"') == 5

    def test_the_period_before_is_drawn_and_compared(self, console: DotClient, record: Record) -> None:
        record("LCP", [2000.0] * 5, at=NOW - timedelta(hours=30))
        record("LCP", [1000.0] * 5, at=NOW - timedelta(hours=1))
        assert '<span class="better">-50 %</span>' in page(console, page="vitals")

    def test_an_app_has_a_line_where_a_release_was_activated(self, console: DotClient, record: Record) -> None:
        app = App.objects.create(app_id="notes", name="Notes")
        release = Release.objects.create(
            app=app, version="1.2.0", code=2, sha256="0" * 64, manifest={"name": "Notes"}, bytes=1, files=1
        )
        activate(app, release)
        record("app-load-time", [500.0], appId="notes", release="1.2.0")
        text = page(console, page="loads", app_id="notes", range="7d")
        assert re.search(r'<text class="marker[^>]*>1\.2\.0</text>', text)
        assert '<th scope="row">1.2.0</th>' in text
        assert "1.2.0</text>" not in page(console, page="loads")

    def test_slowest_apps_first_each_with_its_link(self, console: DotClient, record: Record) -> None:
        record("app-load-time", [100.0], appId="notes")
        record("app-load-time", [5000.0], appId="tasks")
        text = page(console, page="loads")
        assert text.index("app_id=tasks") < text.index("app_id=notes")

    def test_traffic_counts_views_and_openings(self, console: DotClient, record: Record) -> None:
        record("TTFB", [100.0] * 1234)
        record("app-load-time", [100.0] * 7, appId="notes")
        text = page(console, page="traffic")
        assert "1,234 <span" in text
        assert re.findall(r'<path class="line now" d="([^"]+)"', text)[0].count("M") == 1, "hours without any are zeros"
        assert "7 <span" in text

    def test_the_same_errors_stand_together(self, console: DotClient, record: Record) -> None:
        for line in (3, 14):
            record(
                "app-error", [1.0], appId="notes", message=f"No item {line}", stack=f"Error: x\n at f (app.js:{line}:1)"
            )
        record("app-error", [1.0], appId="notes", message="<b>Other</b>")
        text = page(console, page="errors")
        assert '<td class="number">2</td>' in text
        assert "&lt;b&gt;Other" in text
        assert "<b>Other" not in text

    def test_an_apps_own_page_has_its_errors_and_its_dashboards(self, console: DotClient, record: Record) -> None:
        app = App.objects.create(app_id="notes", name="Notes", manifest={"name": "Notes"})
        for line in (3, 14):
            record("app-error", [1.0], appId="notes", message=f"No item {line}", stack="Error: x\n at f (app.js:3:1)")
        record("app-error", [1.0], appId="tasks", message="Nobody's business")
        text = console.get(f"/admin/apps_registry/app/{app.pk}/change/").content.decode()
        assert "No item" in text
        assert "at f (app.js:3:1)" in text
        assert '<td class="number">2</td>' in text
        assert "Nobody's business" not in text
        assert "?page=errors&amp;range=30d&amp;app_id=notes" in text

    def test_nothing_measured_is_said(self, console: DotClient) -> None:
        for name in ("vitals", "loads", "traffic", "errors"):
            page(console, page=name, range="400d")
        assert "Nothing was measured" in page(console)

    def test_nonsense_in_a_link_shows_the_default(self, console: DotClient) -> None:
        assert "24 hours" in page(console, page="x", range="y", app_id="' OR 1=1 --")

    def test_operators_only(self, client: DotClient, bob: User) -> None:
        client.force_login(bob)
        assert client.get(URL).status_code in {302, 403}


@pytest.mark.django_db
class TestBadge:
    @pytest.fixture(autouse=True)
    def _forget(self) -> None:
        badges.forget()

    def test_honest_from_five_samples_on(self, record: Record) -> None:
        record("app-load-time", [800.0] * 4, appId="notes")
        rollups.roll_up()
        assert badges.load_time_p75_ms("notes") is None
        badges.forget()
        record("app-load-time", [800.0], appId="notes")
        rollups.roll_up()
        assert badges.load_time_p75_ms("notes") == 800

    def test_people_see_it_on_the_apps_page(self, client: DotClient, record: Record) -> None:
        app = App.objects.create(app_id="notes", name="Notes")
        app.active_release = Release.objects.create(
            app=app, version="1.0.0", code=1, sha256="0" * 64, manifest={"name": "Notes"}, bytes=1, files=1
        )
        app.manifest = {"name": "Notes"}
        app.save()
        record("app-load-time", [800.0] * 5, appId="notes")
        rollups.roll_up()
        assert "opens in 0.8 s" in client.get("/apps/notes", headers={"accept-language": "en"}).content.decode()


@pytest.mark.parametrize("highest", [0.003, 0.27, 7, 99, 1000, 4320, 123_456])
def test_an_axis_has_round_values_and_room(highest: float) -> None:
    top, ticks = scale(highest)
    assert top >= highest
    assert 3 <= len(ticks) <= 6
    assert ticks[-1] == pytest.approx(top)


@pytest.mark.parametrize(
    ("span", "texts"),
    [
        (timedelta(hours=3), ["08:00", "08:30", "09:00", "09:30", "10:00", "10:30"]),
        (timedelta(hours=24), ["12:00", "16:00", "20:00", "00:00", "04:00", "08:00"]),
        (timedelta(days=7), ["11-17", "11-18", "11-19", "11-20", "11-21", "11-22", "11-23"]),
        (timedelta(days=30), ["10-29", "11-03", "11-08", "11-13", "11-18"]),
        (timedelta(days=90), ["09-08", "09-22", "10-06", "10-20", "11-03", "11-17"]),
        (timedelta(days=400), ["2026-01", "2026-04", "2026-07", "2026-10"]),
    ],
)
def test_the_axis_of_time_has_round_moments_of_the_day_where_people_are(span: timedelta, texts: list[str]) -> None:
    until = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)  # 10:40 in Seoul
    ticks = time_ticks(until - span, until)
    assert [text for _, text in ticks] == texts
    assert all(
        until - span < moment < until and (moment.minute, moment.second) in {(0, 0), (30, 0)} for moment, _ in ticks
    )


def test_a_single_value_among_many_is_seen() -> None:
    minutes = [*range(70), 90]
    points = [(NOW + timedelta(minutes=minute), 1.0) for minute in minutes]
    chart = line_chart(
        "x",
        unit="",
        series={("now", "x"): points},
        since=NOW,
        until=NOW + timedelta(hours=3),
        step=timedelta(minutes=1),
    )
    assert len(chart.lines[0].dots) == 1
    assert chart.lines[0].path.count("M") == 2
