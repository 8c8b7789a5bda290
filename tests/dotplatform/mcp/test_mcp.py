"""``/mcp``: both eras of the protocol, the same scopes and services as the API."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pytest_django import Settings

from apps_registry import services
from apps_registry.models import App
from dotplatform.accounts.models import User
from tests.apps_registry.conftest import PAGE, TokenClient, make_app
from tests.conftest import DotClient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("storage")]
ALL = ("apps:read", "apps:write", "data:read", "data:write", "registry:publish")
SET_A = (
    '{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params":'
    ' {"name": "data_set", "arguments": {"app_id": "notes", "key": "a", "value": %s}}}'
)
META = "io.modelcontextprotocol/"


@pytest.fixture
def charlie(publisher: User, token: TokenClient) -> DotClient:
    return token(publisher, *ALL)


def post(client: DotClient, message: Any, **headers: str) -> Any:
    body = message if isinstance(message, str) else json.dumps(message)
    return client.post("/mcp", body, content_type="application/json", headers=headers)


def rpc(client: DotClient, method: str, params: Any = None, **headers: str) -> Any:
    """A legacy request's result."""
    response = post(client, {"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}, **headers)
    assert response.status_code == 200, response.content
    assert response.json()["id"] == 1
    return response.json()["result"]


def modern(client: DotClient, method: str, params: dict[str, Any] | None = None, **headers: str) -> Any:
    """A modern request's response, its headers as the specification wants them unless said otherwise."""
    version = "2026-07-28"
    meta = {f"{META}protocolVersion": version, f"{META}clientCapabilities": {}}
    given = {"mcp-protocol-version": version, "mcp-method": method, "mcp-name": (params or {}).get("name", "")}
    message = {"jsonrpc": "2.0", "id": "a", "method": method, "params": {**(params or {}), "_meta": meta}}
    return post(client, message, **{**given, **headers})


def call(client: DotClient, name: str, **arguments: Any) -> Any:
    """What a tool answers; its text says the same as its structure."""
    result = rpc(client, "tools/call", {"name": name, "arguments": arguments})
    assert json.loads(result["content"][0]["text"]) == result["structuredContent"]
    return result


def found(client: DotClient, name: str, **arguments: Any) -> Any:
    result = call(client, name, **arguments)
    assert result["isError"] is False, result
    return result["structuredContent"]


def refused(client: DotClient, name: str, **arguments: Any) -> str:
    result = call(client, name, **arguments)
    assert result["isError"] is True, result
    assert result["structuredContent"]["message_ko"]
    return str(result["structuredContent"]["code"])


class TestLegacy:
    @pytest.mark.parametrize(
        ("asked", "agreed"),
        [
            ("2025-06-18", "2025-06-18"),
            ("2025-11-25", "2025-11-25"),
            ("1999-01-01", "2025-11-25"),
            (None, "2025-11-25"),
        ],
    )
    def test_initialize_agrees_on_a_version(self, charlie: DotClient, asked: Any, agreed: str) -> None:
        result = rpc(charlie, "initialize", {"protocolVersion": asked, "capabilities": {}, "clientInfo": {}})
        assert result["protocolVersion"] == agreed
        assert result["capabilities"] == {"tools": {}}
        assert result["serverInfo"]["name"] == "dot-platform"
        assert rpc(charlie, "ping", **{"mcp-protocol-version": agreed}) == {}

    def test_notifications_are_accepted_without_an_answer(self, charlie: DotClient) -> None:
        response = post(charlie, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert (response.status_code, response.content) == (202, b"")

    def test_an_unknown_version_is_400_naming_those_known(self, charlie: DotClient) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        response = post(charlie, message, **{"mcp-protocol-version": "1900-01-01"})
        assert response.status_code == 400
        assert response.json()["error"]["code"] == -32022
        assert "2025-11-25" in response.json()["error"]["data"]["supported"]

    def test_an_unknown_method_is_a_json_rpc_error(self, charlie: DotClient) -> None:
        response = post(charlie, {"jsonrpc": "2.0", "id": 7, "method": "resources/list"})
        assert (response.status_code, response.json()["id"], response.json()["error"]["code"]) == (200, 7, -32601)

    def test_an_error_carries_the_id_of_its_request(self, charlie: DotClient) -> None:
        message = {"jsonrpc": "2.0", "id": "seven", "method": "ping"}
        for wrong in (
            post(charlie, message, **{"mcp-protocol-version": "1900-01-01"}),
            post(charlie, {**message, "params": []}),
        ):
            assert (wrong.status_code, wrong.json()["id"]) == (400, "seven")

    def test_an_id_of_null_is_no_notification(self, charlie: DotClient) -> None:
        response = post(charlie, {"jsonrpc": "2.0", "id": None, "method": "ping"})
        assert (response.status_code, response.json()["error"]["code"]) == (400, -32600)

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost.evil.example", "http://["])
    def test_pages_of_other_sites_are_turned_away(self, charlie: DotClient, origin: str) -> None:
        assert post(charlie, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, origin=origin).status_code == 403

    @pytest.mark.parametrize("origin", ["http://testserver", "http://localhost:6274", "http://[::1]:3000"])
    def test_own_pages_and_tools_on_this_machine_are_let_in(self, charlie: DotClient, origin: str) -> None:
        assert post(charlie, {"jsonrpc": "2.0", "id": 1, "method": "ping"}, origin=origin).status_code == 200


class TestModern:
    def test_discover_says_what_there_is(self, charlie: DotClient) -> None:
        result = modern(charlie, "server/discover").json()["result"]
        assert result["resultType"] == "complete"
        assert result["supportedVersions"][0] == "2026-07-28"
        assert result["_meta"][f"{META}serverInfo"]["name"] == "dot-platform"

    def test_tools_are_listed_and_called_without_a_handshake(self, charlie: DotClient) -> None:
        listed = modern(charlie, "tools/list").json()["result"]
        assert (listed["resultType"], listed["cacheScope"]) == ("complete", "private")
        answer = modern(charlie, "tools/call", {"name": "list_apps", "arguments": {}}).json()
        assert answer["id"] == "a"
        assert answer["result"]["structuredContent"]["total"] == 0

    def test_a_name_beyond_ascii_comes_in_base64(self, charlie: DotClient) -> None:
        name = "=?base64?" + base64.b64encode(b"list_apps").decode() + "?="
        response = modern(charlie, "tools/call", {"name": "list_apps"}, **{"mcp-name": name})
        assert response.status_code == 200

    @pytest.mark.parametrize(
        ("header", "value"),
        [("mcp-method", "tools/list"), ("mcp-name", "publish_app"), ("mcp-protocol-version", "2025-11-25")],
    )
    def test_headers_that_say_something_else_are_400(self, charlie: DotClient, header: str, value: str) -> None:
        response = modern(charlie, "tools/call", {"name": "list_apps"}, **{header: value})
        assert (response.status_code, response.json()["error"]["code"]) == (400, -32020)

    def test_an_unknown_method_is_404(self, charlie: DotClient) -> None:
        response = modern(charlie, "ping")
        assert (response.status_code, response.json()["error"]["code"]) == (404, -32601)

    def test_an_unknown_version_is_400(self, charlie: DotClient) -> None:
        meta = {f"{META}protocolVersion": "2099-01-01"}
        response = post(charlie, {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}})
        assert (response.status_code, response.json()["error"]["code"]) == (400, -32022)


class TestWhoMay:
    def test_nobody_without_a_token(self, client: DotClient) -> None:
        response = post(client, {"jsonrpc": "2.0", "id": 1, "method": "ping"})
        assert response.status_code == 401
        assert response.headers["WWW-Authenticate"].startswith("Bearer")

    def test_no_session_cookie_opens_it(self, client: DotClient, operator: User) -> None:
        client.force_login(operator)
        assert post(client, {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status_code == 401

    def test_launch_tokens_do_not(self, api: Any, alice: User) -> None:
        assert post(api(alice.id, "notes"), {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status_code == 403

    def test_switched_off_it_is_not_there(self, charlie: DotClient, settings: Settings) -> None:
        settings.MCP_ENABLED = False
        assert post(charlie, {"jsonrpc": "2.0", "id": 1, "method": "ping"}).status_code == 404

    def test_there_are_no_sessions_to_get_or_delete(self, charlie: DotClient) -> None:
        assert charlie.get("/mcp").status_code == 405
        assert charlie.delete("/mcp").status_code == 405

    def test_only_tools_of_the_tokens_scopes_are_listed_and_run(self, alice: User, token: TokenClient) -> None:
        reader = token(alice, "apps:read")
        assert [tool["name"] for tool in rpc(reader, "tools/list")["tools"]] == ["list_apps", "launch_app"]
        assert refused(reader, "publish_app", files={"index.html": PAGE}) == "FORBIDDEN"
        assert refused(reader, "data_get", app_id="notes", key="a") == "FORBIDDEN"

    def test_publishing_needs_a_publisher(self, alice: User, token: TokenClient) -> None:
        assert refused(token(alice, "registry:publish"), "publish_app", files={"index.html": PAGE}) == "FORBIDDEN"
        assert not App.objects.exists()

    def test_a_token_for_some_apps_reaches_only_those(
        self,
        charlie: DotClient,
        publisher: User,
        token: TokenClient,
    ) -> None:
        for app_id in ("lunch", "notes"):
            found(charlie, "publish_app", files={"index.html": PAGE}, app_id=app_id)
            found(charlie, "install_app", app_id=app_id)
        limited = token(publisher, *ALL, app_ids=["lunch"])
        assert [app["app_id"] for app in found(limited, "list_apps")["items"]] == ["lunch"]
        for name, more in (("install_app", {}), ("launch_app", {}), ("data_list", {}), ("data_get", {"key": "a"})):
            assert refused(limited, name, app_id="notes", **more) == "NOT_FOUND"
        assert refused(limited, "data_set", app_id="notes", key="a", value=1) == "NOT_FOUND"
        assert refused(limited, "publish_app", files={"index.html": PAGE}, app_id="notes") == "FORBIDDEN"

    def test_of_another_app_a_tool_reaches_what_the_person_granted(
        self,
        charlie: DotClient,
        publisher: User,
        token: TokenClient,
    ) -> None:
        asked = {"name": "Lunch", "req_permissions": [{"name": "data:notes:read", "reason": "To quote them."}]}
        found(charlie, "publish_app", files={"index.html": PAGE, "manifest.json": json.dumps(asked)}, app_id="lunch")
        found(charlie, "publish_app", files={"index.html": PAGE}, app_id="notes")
        found(charlie, "install_app", app_id="notes")
        found(charlie, "data_set", app_id="notes", key="a", value="quoted")
        found(charlie, "install_app", app_id="lunch")
        limited = token(publisher, *ALL, app_ids=["lunch"])
        assert refused(limited, "data_get", app_id="notes", key="a") == "NOT_FOUND"
        found(charlie, "install_app", app_id="lunch", permissions=["data:notes:read"])
        assert found(limited, "data_get", app_id="notes", key="a")["value"] == "quoted"
        assert [each["key"] for each in found(limited, "data_list", app_id="notes")["items"]] == ["a"]

    def test_a_value_too_deep_is_refused_as_in_the_api(self, charlie: DotClient, publisher: User) -> None:
        found(charlie, "publish_app", files={"index.html": PAGE}, app_id="notes")
        found(charlie, "install_app", app_id="notes")
        for levels in (33, 300):  # orjson writes 254 at most
            deep = json.loads("[" * levels + "]" * levels)
            assert refused(charlie, "data_set", app_id="notes", key="a", value=deep) == "INVALID_JSON"
        answer = post(charlie, SET_A % ("[" * 1000 + "]" * 1000))  # which orjson reads, and json does not
        assert answer.json()["result"]["structuredContent"]["code"] == "INVALID_JSON"

    @pytest.mark.parametrize(
        "value",
        ["123456789012345678901234567890.10", "0.1234567890123456789012345678901234567890", "9" * 400, "-1.0", '"1e9"'],
    )
    def test_numbers_keep_all_their_digits(self, charlie: DotClient, publisher: User, value: str) -> None:
        found(charlie, "publish_app", files={"index.html": PAGE}, app_id="notes")
        found(charlie, "install_app", app_id="notes")
        answer = post(charlie, SET_A % f'{{"n": [{value}], "n2": 7}}')
        assert (answer.json()["id"], answer.json()["result"]["isError"]) == (7, False)
        stored = charlie.get("/api/apps/notes/data/a").content
        assert value.encode() in stored
        assert b'"n2": 7' in stored

    def test_deleting_needs_its_own_scope(self, charlie: DotClient, publisher: User, token: TokenClient) -> None:
        found(charlie, "publish_app", files={"index.html": PAGE}, app_id="notes")
        found(charlie, "install_app", app_id="notes")
        found(charlie, "data_set", app_id="notes", key="a", value=1)
        writer = token(publisher, "data:read", "data:write")
        assert refused(writer, "data_delete", app_id="notes", key="a") == "FORBIDDEN"
        deleter = token(publisher, "data:delete")
        assert found(deleter, "data_delete", app_id="notes", key="a") == {"key": "a", "revision": 2}
        assert refused(charlie, "data_get", app_id="notes", key="a") == "NOT_FOUND"
        assert refused(deleter, "data_delete", app_id="notes", key="a") == "NOT_FOUND"

    def test_nobody_reads_somebody_elses_entries(
        self,
        charlie: DotClient,
        alice: User,
        token: TokenClient,
    ) -> None:
        found(charlie, "publish_app", files={"index.html": PAGE}, app_id="lunch")
        services.install(alice.id, "lunch")
        found(token(alice, *ALL), "data_set", app_id="lunch", key="secret", value="Alice's")
        assert refused(charlie, "data_get", app_id="lunch", key="secret") == "NOT_FOUND"
        found(charlie, "install_app", app_id="lunch")
        assert refused(charlie, "data_get", app_id="lunch", key="secret") == "NOT_FOUND"
        assert found(charlie, "data_list", app_id="lunch")["items"] == []


class TestTools:
    def test_from_a_few_files_to_stored_data(self, charlie: DotClient) -> None:
        files = {"index.html": "<title>Canteen</title>", "js/app.js": "export {}"}
        release = found(charlie, "publish_app", files=files)
        assert (release["app_id"], release["files"], release["page"]) == (
            "canteen",
            2,
            "http://testserver/apps/canteen",
        )
        assert found(charlie, "list_apps", search="cant")["items"][0]["installed"] is False
        assert found(charlie, "install_app", app_id="canteen")["installed"] is True
        launched = found(charlie, "launch_app", app_id="canteen")
        assert launched["token"].startswith("dot_run_")
        assert found(charlie, "data_set", app_id="canteen", key="menu/1", value={"dish": "김치"})["revision"] == 1
        assert found(charlie, "data_get", app_id="canteen", key="menu/1")["value"] == {"dish": "김치"}
        assert [each["key"] for each in found(charlie, "data_list", app_id="canteen", prefix="menu/")["items"]] == [
            "menu/1"
        ]

    def test_a_zip_in_base64_too(self, charlie: DotClient) -> None:
        packed = base64.b64encode(make_app({"app_id": "lunch", "name": "Lunch"}).getvalue()).decode()
        assert found(charlie, "publish_app", zip_base64=packed)["app_id"] == "lunch"

    @pytest.mark.parametrize(
        "arguments",
        [
            {},
            {"zip_base64": "x", "files": {"index.html": "x"}},
            {"zip_base64": "§"},
            {"files": {"../x": "x"}},
            {"files": {"a": "x"}},
        ],
    )
    def test_a_bad_bundle_is_an_error_the_assistant_can_read(self, charlie: DotClient, arguments: Any) -> None:
        assert refused(charlie, "publish_app", **arguments) == "VALIDATION_ERROR"
        assert not App.objects.exists()

    @pytest.mark.parametrize(
        ("name", "arguments"),
        [
            ("nothing", {}),
            (None, {}),
            ("install_app", {}),
            ("install_app", {"app_id": "NOTES"}),
            ("install_app", {"app_id": "notes", "extra": 1}),
            ("install_app", []),
            ("data_set", {"app_id": "notes", "key": ""}),
            ("list_apps", {"page": 0}),
        ],
    )
    def test_arguments_without_sense_are_invalid_params(self, charlie: DotClient, name: Any, arguments: Any) -> None:
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name, "arguments": arguments}}
        assert post(charlie, message).json()["error"]["code"] == -32602

    def test_every_tool_has_words_and_a_schema(self, charlie: DotClient) -> None:
        tools = rpc(charlie, "tools/list")["tools"]
        assert len({tool["name"] for tool in tools}) == len(tools) == 7
        for tool in tools:
            assert tool["title"]
            assert tool["description"]
            assert tool["inputSchema"]["additionalProperties"] is False


class TestBodies:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ("{", -32700),
            ('{"jsonrpc":"2.0","id":1,"method":"ping","params":NaN}', -32700),
            ("[]", -32600),
            ('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600),
            ('{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
            ('{"jsonrpc":"2.0","id":1}', -32600),
            ('{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600),
            ('{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
            ('{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
        ],
    )
    def test_what_is_no_message_is_400(self, charlie: DotClient, body: str, code: int) -> None:
        response = post(charlie, body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, code)

    def test_another_content_type_is_415(self, charlie: DotClient) -> None:
        assert charlie.post("/mcp", "x", content_type="text/plain").status_code == 415

    def test_an_unexpected_failure_says_nothing_of_the_inside(
        self, charlie: DotClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("apps_registry.catalogue.list_shape", lambda *_: 1 / 0)
        monkeypatch.setattr("apps_registry.api.list_shape", lambda *_: 1 / 0)
        charlie.raise_request_exception = False
        response = post(charlie, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list_apps"}})
        assert response.status_code == 500
        assert b"division" not in response.content
