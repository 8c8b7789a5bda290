"""``python -m tests.bench.metrics_growth [--metrics 1..7]``: dashboards over what 100 million samples leave behind.

One day of 250,000 samples is written as raw samples and rolled up minute by minute, as the worker does. Of 2,000,000
more, eight days', the platform's own code makes the block of 8 days. These rollups are then put down again for each day
and each block of the 400 days before, with releases of their own; raw samples for the last 24 days, and minutes and
hours at every level for the last 8 (of earlier hours those of the whole and of each app: nothing here reads others).

With ``--metrics 1`` only LCP's seventh of it all is written, which is all that a question about LCP reads. Takes some
minutes of CPU a metric the first time, in ``DOT_VAR/bench/growth``; later runs only measure.
"""

from __future__ import annotations

import argparse
import os
import resource
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from urllib.parse import quote

import psycopg

HOME = Path(__file__).resolve().parents[2]
FOLDER = Path(os.environ.get("DOT_VAR") or HOME / "var").resolve() / "bench" / "growth"
DAYS, PERIOD, A_DAY = 400, 8, 250_000
RAW_DAYS, FULL_DAYS = 24, 8  # with raw samples; with minutes, and hours at every level
ROUNDS = 9

# 30 apps of four routes each and 36 pages of the platform's own, the first far more visited than the last; three
# devices; a release every 8 days. Values are log-normal, slower on phones.
SAMPLES = """(
        SELECT
            dice.*,
            (ARRAY['LCP', 'INP', 'FCP', 'TTFB', 'app-load-time', 'CLS', 'app-error'])
                [1 + number %% %(metrics)s] AS name,
            CASE WHEN here < 0.6 THEN 'app-' || floor(30 * which ^ 2) ELSE '' END AS app_id,
            CASE WHEN here < 0.6 THEN '1.0.0' ELSE '' END AS release,
            CASE WHEN here < 0.6 THEN '/apps/{app_id}/' || floor(4 * here / 0.6)
                ELSE '/page-' || floor(36 * which ^ 2) END AS url,
            CASE WHEN held < 0.5 THEN 'mobile' WHEN held < 0.9 THEN 'desktop' ELSE 'tablet' END AS device,
            CASE number %% %(metrics)s WHEN 5 THEN 0.02 ELSE 900 END
                * exp(0.6 * gauss + CASE WHEN held < 0.5 THEN 0.4 ELSE 0 END) AS value
        FROM (
            SELECT number, random() AS here, random() AS which, random() AS held, random_normal() AS gauss
            FROM generate_series(1, %(number)s) AS number
        ) AS dice
    ) AS made"""
A_DAYS_SAMPLES = f"""
    INSERT INTO platform_metrics
    SELECT
        gen_random_uuid(), %(day)s, name, value, '{{}}', %(day)s::timestamptz + 86400 * random() * interval '1 second',
        'Chrome · Windows · ' || device, url,
        CASE WHEN value < 1200 THEN 'good' WHEN value < 2500 THEN 'needs-improvement' ELSE 'poor' END,
        'navigate', device, 'Chrome', 'Windows', app_id, release
    FROM {SAMPLES}
"""
# As if they had all come in the block's first minute.
A_BLOCKS_CHANGES = f"""
    SELECT metrics_spread(array_agg(
        ROW(%(start)s::timestamptz, name, app_id, release, url, device, key, n, total, lowest, highest,
            n / 2, n / 4, n / 4)::metric_change
    ))
    FROM (
        SELECT
            name, app_id, release, url, device, metrics_bucket(value) AS key, count(*) AS n, sum(value) AS total,
            min(value) AS lowest, max(value) AS highest
        FROM {SAMPLES} GROUP BY 1, 2, 3, 4, 5, 6
    ) AS cells
"""
# Rollups once more, so much earlier. A release is one period's.
EARLIER = """
    INSERT INTO metric_rollups
    SELECT
        seconds, start - %(shift)s, name, app_id,
        CASE release WHEN '1.0.0' THEN %(release)s ELSE release END,
        route, device, count, total, lowest, highest, good, fair, poor, keys, counts, marks
    FROM metric_rollups
    WHERE start >= %(since)s AND start < %(until)s AND seconds = ANY (%(tiers)s)
        AND (%(is_full)s OR release = '*' AND route = '*' AND device = '*')
"""
# 64 days are made of their blocks of 8, which are all alike but for their releases.
LONGEST = """
    INSERT INTO metric_rollups
    SELECT
        5529600, block, name, app_id, release, route, device, count, total, lowest, highest, good, fair, poor, keys,
        (SELECT array_agg(one * blocks ORDER BY place) FROM unnest(counts) WITH ORDINALITY AS cell(one, place)), marks
    FROM (
        SELECT
            date_bin('5529600 s', start, 'epoch') AS block, name, app_id, release, route, device, count(*) AS blocks,
            sum(count) AS count, sum(total) AS total, min(lowest) AS lowest, max(highest) AS highest,
            sum(good) AS good, sum(fair) AS fair, sum(poor) AS poor,
            min(keys) AS keys, min(counts) AS counts, min(marks) AS marks
        FROM metric_rollups WHERE seconds = 691200
        GROUP BY block, name, app_id, release, route, device
    ) AS eights
"""
QUESTIONS: list[tuple[str, dict[str, str], str | None]] = [
    ("whole", {}, None),
    ("one app", {"app_id": "app-3"}, None),
    ("by app", {}, "app_id"),
    ("by route", {}, "route"),
    ("by device", {}, "device"),
    ("by release of one app", {"app_id": "app-3"}, "release"),
    ("by release of all", {}, "release"),
    ("by route on phones", {"device": "mobile"}, "route"),
    ("by app, route, phones", {"device": "mobile", "route": "/apps/{app_id}/1"}, "app_id"),
]


def main() -> None:
    """Fill where that was not done, then measure and print a table in Markdown."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--metrics", type=int, default=7, choices=range(1, 8))
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dotplatform.settings")
    os.environ |= {"DOT_VAR": str(FOLDER), "DOT_ENV": "staging", "SECRET_KEY": secrets.token_urlsafe(48)}
    os.environ |= {"ALLOWED_HOSTS": "127.0.0.1", "LOG_LEVEL": "WARNING"}
    from dotplatform.database.embedded import DATABASE, ROLE, EmbeddedServer

    server = EmbeddedServer(FOLDER / "postgres")
    if not server.acquire():
        sys.exit(f"{FOLDER} is in use by process {server.owner()}.")
    server.start()
    try:
        os.environ["DATABASE_URL"] = f"postgres://{ROLE}@{quote(str(server.socket_folder), safe='')}/{DATABASE}"
        import django

        django.setup(set_prefix=False)
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            if not connection.execute("SELECT to_regclass('growth_is_filled')").fetchone()[0]:  # type: ignore[index]
                fill(connection, options.metrics)
            describe(connection)
            measure(connection)
    finally:
        server.stop()


def fill(connection: psycopg.Connection, metrics: int) -> None:
    """The whole history of so many of the seven metrics."""
    a_day = A_DAY * metrics // 7
    block = timedelta(days=PERIOD)
    until = datetime.fromtimestamp(time.time() // block.total_seconds() * block.total_seconds(), UTC)
    since, last = until - block, until - timedelta(days=1)
    connection.execute("TRUNCATE platform_metrics, metric_rollups, metric_dirty_minutes, metric_unwatched_minutes")
    say("a block of 8 days")
    connection.execute(A_BLOCKS_CHANGES, {"start": since, "number": PERIOD * a_day, "metrics": metrics})
    connection.execute("DELETE FROM metric_rollups WHERE seconds <> 691200")
    say("a day")
    fill_day(connection, last, a_day, metrics)
    connection.execute("DELETE FROM metric_rollups WHERE seconds = 5529600")
    connection.execute(
        "SELECT metrics_make_rollup_partition(month)"
        " FROM generate_series(date_trunc('month', %s - interval '480 days', 'UTC'), %s, '1 month') AS month",
        [since, since],
    )
    for days in range(1, DAYS):
        if days % 40 == 0:
            say(f"day {days} of {DAYS}")
        copy_rollups(connection, until, days)
    say("raw samples")
    for days in range(1, RAW_DAYS):
        copy_samples(connection, last.date(), timedelta(days=days))
    connection.execute(LONGEST)
    connection.execute("CREATE TABLE growth_is_filled ()")
    say("VACUUM ANALYZE")
    connection.execute("VACUUM ANALYZE")


def fill_day(connection: psycopg.Connection, day: datetime, samples: int, metrics: int) -> None:
    """One day's raw samples, rolled up minute by minute."""
    from metrics import rollups

    connection.execute("SELECT metrics_make_partition(%s::date)", [day.date()])
    connection.execute(A_DAYS_SAMPLES, {"day": day.date(), "number": samples, "metrics": metrics})
    connection.execute("ANALYZE platform_metrics")
    connection.execute(
        "INSERT INTO metric_dirty_minutes SELECT generate_series(%s::timestamptz, %s, '1 minute')",
        [day, day + timedelta(days=1, minutes=-1)],
    )
    start = time.perf_counter()
    minutes = rollups.roll_up()
    say(f"rolled up {minutes} minutes, {samples:,} samples, in {time.perf_counter() - start:.0f} s")


def copy_rollups(connection: psycopg.Connection, until: datetime, days: int) -> None:
    """The last day's rollups, so many days earlier; and the last block's, where a block begins there."""
    period, in_block = divmod(days, PERIOD)
    copy = {
        "shift": timedelta(days=days), "release": f"0.{DAYS // PERIOD - period}.0", "until": until,
        "since": until - timedelta(days=1), "is_full": True,
    }  # fmt: skip
    connection.execute(EARLIER, {**copy, "tiers": [86400]})
    is_full = days < FULL_DAYS
    connection.execute(EARLIER, {**copy, "tiers": [60, 3600] if is_full else [3600], "is_full": is_full})
    if not in_block:
        connection.execute(EARLIER, {**copy, "tiers": [691200], "since": until - timedelta(days=PERIOD)})


def copy_samples(connection: psycopg.Connection, day: date, shift: timedelta) -> None:
    """The day's raw samples, so much earlier."""
    connection.execute("SELECT metrics_make_partition(%s)", [day - shift])
    connection.execute(
        'INSERT INTO platform_metrics SELECT gen_random_uuid(), %s, name, value, labels, "timestamp" - %s,'
        " user_agent, url, rating, navigation_type, device, browser, system, app_id, release"
        " FROM platform_metrics WHERE day = %s",
        [day - shift, shift, day],
    )


def describe(connection: psycopg.Connection) -> None:
    """Row counts and sizes."""
    print("\n| seconds | rows | buckets in one | rows of the finest level |\n|---|---|---|---|")
    for seconds, rows, cells, finest in connection.execute(
        "SELECT seconds, count(*), avg(cardinality(keys)), count(*) FILTER (WHERE device <> '*' AND route <> '*'"
        " AND release <> '*') FROM metric_rollups GROUP BY 1 ORDER BY 1"
    ):
        print(f"| {seconds:,} | {rows:,} | {cells:.1f} | {finest:,} |")
    for table in ("platform_metrics", "metric_rollups"):
        size = connection.execute(
            "SELECT pg_size_pretty(sum(pg_total_relation_size(inhrelid))) FROM pg_inherits"
            " WHERE inhparent = %s::regclass", [table]
        ).fetchone()  # fmt: skip
        print(f"{table}: {size[0] if size else '?'}")
    whole = "seconds = 86400 AND app_id = '*' AND route = '*' AND device = '*'"
    for label, text in (
        ("raw samples", "SELECT count(*) FROM platform_metrics"),
        ("samples in rollups", f"SELECT sum(count) FROM metric_rollups WHERE {whole}"),
    ):
        print(f"{label}: {connection.execute(text).fetchone()[0]:,}")  # type: ignore[index]


def measure(connection: psycopg.Connection) -> None:
    """Wall time as the platform sees it, and CPU of database process and Python together; medians."""
    from django.db import connection as ours

    from metrics import percentiles
    from metrics.percentiles import Bucket, Question

    ours.ensure_connection()
    pid = ours.connection.info.backend_pid
    now = datetime.now(UTC)
    print("\n| range | question | parts | wall | CPU |\n|---|---|---|---|---|")
    for days in (400, 90, 7):
        bucket: Bucket = percentiles.bucket_for(timedelta(days=days))
        for label, filters, dimension in QUESTIONS:
            question = Question("LCP", now - timedelta(days=days), now, bucket, filters)
            ask = partial(percentiles.by, question, dimension) if dimension else partial(percentiles.total, question)
            report(f"{days} d | {label}", pid, ask)
        question = Question("LCP", now - timedelta(days=days), now, bucket, {})
        report(f"{days} d | line of {bucket}s", pid, partial(percentiles.over_time, question))
    hours = Question("LCP", now - timedelta(days=400), now, "hour", {})
    report("400 d | line of hours", pid, partial(percentiles.over_time, hours))
    for label, filters in (("line of minutes", {}), ("line of minutes, one app", {"app_id": "app-3"})):
        minutes = Question("LCP", now - timedelta(days=11), now - timedelta(days=4), "minute", filters)
        report(f"7 d | {label}", pid, partial(percentiles.over_time, minutes))


def report(label: str, pid: int, ask: Callable[[], object]) -> None:
    """One line of the table."""
    ask()
    walls, cpus, parts = [], [], 0
    for _ in range(ROUNDS):
        cpu, wall = cpu_s(pid), time.perf_counter()
        answers = ask()
        parts = len(answers) if isinstance(answers, list) else 1
        walls.append(time.perf_counter() - wall)
        cpus.append(cpu_s(pid) - cpu)
    print(f"| {label} | {parts:,} | {median(walls) * 1000:.0f} ms | {median(cpus) * 1000:.0f} ms |", flush=True)


def cpu_s(pid: int) -> float:
    """Seconds of CPU that the database's process and this one have used."""
    nanoseconds = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    used = resource.getrusage(resource.RUSAGE_SELF)
    return nanoseconds / 1e9 + used.ru_utime + used.ru_stime


def say(text: str) -> None:
    """What is going on."""
    print(f"{datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
