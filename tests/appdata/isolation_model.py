"""Who may see what, as a model small enough to be believed: the rule, the data, and what each operation does to it.

``test_isolation_model.py`` asks the platform and the model the same things. The rule is ``Model.data_for``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode

READ, WRITE, DELETE = "data:read", "data:write", "data:delete"
Place = tuple[str, str]  # person, app


class Refused(Exception):
    """The HTTP status of an answer that says nothing and changes nothing."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True)
class Token:
    """What a bearer was given: one *person*, some *scopes*, some *apps* (None: all of the person's)."""

    person: str
    scopes: frozenset[str]
    apps: frozenset[str] | None


@dataclass
class Data:
    """Of one person in one app."""

    entries: dict[str, tuple[Any, int]] = field(default_factory=dict)  # key → value, revision
    tombstones: dict[str, int] = field(default_factory=dict)  # key → revision
    receipts: dict[str, tuple[str, Any]] = field(default_factory=dict)  # Idempotency-Key → body, answer
    head: int = 0

    def revision(self, key: str) -> int:
        return self.entries[key][1] if key in self.entries else 0

    def put(self, key: str, value: Any) -> None:
        self.head += 1
        self.tombstones.pop(key, None)
        self.entries[key] = (value, self.head)

    def delete(self, key: str) -> None:
        self.head += 1
        del self.entries[key]
        self.tombstones[key] = self.head

    def entry(self, key: str, *, with_value: bool = True) -> dict[str, Any]:
        value, revision = self.entries[key]
        return {"key": key, "revision": revision} | ({"value": value} if with_value else {})

    @property
    def bytes(self) -> int:
        return sum(len(key.encode()) + len(json_text(value)) for key, (value, _) in self.entries.items())


@dataclass
class Model:
    """The world: who has which app, with what in it."""

    installed: dict[Place, Data] = field(default_factory=dict)
    kept: dict[Place, Data] = field(default_factory=dict)  # uninstalled, data kept
    grants: dict[Place, set[tuple[str, str]]] = field(default_factory=dict)  # who asks → which app, scope
    deactivated: set[str] = field(default_factory=set)

    def data_for(self, token: Token | None, app: str, operation: Operation) -> Data:
        """The data that *operation* in *app* is about, for the bearer of *token* (None: no valid one).

        A valid token, for this app, with the scopes, of a person who has the app: that person's data in that app. With
        a token for another app alone, the same as far as the person granted that app. Everything else is refused, in
        this order, so that nothing is told about what somebody may not see.
        """
        if token is None or token.person in self.deactivated:
            raise Refused(401)
        granted = None
        if token.apps is not None and app not in token.apps:
            granted = self.granted(token.person, token.apps, app)
            if not granted:
                raise Refused(404)
        if not operation.scopes <= token.scopes:
            raise Refused(403)
        if granted is not None and not operation.scopes | ({READ} if operation.reveals else set()) <= granted:
            raise Refused(403)
        if (token.person, app) not in self.installed:
            raise Refused(404)
        return self.installed[token.person, app]

    def granted(self, person: str, asking: frozenset[str], app: str) -> set[str]:
        """What *person* lets the one app that is *asking* do in *app*; with several, nobody could say which asks."""
        place = (person, min(asking))
        if len(asking) > 1 or place not in self.installed:
            return set()
        return {scope for where, scope in self.grants.get(place, set()) if where == app}

    def grant(self, place: Place, grants: set[tuple[str, str]]) -> None:
        """Let the app at *place* do what *grants* say (another app, a scope), and nothing else any more."""
        if place in self.installed:
            self.grants[place] = grants

    def install(self, place: Place) -> None:
        self.installed.setdefault(place, self.kept.pop(place, Data()))

    def uninstall(self, place: Place, *, keep: bool) -> None:
        self.grants.pop(place, None)
        data = self.installed.pop(place, None) or self.kept.pop(place, None)
        if data is not None and keep:
            self.kept[place] = data


Request = tuple[str, str, str, dict[str, str]]  # method, path below the app, body, headers


class Operation(Protocol):
    """Something to ask of an app's data. *mark* is a text that occurs nowhere else; values are made of it."""

    @property
    def scopes(self) -> set[str]: ...

    @property
    def reveals(self) -> bool:
        """Whether the answer of this write says something of what was there."""

    def request(self, mark: str) -> Request: ...

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        """Do it to *data*: the status, and the answer's data (None: not looked at)."""


@dataclass(frozen=True)
class Get:
    key: str
    method: str = "GET"  # or HEAD
    scopes = {READ}
    reveals = True

    def request(self, mark: str) -> Request:
        return self.method, f"data/{quote(self.key)}", "", {}

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        if self.key not in data.entries:
            return 404, None
        return 200, data.entry(self.key) if self.method == "GET" else ""


@dataclass(frozen=True)
class Write:
    """PUT, PATCH or DELETE, perhaps only of the revision *match*."""

    method: str
    key: str
    match: int | None = None

    @property
    def scopes(self) -> set[str]:
        return {DELETE} if self.method == "DELETE" else {WRITE}

    @property
    def reveals(self) -> bool:
        return self.match is not None

    def request(self, mark: str) -> Request:
        headers = {} if self.match is None else {"if-match": f'"{self.match}"'}
        body = {"PUT": json.dumps(mark), "PATCH": json.dumps({"by": mark}), "DELETE": ""}[self.method]
        return self.method, f"data/{quote(self.key)}", body, headers

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        is_new = self.key not in data.entries
        if self.method != "PUT" and is_new:
            return 404, None
        if self.match is not None and (is_new or self.match != data.revision(self.key)):
            return 412, None
        if self.method == "DELETE":
            data.delete(self.key)
            return 204, ""
        data.put(self.key, mark if self.method == "PUT" else merged(data.entries[self.key][0], {"by": mark}))
        return 201 if is_new else 200, data.entry(self.key, with_value=False)


@dataclass(frozen=True)
class List:
    prefix: str
    limit: int
    values: bool
    scopes = {READ}
    reveals = True

    def request(self, mark: str) -> Request:
        query = {"prefix": self.prefix, "limit": self.limit, "values": str(self.values).lower()}
        return "GET", f"data?{urlencode(query)}", "", {}

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        keys = [key for key in in_order(data.entries) if key.startswith(self.prefix)]
        items = [data.entry(key, with_value=self.values) for key in keys[: self.limit]]
        return 200, {"items": items, "cursor": len(keys) > self.limit}


@dataclass(frozen=True)
class Changes:
    since: int
    limit: int
    scopes = {READ}
    reveals = True

    def request(self, mark: str) -> Request:
        return "GET", f"changes?since={self.since}&limit={self.limit}", "", {}

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        if self.since > data.head:
            return 410, None
        changed = [data.entry(key) | {"deleted": False} for key in data.entries]
        changed += [{"key": key, "revision": at, "deleted": True} for key, at in data.tombstones.items()]
        after = sorted((each for each in changed if each["revision"] > self.since), key=lambda each: each["revision"])
        return 200, {"items": after[: self.limit], "head": data.head, "more": len(after) > self.limit}


@dataclass(frozen=True)
class Usage:
    scopes = {READ}
    reveals = True

    def request(self, mark: str) -> Request:
        return "GET", "usage", "", {}

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        return 200, {"keys": len(data.entries), "bytes": data.bytes}


@dataclass(frozen=True)
class Export:
    scopes = {READ}
    reveals = True

    def request(self, mark: str) -> Request:
        return "GET", "export", "", {}

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        return 200, [data.entry(key) for key in in_order(data.entries)] or ""


@dataclass(frozen=True)
class Import:
    keys: tuple[str, ...]
    mode: str
    dry_run: bool
    constant: bool  # the same value every time, so that some are there already
    SAME = "the same"
    reveals = True

    @property
    def scopes(self) -> set[str]:
        return {WRITE, DELETE} if self.mode == "replace" else {WRITE}

    def _value(self, mark: str) -> str:
        return self.SAME if self.constant else mark

    def request(self, mark: str) -> Request:
        lines = [json.dumps({"key": key, "value": self._value(mark)}) + "\n" for key in self.keys]
        query = urlencode({"mode": self.mode, "dry_run": str(self.dry_run).lower()})
        return "POST", f"import?{query}", "".join(lines), {"content-type": "application/x-ndjson"}

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        result = deepcopy(data)
        done = {"created": 0, "changed": 0, "unchanged": 0, "deleted": 0, "dry_run": self.dry_run}
        for key in self.keys:
            before = result.entries.get(key, (None, 0))[0]
            what = "created" if before is None else "unchanged" if before == self._value(mark) else "changed"
            done[what] += 1
            if what != "unchanged":
                result.put(key, self._value(mark))
        for key in in_order(set(result.entries) - set(self.keys)) if self.mode == "replace" else []:
            result.delete(key)
            done["deleted"] += 1
        if not self.dry_run:
            data.__dict__.update(result.__dict__)
        return 200, done | {"head": data.head}


@dataclass(frozen=True)
class Batch:
    steps: tuple[tuple[str, str, int | None], ...]  # op, key, revision
    once: str | None  # the Idempotency-Key

    @property
    def scopes(self) -> set[str]:
        needed = {"put": WRITE, "patch": WRITE, "increment": WRITE, "delete": DELETE, "check": READ}
        return {needed[op] for op, _, _ in self.steps}

    @property
    def reveals(self) -> bool:
        return any(op in {"increment", "check"} or revision is not None for op, _, revision in self.steps)

    def request(self, mark: str) -> Request:
        operations = []
        for op, key, revision in self.steps:
            operation: dict[str, Any] = {"op": op, "key": key}
            if op in {"put", "patch"}:
                operation["value"] = mark if op == "put" else {"by": mark}
            if revision is not None or op == "check":
                operation["revision"] = revision or 0
            operations.append(operation)
        headers = {"idempotency-key": self.once} if self.once else {}
        return "POST", "batch", json.dumps({"operations": operations}), headers

    def on(self, data: Data, mark: str) -> tuple[int, Any]:
        _, _, body, _ = self.request(mark)
        if self.once in data.receipts:
            known, answer = data.receipts[self.once]
            return (200, answer) if known == body else (422, None)
        result = deepcopy(data)
        results = []
        for op, key, revision in self.steps:
            status, more = self._step(result, op, key, revision, mark)
            if status >= 400:
                return status, None
            at = result.revision(key) if op == "check" else result.head
            results.append({"op": op, "key": key, "status": status, "revision": at, **more})
        answer = {"results": results, "head": result.head}
        if self.once:
            result.receipts[self.once] = (body, answer)
        data.__dict__.update(result.__dict__)
        return 200, answer

    def _step(self, data: Data, op: str, key: str, revision: int | None, mark: str) -> tuple[int, dict[str, Any]]:
        old = data.entries.get(key, (None, 0))[0]
        if (revision is not None or op == "check") and (revision or 0) != data.revision(key):
            return 412, {}
        if op in {"patch", "delete"} and old is None:
            return 404, {}
        if op == "increment" and not isinstance(old, int | None):
            return 409, {}
        match op:
            case "put":
                data.put(key, mark)
            case "patch":
                data.put(key, merged(old, {"by": mark}))
            case "increment":
                data.put(key, (old or 0) + 1)
                return 201 if old is None else 200, {"value": (old or 0) + 1}
            case "delete":
                data.delete(key)
                return 204, {}
        return 201 if old is None and op == "put" else 200, {}


def merged(target: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """RFC 7396, as far as it is used here."""
    return (target if isinstance(target, dict) else {}) | patch


def in_order(keys: Iterable[str]) -> list[str]:
    """By their bytes."""
    return sorted(keys, key=str.encode)


def json_text(value: Any) -> bytes:
    """As PostgreSQL writes it."""
    return json.dumps(value, ensure_ascii=False).encode()
