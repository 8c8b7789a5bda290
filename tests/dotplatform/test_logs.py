"""Logs: JSON that a machine can read, one access record a request, no secret in either."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from uuid import UUID

import pytest

from dotplatform.accounts.models import User
from dotplatform.logs import JSONFormatter, TextFormatter
from dotplatform.redaction import redact, redact_text
from tests.conftest import DotClient

Api = Callable[[UUID, str], DotClient]


def record(text: str, *args: object) -> logging.LogRecord:
    return logging.LogRecord("test", logging.WARNING, __file__, 1, text, args, None)


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer dot_pat_hunter2",
        "token dot_run_hunter2.hunter2-hunter2 is not valid",
        "POST /accounts/login/ password=hunter2&next=/",
        '{"password": "hunter2", "email": "alice@example.com"}',
        "{'csrfmiddlewaretoken': 'hunter2'}",
        "GET /accounts/password/reset/key/3-hunter2/ failed",
        "GET /accounts/confirm-email/hunter2/",
        "Cookie: sessionid=hunter2; csrftoken=hunter2",
        "connecting to postgres://dot:hunter2@db.internal:5432/dot",
        "POST https://hooks.slack.com/services/hunter2/hunter2",
        "GET /callback?state=1&code=hunter2",
        "GET https://bucket.example.com/x?X-Amz-Credential=hunter2&sig=hunter2",
        "POST https://discord.com/api/webhooks/123/hunter2",
        "connecting to postgres://dot:hun@ter:hunter2@db.internal/dot",
        "null value violates not-null constraint\nDETAIL:  Failing row contains (7, hunter2, {}).",
        "password='hunter2 hunter2', BACKUP_KEY=hunter2",
        "X-Api-Key: hunter2",
        "passphrase: hunter2",
        "webhook secret whsec_hunter2",
    ],
)
def test_no_secret_stays_in_a_line(text: str) -> None:
    for line in (TextFormatter().format(record(text)), JSONFormatter().format(record(text))):
        assert "hunter2" not in line
        assert "[hidden]" in line


@pytest.mark.parametrize("text", ["duplicate key value violates", "ended with code 1", "GET /apps/notes 200", "key: "])
def test_ordinary_words_stay(text: str) -> None:
    assert redact_text(text) == text


def test_secret_members_are_hidden_at_any_depth() -> None:
    given = {"headers": [["Cookie", "hunter2"], ["Accept", "*/*"]], "extra": {"api_key": "hunter2", "list": ["ok"]}}
    assert redact(given) == {
        "headers": [["Cookie", "[hidden]"], ["Accept", "*/*"]],
        "extra": {"api_key": "[hidden]", "list": ["ok"]},
    }


def test_json_lines_hold_the_exception_too() -> None:
    line = record("failed")
    line.exc_info = (ValueError, ValueError("password=hunter2"), None)
    fields = json.loads(JSONFormatter().format(line))
    assert fields["level"] == "WARNING"
    assert "ValueError" in fields["exception"]
    assert "hunter2" not in fields["exception"]


def test_the_access_record_has_the_route_and_the_person_but_never_the_address(
    api: Api, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "dotplatform.access"):
        response = api(alice.id, "notes").get("/api/platform/info?token=hunter2")
    (line,) = [json.loads(JSONFormatter().format(one)) for one in caplog.records if one.name == "dotplatform.access"]
    assert line["route"] == "api/platform/info"
    assert line["status"] == response.status_code
    assert line["person"] == str(alice.id)
    assert line["duration_ms"] >= 0
    assert "hunter2" not in str(line)


def test_a_page_s_record_names_who_was_signed_in(
    client: DotClient, alice: User, caplog: pytest.LogCaptureFixture
) -> None:
    client.force_login(alice)
    with caplog.at_level(logging.INFO, "dotplatform.access"):
        client.get("/account")
    (line,) = [one for one in caplog.records if one.name == "dotplatform.access"]
    assert line.fields["person"] == str(alice.id)  # type: ignore[attr-defined]
