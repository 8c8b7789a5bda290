"""Who is asking, for the rate limit: a keyed hash that changes every day, never the address itself."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from datetime import UTC, datetime
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest

from dotplatform.api.authentication import Credential


class Budget(NamedTuple):
    """So many requests at once, and so many a second after that."""

    burst: int
    per_second: float


# An office shares one address; a person's browser sends a beacon or two a page.
PER_ADDRESS = Budget(burst=300, per_second=5.0)
PER_PERSON = Budget(burst=120, per_second=2.0)


def limits_for(request: HttpRequest, credential: Credential | None) -> dict[str, Budget]:
    """The budgets a request draws on, by key. Empty where rate limits are off."""
    if not settings.RATE_LIMITS_ENABLED:
        return {}
    limits = {_key("address", client_network(request)): PER_ADDRESS}
    if credential is not None:
        limits[_key("person", credential.user_id.hex)] = PER_PERSON
    return limits


def _key(kind: str, who: str) -> str:
    today = datetime.now(UTC).date().isoformat()
    return hmac.digest(settings.SECRET_KEY.encode(), f"{kind}\n{today}\n{who}".encode(), hashlib.sha256)[:16].hex()


def client_network(request: HttpRequest) -> str:
    """The client's IPv4 address or IPv6 /64 (one household or machine), as the nearest trusted proxy saw it."""
    given: str = request.META.get("REMOTE_ADDR", "")
    if getattr(settings, "SECURE_PROXY_SSL_HEADER", None):  # TRUST_PROXY_HEADERS: the last hop is our proxy's word
        given = request.META.get("HTTP_X_FORWARDED_FOR", given).rpartition(",")[2].strip()
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return given[:64]
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:  # how a socket for both kinds names an IPv4 client: all of them are in one /64
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))
