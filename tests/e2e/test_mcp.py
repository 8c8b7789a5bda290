"""An assistant over real HTTP: publish, install, write, read."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.e2e.conftest import RunningPlatform


def test_an_assistant_publishes_an_app_and_writes_into_it(platform: RunningPlatform) -> None:
    scopes = "apps:read,apps:write,data:read,data:write,registry:publish"
    token = platform.manage("issue_token", "operator@example.com", "--scopes", scopes).stdout.strip()

    def call(name: str, arguments: dict[str, Any]) -> Any:
        version = "2026-07-28"
        prefix = "io.modelcontextprotocol/"
        meta: dict[str, Any] = {f"{prefix}protocolVersion": version, f"{prefix}clientCapabilities": {}}
        params = {"name": name, "arguments": arguments, "_meta": meta}
        request = urllib.request.Request(
            f"{platform.url}/mcp",
            json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode(),
            {
                "Authorization": f"Bearer {token}",
                "Content-Type": "application/json",
                "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": version,
                "Mcp-Method": "tools/call",
                "Mcp-Name": name,
            },
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            result = json.load(response)["result"]
        assert result["isError"] is False, result
        return result["structuredContent"]

    page = "<!doctype html><title>Canteen by an assistant</title><h1>Menu</h1>"
    published = call("publish_app", {"files": {"index.html": page}, "app_id": "assistants-canteen"})
    assert published["page"] == f"{platform.url}/apps/assistants-canteen"
    call("install_app", {"app_id": "assistants-canteen"})
    call("data_set", {"app_id": "assistants-canteen", "key": "menu", "value": ["김치"]})
    assert call("data_get", {"app_id": "assistants-canteen", "key": "menu"})["value"] == ["김치"]
    launched = call("launch_app", {"app_id": "assistants-canteen"})
    with urllib.request.urlopen(launched["url"], timeout=30) as response:
        assert "Canteen by an assistant" in response.read().decode()
