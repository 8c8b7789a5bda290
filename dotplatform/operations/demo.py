"""What `seed_demo` sets up: the sample apps, three people with data of their own, and a day of metrics.

Every step looks first at what is there, so that it may run again and again; what people did meanwhile stays.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.db import transaction

from appdata.services import Place, put_entry
from apps_registry.models import Installation, Release
from apps_registry.publishing import publish_release
from apps_registry.services import install
from dotplatform.accounts.models import User
from dotplatform.database.doors import as_person
from dotplatform.operations.demo_entries import alices_entries, bobs_entries
from metrics.models import Sample
from metrics.reduction import agent_of
from metrics.samples import Sender, read_sample
from metrics.services import store_samples

SAMPLES = settings.BASE_DIR / "apps_registry" / "samples"
PASSWORD = "dot-demo-2026"  # noqa: S105  (only ever set in development)
EMAILS = OPERATOR, ALICE, BOB = ("operator@example.com", "alice@example.com", "bob@example.com")


@dataclass(frozen=True)
class DemoPerson:
    """Somebody to sign in as."""

    email: str
    name: str
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)  # app → key → value; what they have installed


def demo_people(now: datetime) -> list[DemoPerson]:
    """Alice writes English, Bob Korean; the operator looks after the platform and has nothing installed."""
    return [
        DemoPerson(OPERATOR, "Operator"),
        DemoPerson(ALICE, "Alice", alices_entries(now)),
        DemoPerson(BOB, "Bob", bobs_entries(now)),
    ]


def create_person(person: DemoPerson) -> User:
    """The account, its address verified; one that is there keeps its password."""
    existing = User.objects.filter(email=person.email).first()
    if existing:
        return existing
    create = User.objects.create_superuser if person.email == OPERATOR else User.objects.create_user
    return create(person.email, PASSWORD, name=person.name)


def publish_samples(owner: User) -> list[Release]:
    """Publish those sample apps of which this version, or a later one, is not there yet."""
    published = dict(
        Release.objects.order_by("code").values_list("app__app_id", "code")
    )  # of each app the last one wins
    return [
        publish_release(folder, owner, app_id=folder.name)
        for folder in sorted(SAMPLES.iterdir())
        if _version_code(folder) > published.get(folder.name, 0)
    ]


def _version_code(folder: Path) -> int:
    return int(orjson.loads((folder / "manifest.json").read_bytes())["version"]["code"])


def install_apps(person: DemoPerson, user: User) -> None:
    """Install the person's apps and write their entries, in one go each; an app they ever had is left as it is."""
    with as_person(user.id):
        had = set(Installation.objects.filter(user=user).values_list("app_id", flat=True))
    for app_id in person.entries.keys() - had:
        with transaction.atomic():
            install(user.id, app_id)
            for key, value in person.entries[app_id].items():
                put_entry(Place(user.id, app_id), key, orjson.dumps(value))


# Metrics: what a small team's day looks like from outside.

_PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile/15E Safari/604.1"
_LAPTOP = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
_DESKTOP = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0"
_SENDERS = {agent: Sender(agent_of(agent)) for agent in (_PHONE, _LAPTOP, _DESKTOP)}
_PAGES = ("/", "/apps", "/apps/notes", "/account")
_LOAD_TIME_MS = {"notes": 320, "tasks": 260, "habits": 480, "timer": 300, "converter": 210}
_VITALS = {"LCP": 1100.0, "FCP": 700.0, "TTFB": 180.0, "INP": 70.0, "CLS": 0.02}  # medians
_BY_HOUR = [1, 1, 1, 1, 1, 1, 2, 4, 9, 14, 12, 10, 7, 12, 13, 11, 10, 9, 6, 4, 3, 3, 2, 1]  # visits, Korean time


# message, and where it was thrown: what an app in an afternoon gets wrong
_ERRORS = {
    "habits": ("TypeError: Cannot read properties of undefined (reading 'days')", "at render (app.js:88:21)"),
    "converter": ("RangeError: maximumFractionDigits value is out of range.", "at format (app.js:41:14)"),
}


def store_a_day_of_metrics(now: datetime) -> bool:
    """Vitals, load times and errors of the last 24 hours, and of the day before, which was a slower one.

    Nothing where there are samples from before the last hours already.
    """
    if Sample.objects.filter(timestamp__lt=now - timedelta(hours=3)).exists():
        return False
    dice = random.Random(2026)  # noqa: S311  (the same days every time)
    store_samples(read_sample(given, _SENDERS[agent]) for agent, given in _two_days_of_samples(now, dice))
    return True


def _two_days_of_samples(now: datetime, dice: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """The user agent and the sample as a browser would send it."""
    for hours_ago in range(48):
        hour = now - timedelta(hours=hours_ago + 1)
        for _visit in range(_BY_HOUR[(hour.astimezone(UTC).hour + 9) % 24]):
            agent = dice.choice(list(_SENDERS))
            slowness = dice.lognormvariate(0.0, 0.35) * (1.6 if agent == _PHONE else 1.0)
            slowness *= 1.2 if hours_ago >= 24 else 1.0
            moment = (hour + timedelta(seconds=dice.uniform(0, 3600))).isoformat()
            for given in _a_visit(dice, slowness):
                yield agent, {**given, "timestamp": moment}


def _a_visit(dice: random.Random, slowness: float) -> Iterator[dict[str, Any]]:
    """A page, then an app, in which now and then something goes wrong."""
    page = dice.choice(_PAGES)
    for name, median in _VITALS.items():
        yield {"name": name, "value": median * slowness * dice.lognormvariate(0.0, 0.2), "url": page}
    app_id = dice.choice(list(_LOAD_TIME_MS))
    labels = {"appId": app_id, "release": "1.0.0"}
    url = f"/apps/{app_id}/open"
    value = _LOAD_TIME_MS[app_id] * slowness * dice.lognormvariate(0.0, 0.3)
    yield {"name": "app-load-time", "value": value, "url": url, "labels": labels}
    if app_id in _ERRORS and dice.random() < 0.2:
        message, frame = _ERRORS[app_id]
        labels |= {"kind": "error", "message": message, "stack": f"{message}\n    {frame}"}
        yield {"name": "app-error", "value": 1, "url": url, "labels": labels}
