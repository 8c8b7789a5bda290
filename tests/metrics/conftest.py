"""Samples to measure and a real endpoint to tell."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from dotplatform.api.envelope import rfc3339
from metrics.models import AlertRule, Channel
from metrics.reduction import Agent
from metrics.samples import Sender, read_sample
from metrics.services import store_samples
from tests.metrics.processes import Start, start_python

DESKTOP = Sender(agent=Agent("Chrome", "Linux", "desktop"), url="/admin/login/")

Record = Callable[..., None]


@pytest.fixture
def record() -> Record:
    """``record("app-load-time", [3200, 4100], appId="notes", at=…)``: samples as browsers send them."""

    def store(
        name: str, values: list[float], at: datetime | None = None, sender: Sender = DESKTOP, **labels: str
    ) -> None:
        sample = {"name": name, "labels": labels, "timestamp": rfc3339(at or datetime.now(UTC))}
        store_samples(read_sample({**sample, "value": value}, sender) for value in values)

    return store


@dataclass
class Endpoint:
    """A real HTTP server that keeps what it is sent and answers with *status*."""

    url: str
    received: list[tuple[dict[str, str], Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    status: int = 200
    let_answer: threading.Event = field(default_factory=threading.Event)
    called: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """Everything that the Slack messages said."""
        return [body["text"] + "\n" + "\n".join(b["text"]["text"] for b in body["blocks"]) for _, body in self.received]


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.called.set()
            kept.let_answer.wait(30)
            kept.raw.append(body)
            kept.received.append(({k.lower(): v for k, v in self.headers.items()}, json.loads(body)))
            self.send_response(kept.status)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    kept = Endpoint(f"http://127.0.0.1:{server.server_address[1]}/hook")
    kept.let_answer.set()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield kept
    kept.let_answer.set()
    server.shutdown()
    server.server_close()


@pytest.fixture
def slack(db: None, endpoint: Endpoint) -> Channel:
    """A Slack channel at the endpoint."""
    return Channel.objects.create(name="Slack of the test", kind="slack", target=endpoint.url)


@pytest.fixture
def seeds_rule(db: None) -> AlertRule:
    """app-load-time > 3000 ms, as the migration makes it."""
    return AlertRule.objects.get(metric="app-load-time")


@pytest.fixture
def start() -> Iterator[Start]:
    """``start("from … import …; …")``: the line runs in a process of its own, which ends with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def run(line: str, **env: str) -> subprocess.Popen[bytes]:
        processes.append(start_python(line, **env))
        return processes[-1]

    yield run
    for process in processes:
        process.kill()
        process.wait()
