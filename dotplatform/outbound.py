"""HTTP to addresses that people typed in: never into the platform's own network, and redirects are not followed."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.encoding import iri_to_uri

TIMEOUT_S = 10.0  # to connect, and for each step
TOTAL_S = 20.0  # whatever the other side does
MAX_ANSWER_BYTES = 64 * 1024


class OutboundError(Exception):
    """Why nothing was sent, or no answer came."""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: its status and the beginning of its body."""

    status: int
    body: bytes


def post(url: str, body: bytes, headers: dict[str, str], before_sending: Callable[[], None] = lambda: None) -> Answer:
    """POST *body*; redirects are answers like any other. Raises ``OutboundError``.

    *before_sending* is called once connected: until then the other side has certainly received nothing.

    The address is looked up once and connected to as looked up: a name that points to the outside when it is checked
    and to the inside when it is used (DNS rebinding) gains nothing.
    """
    to = _read(url)
    deadline: threading.Timer | None = None
    connection: http.client.HTTPConnection | None = None
    try:
        connection = http.client.HTTPConnection(to.host, to.port, timeout=TIMEOUT_S)
        connection.sock = _connect(to)
        deadline = threading.Timer(TOTAL_S, _cut, [connection.sock])  # an answer may come a byte at a time for hours
        deadline.start()
        before_sending()
        connection.request("POST", to.path, body, {"User-Agent": f"DOT-Platform/{settings.DOT_VERSION}", **headers})
        response = connection.getresponse()
        return Answer(response.status, response.read(MAX_ANSWER_BYTES))
    except (OSError, http.client.HTTPException, UnicodeError) as error:  # the last: a name that no DNS can hold
        raise OutboundError(f"{type(error).__name__}: {error}") from error
    finally:
        if deadline:
            deadline.cancel()
        if connection:
            connection.close()


class _Address(NamedTuple):
    host: str
    port: int
    is_secure: bool
    path: str


def _read(url: str) -> _Address:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise OutboundError(f"Not an address: {error}") from error
    if parts.scheme not in {"http", "https"} or not host:
        raise OutboundError("Only http:// and https:// addresses can be called.")
    is_secure = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return _Address(host, port or (443 if is_secure else 80), is_secure, iri_to_uri(path))


def _cut(connected: socket.socket) -> None:
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _connect(to: _Address) -> socket.socket:
    found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found]
    if not settings.OUTBOUND_ALLOW_PRIVATE and not all(map(is_public, addresses)):
        raise OutboundError(f"{to.host} is a private address. OUTBOUND_ALLOW_PRIVATE=on would allow it.")
    plain = socket.create_connection((addresses[0], to.port), TIMEOUT_S)
    return ssl.create_default_context().wrap_socket(plain, server_hostname=to.host) if to.is_secure else plain


def is_public(address: str) -> bool:
    """Whether an IP address lies on the open internet: not this machine, its network, or a cloud's metadata service."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ip.sixtofour or ip
    return ip.is_global and not ip.is_multicast
