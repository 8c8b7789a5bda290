"""Every route below ``/api/``: closed to who sends no token, and to the wrong person and the wrong app."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.apps import apps as django_apps
from django.db import connection, models, transaction
from django.db.models import Model
from django.urls import URLPattern, URLResolver, get_resolver
from drf_spectacular.generators import EndpointEnumerator

from appdata.services import Place, delete_entry, put_entry
from apps_registry.models import App, Installation
from dotplatform.accounts.models import AccessToken, User
from dotplatform.api.api import SCHEMA
from dotplatform.api.authentication import digest
from dotplatform.api.views import ApiView, not_found
from dotplatform.database.checks import EXEMPT, per_person_models_have_row_security
from dotplatform.database.constraints import RowSecurity
from dotplatform.database.doors import as_operator, as_person
from tests.conftest import DotClient

pytestmark = pytest.mark.django_db

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
OPEN = {  # the contract's list, and nothing else
    "/api/health",
    "/api/health/live",
    "/api/platform/info",
    "/api/schema",
    "/api/docs",
    "/api/public/apps",
    "/api/public/apps/{app_id}",
}
SECRET = "alice-keeps-this-to-herself"
EVERY_SCOPE = [
    "apps:read",
    "apps:write",
    "data:read",
    "data:write",
    "data:delete",
    "metrics:read",
    "registry:publish",
]


def routes() -> Iterator[tuple[str, Any]]:
    """``(path, view)`` of every route of the URL conf below ``/api/``, the catch-all apart."""

    path_of: Callable[[str], str] = EndpointEnumerator(patterns=[]).get_path_from_regex

    def below(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[tuple[str, Any]]:
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from below(pattern.url_patterns, here)
            elif pattern.callback is not not_found:
                yield path_of(here), pattern.callback

    return ((path, view) for path, view in below(get_resolver().url_patterns, "") if path.startswith("/api/"))


def filled(path: str) -> str:
    """The route with what Alice has."""
    return path.replace("{app_id}", "notes").replace("{key}", "diary").replace("{version}", "1.0.0")


def test_the_document_names_every_route_and_no_other() -> None:
    assert {path for path, _ in routes()} == set(orjson.loads(SCHEMA.read_bytes())["paths"])


@pytest.mark.parametrize("path", sorted({path for path, _ in routes()}))
def test_nobody_gets_in_without_a_token(client: DotClient, path: str) -> None:
    assert "{" not in filled(path), "say in filled() what that parameter is"
    for method in METHODS:
        response = client.generic(method, filled(path), b"{}", content_type="application/json")
        is_open = path in OPEN or (path == "/api/metrics" and method == "POST")
        assert (response.status_code == 401) is not is_open, (method, path, response.status_code)


def test_every_drf_view_names_a_scope_for_each_method() -> None:
    for path, view in routes():
        kind = getattr(view, "cls", None)
        if kind is None or not issubclass(kind, ApiView) or kind.__name__ == "SlimView" or path in OPEN:
            continue
        missing = set(kind().allowed_methods) - {"OPTIONS", "HEAD"} - set(kind.scopes)
        assert not missing, f"{kind.__name__}.scopes says nothing of {missing}"


# Somebody else's token


def per_person_models() -> list[type[Model]]:
    """Every model whose rows belong to a person and are guarded by policies."""
    guarded = [
        model
        for model in django_apps.get_models()
        if any(isinstance(constraint, RowSecurity) for constraint in model._meta.constraints)
    ]
    assert len(guarded) >= 3
    return guarded


def security_of(model: type[Model]) -> RowSecurity:
    return next(one for one in model._meta.constraints if isinstance(one, RowSecurity))


def rows_of(person: User) -> dict[str, list[Any]]:
    """All of the person's rows in all guarded tables."""
    with as_operator(), connection.cursor() as cursor:
        found = {}
        for model in per_person_models():
            table, column = model._meta.db_table, security_of(model).user_column
            cursor.execute(f"SELECT * FROM {table} WHERE {column} = %s ORDER BY id", [person.id])
            found[table] = cursor.fetchall()
    return found


@pytest.fixture
def diary(alice: User, bob: User) -> None:
    """Alice has Notes with a diary, and Tasks; Bob has both, empty."""
    for app_id in ("notes", "tasks"):
        App.objects.create(app_id=app_id, name=app_id.title())
    for person in (alice, bob):
        with as_person(person.id):
            for app_id in ("notes", "tasks"):
                Installation.objects.create(user=person, app_id=app_id, settings={"owner": str(person.id)})
    put_entry(Place(alice.id, "notes"), "diary", orjson.dumps(SECRET))
    put_entry(Place(alice.id, "notes"), "torn-out", b"1")
    delete_entry(Place(alice.id, "notes"), "torn-out")


def access_token(person: User, app_ids: list[str] | None, scopes: list[str]) -> DotClient:
    token = "dot_pat_" + secrets.token_urlsafe(32)
    AccessToken.objects.create(
        user=person, name="test", hint=token[-4:], digest=digest(token), scopes=scopes, app_ids=app_ids
    )
    return DotClient(headers={"authorization": f"Bearer {token}"})


BODIES = [
    b"{}",
    b'"overwritten"',
    b'{"permissions":[],"settings":{"owner":"changed"}}',
    b'{"operations":[{"op":"put","key":"diary","value":"overwritten"}]}',
    b'{"operations":[{"op":"delete","key":"diary"}]}',
    b'{"key":"diary","value":"overwritten"}\n',
]


def attack(client: DotClient, path: str) -> Iterator[Any]:
    """Answers to everything that a client might try on a route."""
    client.raise_request_exception = False
    for method in METHODS:
        bodies = [b""] if method in {"GET", "HEAD", "DELETE"} else BODIES
        for body in bodies:
            for content_type in {"POST": ["application/json", "application/x-ndjson"]}.get(
                method, ["application/json"]
            ):
                response = client.generic(method, path, body, content_type=content_type)
                if response.streaming:
                    assert method == "GET" or response.status_code < 500
                yield response


def text_of(response: Any) -> str:
    content = response.getvalue() if response.streaming else response.content
    return str(content, errors="replace")


DATA_ROUTES = sorted({path for path, _ in routes() if "{app_id}" in path} | {"/api/me/apps", "/api/me", "/api/apps"})


@pytest.mark.parametrize("path", DATA_ROUTES)
@pytest.mark.usefixtures("diary")
class TestTheWrongToken:
    """Nothing of Alice's is seen, nothing of Alice's is changed."""

    @pytest.fixture(autouse=True)
    def _alice_untouched(self, alice: User, diary: None) -> Iterator[None]:
        before = rows_of(alice)
        assert sum(map(len, before.values())) >= 4
        yield
        assert rows_of(alice) == before

    def test_of_another_person(self, bob: User, path: str, api: Callable[[UUID, str], DotClient]) -> None:
        for client in (access_token(bob, None, EVERY_SCOPE), api(bob.id, "notes")):
            for response in attack(client, filled(path)):
                assert SECRET not in text_of(response)
                assert response.status_code < 500 or response.status_code == 503

    def test_for_another_app(self, alice: User, path: str, api: Callable[[UUID, str], DotClient]) -> None:
        if "{app_id}" not in path or path.startswith(("/api/registry", "/api/public")):
            pytest.skip("not about one app of the person's")
        for client in (api(alice.id, "tasks"), access_token(alice, ["tasks"], EVERY_SCOPE)):
            for response in attack(client, filled(path)):
                assert SECRET not in text_of(response)
                assert response.status_code in {403, 404, 405}, (path, response.status_code, text_of(response))

    def test_without_any_scope(self, alice: User, path: str) -> None:
        for response in attack(access_token(alice, None, []), filled(path)):
            assert SECRET not in text_of(response)


# The database itself


def test_every_per_person_model_has_policies(db: None) -> None:
    assert per_person_models_have_row_security(None) == []
    with connection.cursor() as cursor:
        for model in per_person_models():
            table = model._meta.db_table
            cursor.execute("SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = %s", [table])
            assert cursor.fetchone() == (True, True), table
            cursor.execute("SELECT policyname FROM pg_policies WHERE tablename = %s", [table])
            assert {f"{table}_person", f"{table}_operator"} <= {name for (name,) in cursor.fetchall()}


def test_rows_are_let_through_by_policies_that_hold_whatever_is_done_to_them(db: None) -> None:
    """Those for one command alone refuse, or show what everybody may see: ``dotplatform/database/constraints.py``."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT policyname FROM pg_policies"
            " WHERE schemaname = 'public' AND permissive = 'PERMISSIVE' AND cmd <> 'ALL'"
        )
        assert {name for (name,) in cursor.fetchall()} == {"app_reviews_readable"}


def test_the_check_finds_a_model_without() -> None:
    try:

        class Diary(models.Model):
            user_id = models.UUIDField()
            app_id = models.TextField()

            class Meta:
                app_label = "appdata"
                db_table = "diaries"

            def __str__(self) -> str:
                return self.app_id

        (found,) = per_person_models_have_row_security(None)
        assert (found.id, found.obj) == ("dot.E001", Diary)
    finally:
        del django_apps.all_models["appdata"]["diary"]
        django_apps.clear_cache()
    assert set(EXEMPT) == {"access_tokens"}, "what is exempt is decided here, with a reason"


@pytest.mark.parametrize("model", per_person_models(), ids=lambda model: model.__name__)
@pytest.mark.usefixtures("diary")
def test_the_policies_alone_keep_people_and_apps_apart(alice: User, bob: User, model: type[Model]) -> None:
    """No view in between: the ORM in Bob's door, and in Alice's for another app."""
    security = security_of(model)
    hers: dict[str, Any] = {security.user_column: alice.id}
    before = rows_of(alice)
    doors = [(bob.id, None), (bob.id, "notes")]
    if security.app_column:
        doors.append((alice.id, "tasks"))
        hers[security.app_column] = "notes"
    for user_id, app_id in doors:
        with as_person(user_id, app_id):
            seen = model._default_manager.filter(**hers)
            assert security.readable_by_all or not seen.exists()
            assert seen._raw_delete(seen.db) == 0
            assert seen.update(**{security.user_column: user_id}) == 0
    assert rows_of(alice) == before


def test_no_door_no_rows(diary: None) -> None:
    for model in per_person_models():
        if not security_of(model).readable_by_all:
            assert not model._default_manager.exists()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE app_data SET value = 'null'")
        assert cursor.rowcount == 0
