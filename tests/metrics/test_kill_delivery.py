"""A worker killed with -9 while it tells somebody: at each moment, for each kind of channel, what arrives how often."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler

import psycopg
import pytest
from django.conf import LazySettings
from django.utils import timezone

from metrics.alerts import delivery
from metrics.models import Channel, Delivery, DeliveryAttempt
from tests.metrics.processes import Start, database_url, is_waiting, kill, until

DELIVER = "from metrics.alerts.delivery import deliver_due; deliver_due()"


@dataclass
class Receiver:
    """A real server for HTTP and SMTP that keeps by what name each message came, and answers when it may."""

    port: int
    ids: list[str] = field(default_factory=list)
    may_answer: threading.Event = field(default_factory=threading.Event)
    has_received: threading.Event = field(default_factory=threading.Event)

    def take(self, name: str) -> None:
        """A message has come whole; returns when it is to be answered."""
        self.ids.append(name)
        self.has_received.set()
        self.may_answer.wait(60)


class Http(BaseHTTPRequestHandler):
    receiver: Receiver

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.receiver.take(self.headers.get("webhook-id", "no name"))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Quiet."""


class Smtp(socketserver.StreamRequestHandler):
    receiver: Receiver

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                text = b"".join(iter(self.rfile.readline, b".\r\n"))
                self.receiver.take(message_from_bytes(text)["Message-ID"])
            self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *args: object) -> None:
        """Whoever was killed does not wait for an answer."""


@contextmanager
def served(
    listening: socket.socket, receiver: Receiver, handler: type[socketserver.BaseRequestHandler]
) -> Iterator[None]:
    """Answer on the socket from now on."""
    bound = type("Bound", (handler,), {"receiver": receiver})
    with Server(listening.getsockname(), bound, bind_and_activate=False) as server:
        server.socket.close()
        server.socket = listening
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield
        receiver.may_answer.set()
        server.shutdown()


@pytest.fixture(params=["slack", "webhook", "email"])
def channel(request: pytest.FixtureRequest) -> Channel:
    Channel.objects.all().delete()
    return Channel(name="the channel", kind=request.param)


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """A port that nobody accepts connections at yet."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        yield listening


@pytest.fixture
def receiver(channel: Channel, listening: socket.socket, settings: LazySettings) -> Receiver:
    """What the channel sends to. A test message is in line for it."""
    port = listening.getsockname()[1]
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
    channel.target = "ops@example.com" if channel.kind == "email" else f"http://127.0.0.1:{port}/hook"
    channel.save()
    delivery.send_test(channel)
    return Receiver(port)


def handler_of(channel: Channel) -> type[socketserver.BaseRequestHandler]:
    return Smtp if channel.kind == "email" else Http


def finish(receiver: Receiver) -> Delivery:
    """While the killed worker's claim runs nobody sends it; afterwards another worker settles it."""
    assert delivery.deliver_due() == 0
    receiver.may_answer.set()
    Delivery.objects.update(next_attempt_at=timezone.now())
    for _ in range(2):
        delivery.deliver_due()
    return Delivery.objects.get()


def errors() -> list[str]:
    return list(DeliveryAttempt.objects.order_by("pk").values_list("error", flat=True))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
class TestKilled:
    def test_before_it_is_connected(
        self, start: Start, channel: Channel, listening: socket.socket, receiver: Receiver
    ) -> None:
        with socket.create_connection(listening.getsockname()) as first:  # the queue is full: the next one waits
            worker = start(DELIVER, EMAIL_URL=f"smtp://127.0.0.1:{receiver.port}")
            until(DeliveryAttempt.objects.exists)
            kill(worker)
            first.close()
            with served(listening, receiver, handler_of(channel)):
                assert finish(receiver).state == "sent"
        assert len(receiver.ids) == 1
        assert errors() == ["cut off before anything was sent", ""]

    def test_when_the_message_has_arrived_and_is_not_answered(
        self, start: Start, channel: Channel, listening: socket.socket, receiver: Receiver
    ) -> None:
        with served(listening, receiver, handler_of(channel)):
            worker = start(DELIVER, EMAIL_URL=f"smtp://127.0.0.1:{receiver.port}")
            assert receiver.has_received.wait(60)
            kill(worker)
            self.settle(channel, receiver)

    def test_when_it_was_answered_and_that_is_not_written_down(
        self, start: Start, channel: Channel, listening: socket.socket, receiver: Receiver
    ) -> None:
        with served(listening, receiver, handler_of(channel)), psycopg.connect(database_url()) as blocker:
            worker = start(DELIVER, EMAIL_URL=f"smtp://127.0.0.1:{receiver.port}")
            assert receiver.has_received.wait(60)
            blocker.execute("LOCK TABLE alert_delivery_attempts IN EXCLUSIVE MODE")
            receiver.may_answer.set()
            until(is_waiting)
            kill(worker)
            blocker.rollback()
            until(lambda: not is_waiting())
            self.settle(channel, receiver)

    def settle(self, channel: Channel, receiver: Receiver) -> None:
        """Slack is not told twice; the others are, by a name that says that it is the same message."""
        state = finish(receiver).state
        if channel.kind == "slack":
            assert (state, len(receiver.ids)) == ("unknown", 1)
            assert errors() == ["cut off while waiting for the answer"]
        else:
            assert (state, len(receiver.ids), len(set(receiver.ids))) == ("sent", 2, 1)
            assert errors() == ["cut off while waiting for the answer", ""]
