"""The certificate of PUBLIC_URL, as `preflight` sees it on a real TLS connection."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from dotplatform.operations import preflight

Serve = Callable[[timedelta, timedelta], None]


def _certificate(began: datetime, ends: datetime) -> bytes:
    """Key and certificate of 127.0.0.1, signed by itself, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), began, ends)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return private + builder.sign(key, hashes.SHA256()).public_bytes(pem)


@pytest.fixture
def serve(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """``serve(age, left)``: PUBLIC_URL leads to a server whose certificate has that age and that much left."""
    listening = socket.create_server(("127.0.0.1", 0))
    settings.PUBLIC_URL = f"https://127.0.0.1:{listening.getsockname()[1]}"

    def make(age: timedelta, left: timedelta) -> None:
        now = datetime.now(UTC)
        file = tmp_path / "server.pem"
        file.write_bytes(_certificate(now - age, now + left))
        monkeypatch.setenv("SSL_CERT_FILE", str(file))  # whom this machine trusts
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        threading.Thread(target=lambda: context.wrap_socket(listening.accept()[0], server_side=True).close()).start()

    yield make
    listening.close()


@pytest.mark.parametrize(
    ("age", "left"), [(timedelta(days=60), timedelta(days=30)), (timedelta(hours=4), timedelta(hours=8))]
)
def test_one_that_is_renewed_in_time_is_fine(serve: Serve, age: timedelta, left: timedelta) -> None:
    serve(age, left)
    preflight._certificate()


@pytest.mark.parametrize(
    ("age", "left"), [(timedelta(days=80), timedelta(days=10)), (timedelta(hours=11), timedelta(hours=1))]
)
def test_one_that_should_have_been_renewed_is_named(serve: Serve, age: timedelta, left: timedelta) -> None:
    serve(age, left)
    with pytest.raises(preflight.Finding, match="the certificate ends on"):
        preflight._certificate()
