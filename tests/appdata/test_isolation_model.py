"""Any order of anybody's requests, with any credential, against the model of who may see what.

Real requests through the real handlers, each in transactions of its own, as the platform's ordinary role. After every
write the database holds exactly what the model says, for everybody. A quick look by default; for a long one, with other
examples each time: ``DOT_ISOLATION_EXAMPLES=2000 .venv/bin/python -m pytest -s tests/appdata/test_isolation_model.py``.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, Phase, given, note, settings as hypothesis_settings, strategies as st

from appdata.models import Entry, Tombstone
from apps_registry.models import App, Installation, Release
from apps_registry.services import grant_permissions, install, uninstall
from dotplatform.accounts.models import AccessToken, User
from dotplatform.accounts.services import issue_access_token, revoke_access_token
from dotplatform.api import authentication
from dotplatform.api.authentication import forget_access_token, issue_launch_token
from dotplatform.database.doors import as_operator
from tests.appdata import isolation_model as model
from tests.appdata.isolation_model import DELETE, READ, WRITE, Model, Place, Refused, Token
from tests.conftest import DotClient

EXAMPLES = int(os.environ.get("DOT_ISOLATION_EXAMPLES", "0"))
PEOPLE = ("alice", "bob", "charlie")
APPS = ("notes", "tasks", "habits")
KEYS = ("a", "b", "a/b", "한글")
ALL_SCOPES = frozenset({READ, WRITE, DELETE})
MARK = re.compile(rb"of (\w+) in (\w+)")  # every value written names its place


@dataclass(frozen=True)
class Wish:
    """For a credential: *person*'s for *app*."""

    person: str
    app: str
    kind: str  # launch, access, limited (to the app and *also*), expired, forged, none
    scopes: frozenset[str]
    also: str


@dataclass
class Bearer:
    """Somebody with a credential: what is sent, and what that is good for."""

    app: str
    header: str | None = None
    token: Token | None = None  # None: good for nothing
    record: AccessToken | None = None


@dataclass(frozen=True)
class Ask:
    """A request of *bearer*, in the app that its credential is about or in another."""

    bearer: int
    app: str | None
    operation: model.Operation

    def do(self, world: World) -> None:
        bearer = world.bearers[self.bearer]
        world.ask(bearer, self.app or bearer.app, self.operation)
        if self.operation.scopes != {READ}:
            world.compare()


@dataclass(frozen=True)
class Event:
    """Something that happens beside requests: a method of ``World``, and what it is about."""

    name: str
    arguments: tuple[Any, ...]

    def do(self, world: World) -> None:
        getattr(world, self.name)(*self.arguments)


def mostly(usual: st.SearchStrategy[Any], times: int, *others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """*usual*, *times* as often as each of *others*."""
    return st.sampled_from([usual] * times + list(others)).flatmap(lambda chosen: chosen)


BEARERS = 6
people, apps, keys = st.sampled_from(PEOPLE), st.sampled_from(APPS), st.sampled_from(KEYS)
revisions = mostly(st.none(), 3, st.integers(0, 6))
limits = st.sampled_from([1, 2, 1000])
scopes = mostly(st.just(ALL_SCOPES), 3, st.frozensets(st.sampled_from(sorted(ALL_SCOPES)), min_size=1))
kinds = st.sampled_from(["launch", "access", "limited"] * 6 + ["expired", "forged", "none"])
wishes = st.lists(st.builds(Wish, people, apps, kinds, scopes, also=apps), min_size=BEARERS, max_size=BEARERS)
in_batch = st.tuples(st.sampled_from(["put", "put", "patch", "delete", "increment", "check"]), keys, revisions)
operations = st.one_of(
    st.builds(model.Get, keys, st.sampled_from(["GET", "HEAD"])),
    st.builds(model.Write, st.sampled_from(["PUT", "PATCH", "DELETE"]), keys, revisions),
    st.builds(model.List, st.sampled_from(["", "a", "a/", "x"]), limits, st.booleans()),
    st.builds(model.Changes, st.integers(0, 6), limits),
    st.builds(model.Usage),
    st.builds(model.Export),
    st.builds(
        model.Import,
        st.lists(keys, unique=True).map(tuple),
        st.sampled_from(["merge", "replace"]),
        dry_run=st.booleans(),
        constant=st.booleans(),
    ),
    st.builds(model.Batch, st.lists(in_batch, min_size=1, max_size=4).map(tuple), st.sampled_from([None, "once"])),
)
grants = st.builds(
    Event,
    st.just("grant"),
    st.tuples(people, apps, st.frozensets(st.tuples(apps, st.sampled_from(sorted(ALL_SCOPES))), min_size=2)),
)
consents = st.lists(grants, min_size=8, max_size=12)
numbers = st.integers(0, BEARERS - 1)
steps = st.lists(
    mostly(
        st.builds(Ask, numbers, st.none() | apps, operations),
        14,
        grants,
        grants,
        st.builds(Event, st.just("revoke"), st.tuples(numbers)),
        st.builds(Event, st.just("expire"), st.tuples(numbers)),
        st.builds(Event, st.just("let_in"), st.tuples(people, st.sampled_from([True] * 9 + [False]))),
        st.builds(Event, st.just("install"), st.tuples(people, apps)),
        st.builds(Event, st.just("uninstall"), st.tuples(people, apps, st.booleans())),
    ),
    min_size=40,
    max_size=60,
)


class World:
    """The platform and the model, side by side; everybody has every app at first, with one entry in each."""

    def __init__(self, users: dict[str, User], wishes: list[Wish], seen: Counter[str]) -> None:
        self.users = users
        self.names = {user.id: name for name, user in users.items()}
        self.model = Model()
        self.marks = count()
        self.seen = seen
        authentication.forget()
        for person in PEOPLE:
            for app in APPS:
                self.install(person, app)
                self.ask(self.given(Wish(person, app, "launch", ALL_SCOPES, app)), app, model.Write("PUT", "a"))
        self.bearers = [self.given(wish) for wish in wishes]

    def given(self, wish: Wish) -> Bearer:
        """Somebody with the credential."""
        user = self.users[wish.person]
        only = {"launch": {wish.app}, "limited": {wish.app, wish.also}}.get(wish.kind)
        record = None
        match wish.kind:
            case "launch":
                text, _ = issue_launch_token(user.id, wish.app, wish.scopes)
            case "access" | "limited":
                record, text = issue_access_token(user, "a token", wish.scopes, only)
            case "expired":
                with override_settings(LAUNCH_TOKEN_LIFETIME_S=-1):
                    text, _ = issue_launch_token(user.id, wish.app, wish.scopes)
            case "forged":  # a true token in which another person's name was put
                other = self.users[PEOPLE[PEOPLE.index(wish.person) - 1]]
                text = issue_launch_token(other.id, wish.app)[0].replace(other.id.hex, user.id.hex)
            case _:
                return Bearer(wish.app)
        token = Token(wish.person, wish.scopes, None if only is None else frozenset(only))
        return Bearer(wish.app, f"Bearer {text}", None if wish.kind in {"expired", "forged"} else token, record)

    def ask(self, bearer: Bearer, app: str, operation: model.Operation) -> None:
        """The platform must answer, and then be, as the model."""
        person = bearer.token.person if bearer.token else "nobody"
        mark = f"of {person} in {app}, {next(self.marks)}"
        expected: tuple[int, Any]
        try:
            expected = operation.on(self.model.data_for(bearer.token, app, operation), mark)
        except Refused as refused:
            expected = (refused.status, None)
        status, body = self._answer(bearer, app, operation.request(mark))
        is_shared = bearer.token is not None and bearer.token.apps is not None and app not in bearer.token.apps
        self.seen[f"{type(operation).__name__} {status}{' shared' if is_shared else ''}"] += 1
        assert status == expected[0], body
        for owner, place in MARK.findall(body):
            assert (owner.decode(), place.decode()) == (person, app), "somebody else's value"
        if expected[1] is not None:
            assert read(body) == expected[1]

    def _answer(self, bearer: Bearer, app: str, request: model.Request) -> tuple[int, bytes]:
        method, tail, body, headers = request
        if bearer.header is not None:
            headers = {**headers, "authorization": bearer.header}
        content_type = headers.pop("content-type", "application/json")
        path = f"/api/apps/{app}/{tail}"
        response = DotClient().generic(method, path, body, content_type=content_type, headers=headers)
        return response.status_code, response.getvalue()

    def revoke(self, number: int) -> None:
        bearer = self.bearers[number]
        if bearer.record is not None:
            revoke_access_token(bearer.record)
            bearer.token = None

    def expire(self, number: int) -> None:
        bearer = self.bearers[number]
        if bearer.record is not None:
            AccessToken.objects.filter(pk=bearer.record.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
            forget_access_token(bytes(bearer.record.digest))
            bearer.token = None

    def let_in(self, person: str, is_active: bool) -> None:
        User.objects.filter(pk=self.users[person].pk).update(is_active=is_active)
        authentication.forget()  # other processes learn of it within seconds; this is after them
        (self.model.deactivated.discard if is_active else self.model.deactivated.add)(person)

    def install(self, person: str, app: str) -> None:
        install(self.users[person].id, app)
        self.model.install((person, app))

    def uninstall(self, person: str, app: str, keep: bool) -> None:
        if (person, app) in self.model.installed:
            uninstall(self.users[person].id, app, "keep" if keep else "delete")
            self.model.uninstall((person, app), keep=keep)

    def grant(self, person: str, asking: str, grants: frozenset[tuple[str, str]]) -> None:
        if (person, asking) in self.model.installed:
            names = [f"data:{app}:{scope.removeprefix('data:')}" for app, scope in grants if app != asking]
            grant_permissions(self.users[person].id, asking, names)
        self.model.grant((person, asking), set(grants))

    def compare(self) -> None:
        """The rows of everybody are what the model says."""
        places = {**self.model.installed, **self.model.kept}
        with as_operator():
            counters = {
                (self.names[each.user_id], each.app_id): (
                    (each.status == "installed", each.revision, each.data_keys, each.data_bytes)
                )
                for each in Installation.objects.all()
            }
            entries = {(self._place(each), each.key, each.revision): each.value for each in Entry.objects.all()}
            tombstones = {(self._place(each), each.key, each.revision) for each in Tombstone.objects.all()}
        assert counters == {
            place: (place in self.model.installed, data.head, len(data.entries), data.bytes)
            for place, data in places.items()
        }
        assert entries == {
            (place, key, revision): value
            for place, data in places.items()
            for key, (value, revision) in data.entries.items()
        }
        assert tombstones == {
            (place, key, revision) for place, data in places.items() for key, revision in data.tombstones.items()
        }

    def _place(self, row: Entry | Tombstone) -> Place:
        return self.names[row.user_id], row.app_id

    def end(self) -> None:
        """Leave nothing for the next one."""
        with as_operator():
            Installation.objects.all().delete()
        AccessToken.objects.all().delete()
        User.objects.update(is_active=True)


def read(body: bytes) -> Any:
    """The answer's data as the model tells it: without times and limits, and of a cursor only whether there is one."""
    lines = [json.loads(line) for line in body.splitlines()]
    if not body:
        return ""
    data = lines[0]["data"] if "success" in lines[0] else lines
    return _less(data)


def _less(data: Any) -> Any:
    if isinstance(data, list):
        return [_less(each) for each in data]
    if not isinstance(data, dict):
        return data
    dropped = {"created_at", "updated_at", "max_keys", "max_bytes"}
    return {
        name: bool(value) if name == "cursor" else _less(value) for name, value in data.items() if name not in dropped
    }


@pytest.fixture
def users(transactional_db: None) -> dict[str, User]:
    for app_id in APPS:
        verbs = [f"data:{other}:{verb}" for other in APPS for verb in ("read", "write", "delete")]
        asked = [{"name": name, "reason": "…"} for name in verbs]
        app = App.objects.create(app_id=app_id, name=app_id.title(), manifest={"req_permissions": asked})
        release = Release.objects.create(app=app, version="1.0.0", code=1, sha256="0" * 64, bytes=1, files=1)
        App.objects.filter(pk=app.pk).update(active_release=release)
    return {name: User.objects.create_user(f"{name}@example.com", "dot-demo-2026", name=name) for name in PEOPLE}


def test_nobody_sees_or_changes_what_is_not_theirs(users: dict[str, User], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("WARNING", "dotplatform.access")  # a thousand lines that would hide the example
    seen: Counter[str] = Counter()

    @hypothesis_settings(
        max_examples=EXAMPLES or 16,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(wishes, consents, steps)
    def nobody_does(wishes: list[Wish], consents: list[Event], steps: list[Ask | Event]) -> None:
        world = World(users, wishes, seen)
        try:
            for step in [*consents, *steps]:
                note(f"{step} by {wishes[step.bearer] if isinstance(step, Ask) else 'somebody else'}")
                step.do(world)
            world.compare()
        finally:
            world.end()

    nobody_does()
    print(f"{seen.total()} requests: {dict(sorted(seen.items()))}")
