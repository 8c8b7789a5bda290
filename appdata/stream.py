"""Event streams: ``GET /api/apps/{app_id}/events``, served by a small ASGI process of its own.

One query at a time asks for the revisions of all installations that somebody listens to; only where one has gone up
are changes read, once for all who wait at the same place. Writers do nothing for it (see docs/design/change-feed.md).
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar
from urllib.parse import parse_qs
from uuid import UUID

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop as _

from appdata.access import place_for
from appdata.services import LARGEST_REVISION, Changes, Place, list_changes, list_heads
from dotplatform import logs
from dotplatform.api.authentication import Credential, authenticate
from dotplatform.api.envelope import error_response
from dotplatform.api.errors import (
    ApiError,
    Maintenance,
    MethodNotAllowed,
    NotFound,
    RateLimited,
    Unauthorized,
    Unavailable,
    ValidationFailed,
)
from dotplatform.api.failures import as_api_error
from dotplatform.api.guard import CORS_HEADERS, PREFLIGHT_HEADERS
from dotplatform.limits import LIMITS
from dotplatform.middleware import identifier_for
from dotplatform.models import Platform

logger = logging.getLogger(__name__)

POLL_S = 0.2
POLL_LATE_S = 0.5
POLL_SHARE = 0.02  # of its time: asking for many, or on a busy machine, it asks less often, down to POLL_LATE_S
HEARTBEAT_S = 15.0
RETRY_MS = 2000  # how long a browser waits before it connects again
MOST_LISTENERS = 5000
RETRY_FULL_S = 30  # how long who has too many streams waits: one of them may have ended by then
PAGE_ITEMS = 1000
PAGE_BYTES = 1024 * 1024
DATABASE_THREADS = 4

TOO_MANY = _("You have %(limit)s event streams open, which is the most for one person. Close one, or wait.")
_PATH = re.compile(r"/api/apps/([^/]+)/events")
_HEADERS = {
    **CORS_HEADERS,
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would hold events back
    "X-Content-Type-Options": "nosniff",
}
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
T = TypeVar("T")


class Feed:
    """One installation that somebody listens to."""

    def __init__(self) -> None:
        self.head = 0
        self.is_gone = False
        self.listeners = 0
        self.moved: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.pages: dict[int, asyncio.Task[Changes]] = {}  # being read: those who wait at one place share a page

    def move(self, head: int) -> None:
        """Wake everybody up: there is something new, or the installation is gone."""
        self.head, self.is_gone = head, head < 0
        self.pages.clear()
        self.moved.set_result(None)
        self.moved = asyncio.get_running_loop().create_future()


class EventStreams:
    """The ASGI application. *is_stopping* tells it that the server wants to end."""

    def __init__(self) -> None:
        self.is_stopping: Callable[[], bool] = lambda: False
        self._feeds: dict[Place, Feed] = {}
        self._listeners: Counter[UUID] = Counter()  # streams of each person, in this process
        self._poller: asyncio.Task[None] | None = None
        self._stopped = False
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="database")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            send = _as_every_answer(scope, send)
            try:
                await self._answer(scope, receive, send)
            except Exception as error:
                known = as_api_error(error)
                if known is None:
                    logger.exception("%s %s failed", scope["method"], scope["path"])
                await _send_response(send, error_response(known or ApiError()))

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": f"{message['type']}.complete"})
        self._stopped = True
        await send({"type": "lifespan.shutdown.complete"})

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            return await _send_response(send, HttpResponse(status=204, headers=PREFLIGHT_HEADERS))
        if scope["path"] == "/api/health/live":
            return await _send_response(send, HttpResponse(b"{}", content_type="application/json"))
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        match = _PATH.fullmatch(scope["path"])
        token = headers.get("authorization", "")
        place = await self._in_thread(_place, token, match[1] if match else None)
        if scope["method"] not in {"GET", "HEAD"}:
            raise MethodNotAllowed(headers={"Allow": "GET, HEAD, OPTIONS"})
        since = _since(headers, scope["query_string"])
        with self._counted(place.user_id):
            page = await self._in_thread(_read, place, since)  # 404 and 410 are answered, not streamed
            await _begin_stream(send)
            if scope["method"] == "GET":
                await self._stream(place, token, page, receive, send)
        with suppress(OSError):
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        return None

    @contextmanager
    def _counted(self, person: UUID) -> Iterator[None]:
        """Count a stream of *person* while it lasts. Raises where they, or all together, have as many as may be."""
        limit = LIMITS["person_streams"]
        if self._listeners[person] >= limit:
            raise RateLimited(RETRY_FULL_S, message=TOO_MANY, params={"limit": limit}, details={"limit": limit})
        if self._listeners.total() >= MOST_LISTENERS:
            raise Unavailable
        self._listeners[person] += 1
        try:
            yield
        finally:
            self._listeners[person] -= 1
            if not self._listeners[person]:
                del self._listeners[person]

    async def _stream(self, place: Place, token: str, page: Changes, receive: Receive, send: Send) -> None:
        """Send *page* and everything after it, until the caller, its token, the installation or the server ends."""
        feed = self._join(place, page.head)
        disconnected = asyncio.ensure_future(_disconnect(receive))
        try:
            await _send_part(send, b"retry: %d\n\n" % RETRY_MS + page.body)
            since = page.last
            while not (feed.is_gone or disconnected.done() or self._is_ending()):
                if since < feed.head or since < page.head:
                    page = await self._page_after(feed, place, since)
                    await _send_part(send, page.body)
                    since = page.last
                    continue
                done, _pending = await asyncio.wait(
                    {feed.moved, disconnected}, timeout=HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    await self._in_thread(_recheck, token, place)  # token or consent may have ended meanwhile
                    await _send_part(send, b": still here\n\n")
        except (ApiError, DatabaseError) as error:
            logger.info("A stream ends: %s", error)  # the caller comes again and is told why
        finally:
            disconnected.cancel()
            self._leave(place, feed)

    def _join(self, place: Place, head: int) -> Feed:
        feed = self._feeds.get(place)
        if feed is None or feed.is_gone:
            feed = self._feeds[place] = Feed()
            feed.head = head
        feed.listeners += 1
        if self._poller is None or self._poller.done():
            self._poller = asyncio.create_task(self._poll())
        return feed

    def _leave(self, place: Place, feed: Feed) -> None:
        feed.listeners -= 1
        if feed.listeners == 0 and self._feeds.get(place) is feed:
            del self._feeds[place]

    async def _page_after(self, feed: Feed, place: Place, since: int) -> Changes:
        if since not in feed.pages:
            feed.pages[since] = asyncio.ensure_future(self._in_thread(_read, place, since))
        return await asyncio.shield(feed.pages[since])

    async def _poll(self) -> None:
        """Ask for all heads again and again, as long as somebody listens."""
        while self._feeds:
            if self._is_ending():
                for feed in self._feeds.values():
                    feed.move(feed.head)
                return
            places = list(self._feeds)
            asked_at = time.monotonic()
            try:
                heads = await self._in_thread(list_heads, places)
            except DatabaseError as error:
                logger.warning("The database does not answer: %s", str(error).strip())
                await asyncio.sleep(1.0)
                continue
            for place, head in zip(places, heads, strict=True):
                moved = self._feeds.get(place)
                if moved is not None and (head > moved.head or head < 0):
                    moved.move(head)
            await asyncio.sleep(pause_after(time.monotonic() - asked_at))

    def _is_ending(self) -> bool:
        return self._stopped or self.is_stopping()

    async def _in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def pause_after(poll_s: float) -> float:
    """How many seconds to wait after a poll that took *poll_s*."""
    return min(max(POLL_S, poll_s / POLL_SHARE), POLL_LATE_S)


def _place(token: str, app_id: str | None) -> Place:
    """Whose data in which app *token* lets its bearer read; raises like the API's guard."""
    request = HttpRequest()
    request.META["HTTP_AUTHORIZATION"] = token
    credential: Credential | None = authenticate(request) if token else None
    if credential is None:
        raise Unauthorized
    if Platform.objects.in_maintenance():
        raise Maintenance
    if app_id is None:
        raise NotFound
    return place_for(credential, app_id, "read")


def _recheck(token: str, place: Place) -> None:
    _place(token, place.app_id)
    if place.is_shared:
        _read(place, None)


def _read(place: Place, since: int | None) -> Changes:
    return list_changes(place, since, limit=PAGE_ITEMS, page_bytes=PAGE_BYTES, as_events=True)


def _since(headers: dict[str, str], query: bytes) -> int | None:
    """Where to go on: ``Last-Event-ID``, else ``?since=``, else from now on."""
    given = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("since", [None])[0]
    for name, text in (("Last-Event-ID", headers.get("last-event-id")), ("since", given)):
        if text is not None:
            if not (text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= LARGEST_REVISION):
                bounds = {"minimum": 0, "maximum": LARGEST_REVISION}
                raise ValidationFailed.of(name, _("A whole number from %(minimum)s to %(maximum)s."), bounds)
            return int(text)
    return None


async def _disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _as_every_answer(scope: Scope, send: Send) -> Send:
    """*send* that names the request's id in the answer (the log has it too), and no content where HEAD was asked."""
    given = dict(scope["headers"]).get(b"x-request-id", b"").decode("latin-1")
    identifier = identifier_for(given)
    logs.request_id.set(identifier)

    async def finished(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], (b"x-request-id", identifier.encode())]}
        elif scope["method"] == "HEAD":
            message = {**message, "body": b""}
        await send(message)

    return finished


async def _begin_stream(send: Send) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _send_part(send: Send, body: bytes) -> None:
    if body:
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_response(send: Send, response: HttpResponse) -> None:
    named = {**CORS_HEADERS, **dict(response.items()), "Content-Length": str(len(response.content))}
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in named.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.content})
