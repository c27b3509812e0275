"""A small shop with sign-in and orders, in memory, that can be broken; and everything needed to probe it."""

from __future__ import annotations

import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fixtures.environment import Environment
from fixtures.http import HttpProbe, Line
from fixtures.identity import Identity
from fixtures.ledger import Ledger
from fixtures.permissions import WritePermission
from fixtures.records import Records
from fixtures.release import Release
from fixtures.run import Run
from fixtures.secrets import Vault
from fixtures.sign_in import Tokens
from tests.probes.servers import Server, application, json_response, response, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.database import Database

PASSWORD = "canary-password"  # noqa: S105  of a user that lives as long as a test
PRODUCT = 9001
"""What the shop stores as every order's product; the run orders 9001."""

TOKEN = "canary-token-0123456789"  # noqa: S105  as above

REFUSALS = {"create refuses": 400, "conflict": 409, "create 500": 500}
"""Faults that answer a creation so, and store nothing."""

RELEASE: dict[str, Any] = {
    "version": "1.0.0",
    "roles": ["clerk", "guest"],
    "health": {"path": "/health", "ready": {"status": "ok"}},
    "sign_in": {
        "path": "/login",
        "body": {"username": "{username}", "password": "{password}"},
        "token": "access_token",
        "token_type": {},
        "role": "clerk",
    },
    "endpoints": [
        {
            "name": "list",
            "method": "GET",
            "path": "/orders",
            "kind": "list",
            "list_field": "items",
            "role": "clerk",
        },
        {
            "name": "read",
            "method": "GET",
            "path": "/orders/{id}",
            "kind": "read",
            "ids_from": "list",
            "role": "clerk",
        },
        {
            "name": "create",
            "method": "POST",
            "path": "/orders",
            "kind": "create",
            "status": 201,
            "role": "clerk",
        },
        {
            "name": "delete",
            "method": "DELETE",
            "path": "/orders/{id}",
            "kind": "delete",
            "status": 204,
            "role": "clerk",
        },
    ],
    "records": {
        "order": {
            "create": "create",
            "read": "read",
            "list": "list",
            "delete": "delete",
            "body": {"product": "{sentinel:product}", "notes": "{mark}"},
            "mark_field": "notes",
        }
    },
}


@dataclass
class Shop:
    """What the shop holds, what has been asked of it, and what is wrong with it."""

    orders: dict[int, dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    faults: set[str] = field(default_factory=set)
    health: dict[str, Any] = field(
        default_factory=lambda: {
            "status": "ok",
            "environment": "tried",
            "build": {"version": "1.0.0", "commit": "abc"},
        }
    )
    last_id: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> bytes | None:
        with self.lock:
            path, _, query = target.partition("?")
            self.asked.append(f"{method} {path}")
            if path == "/health":
                return self._health()
            if path == "/login":
                return self._login(body)
            if headers.get("authorization") != f"Bearer {TOKEN}":
                return json_response(401, {"detail": "no token"})
            return self._orders(method, path, query, body)

    def _orders(self, method: str, path: str, query: str, body: bytes) -> bytes | None:
        if path == "/orders":
            return self._create(body) if method == "POST" else self._list(query)
        id_ = int(path.rpartition("/")[2])
        if method == "PATCH":
            return self._change(id_, body)
        return self._delete(id_) if method == "DELETE" else self._read(id_)

    def add(self, notes: str) -> int:
        self.last_id += 1
        order = {"id": self.last_id, "product": PRODUCT, "notes": notes, "shelf": "A1"}
        self.orders[self.last_id] = order
        return self.last_id

    def _health(self) -> bytes | None:
        if "health hangs" in self.faults:
            return None
        return json_response(500 if "health 500" in self.faults else 200, self.health, {"X-Commit": "def"})

    def _login(self, body: bytes) -> bytes | None:
        if "sign-in hangs" in self.faults:
            return None
        if "sign-in 500" in self.faults:
            return response(500, b"Traceback: no")
        if json.loads(body)["password"] != PASSWORD:
            return json_response(401, {"detail": "wrong"})
        if "sign-in without token" in self.faults:
            return json_response(200, {"token_type": "bearer"})
        tokens = {"access_token": TOKEN, "token_type": "bearer", "refresh_token": "canary-refresh-0123456789"}
        return json_response(200, tokens, {"Set-Cookie": "sid=canary-cookie-0123456789; HttpOnly"})

    def _create(self, body: bytes) -> bytes | None:
        sent = json.loads(body)
        refusals = [status for fault, status in REFUSALS.items() if fault in self.faults]
        if refusals:
            return json_response(refusals[0], {"detail": "no"})
        if "create 201 persists nothing" in self.faults:
            return json_response(201, {"id": 4711, **sent})
        id_ = self.add(sent["notes"])
        if "create 500 commits" in self.faults:
            return json_response(500, {"detail": "no"})
        if "create hangs and commits" in self.faults:
            return None
        made = {} if "create without id" in self.faults else self._shown(self.orders[id_])
        return json_response(201, {"data": made} if "create wraps" in self.faults else made)

    def _list(self, query: str) -> bytes:
        if "list 500" in self.faults:
            return json_response(500, {"detail": "no"})
        skip = int(re.sub(r".*skip=(\d+).*", r"\1", query) or 0) if "skip=" in query else 0
        limit = int(re.sub(r".*limit=(\d+).*", r"\1", query)) if "limit=" in query else 50
        rows = [] if "list hides" in self.faults else sorted(self.orders.values(), key=lambda row: row["id"])
        return json_response(200, {"items": [self._shown(row) for row in rows[skip : skip + limit]]})

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        hidden = {"notes"} if "marks are not shown" in self.faults else set()
        return {name: value for name, value in row.items() if name not in hidden}

    def _read(self, id_: int) -> bytes | None:
        if "read hangs" in self.faults:
            return None
        return (
            json_response(200, self._shown(self.orders[id_]))
            if id_ in self.orders
            else json_response(404, {"detail": "gone"})
        )

    def _change(self, id_: int, body: bytes) -> bytes:
        changed = {**self.orders[id_], **json.loads(body)}
        if "change 200 changes nothing" not in self.faults:
            self.orders[id_].update({name: changed[name] for name in self.orders[id_]})
        return json_response(200, changed)

    def _delete(self, id_: int) -> bytes:
        if "delete 500" in self.faults:
            return json_response(500, {"detail": "no"})
        if "delete 204 removes nothing" in self.faults:
            return response(204)
        return response(204) if self.orders.pop(id_, None) else json_response(404, {"detail": "gone"})


class Check:
    """Stands for the check that is running."""

    def __init__(self, *markers: str) -> None:
        self._markers = markers

    def get_closest_marker(self, name: str) -> object | None:
        return name if name in self._markers else None


@dataclass
class World:
    """The shop, and a run that probes it."""

    folder: Path
    shop: Shop
    server: Server
    run: Run
    vault: Vault
    line: Line
    identity: Identity
    tokens: Tokens
    permission: WritePermission
    api: HttpProbe
    records: Records
    ledger: Ledger

    def checking(self, *markers: str) -> None:
        """Let a check with these markers be the one that is running."""
        self.permission._check = Check(*markers)  # type: ignore[assignment]  # noqa: SLF001  stands for pytest


def released(**changes: Any) -> Release:
    """Return the shop's release, with changes."""
    return Release.model_validate({**RELEASE, **changes})


def environment(url: str, **parts: Any) -> Environment:
    """Return the shop's environment; the password is in the variable SHOP_PASSWORD."""
    return Environment.model_validate(
        {
            "name": "tried",
            "release": "1.0.0",
            "writes": "own-records",
            "identity": {"environment": {"field": "environment", "equals": "tried"}},
            "api": {"url": url},
            "roles": {"clerk": {"username": "clerk", "password": "env:SHOP_PASSWORD"}},
            "sentinels": {"product": 9001},
            "limits": {"request_timeout_s": 0.4},
            **parts,
        }
    )


@contextmanager
def world(
    folder: Path,
    shop: Shop,
    *,
    url: str | None = None,
    run_id: str = "20261122T191500Z-3fa9",
    release: Release | None = None,
    database: Callable[[Run, Identity], Database] | None = None,
    **parts: Any,
) -> Iterator[World]:
    """Serve a shop (unless one is served already, at ``url``), and make what probes it."""
    release = release or released()
    scratch = folder / run_id
    scratch.mkdir(exist_ok=True)
    run = Run(run_id, scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))
    with serving(application(shop.answer)) as server:
        described = environment(url or server.url, **parts)
        assert described.api is not None
        vault = Vault(scratch, str)
        line = Line("api", place=described.api, environment=described, headers={}, run=run, vault=vault)
        identity = Identity(line, described, release, run)
        tokens = Tokens(line, environment=described, release=release, run=run, vault=vault, identity=identity)
        permission = WritePermission(described)
        api = HttpProbe(
            line, before=identity.require, authorise=tokens.headers, permit=permission, open_path="/health"
        )
        ledger = Ledger(folder / "ledger", run.id)
        records = Records(
            api=api,
            database=database(run, identity) if database else None,
            environment=described,
            release=release,
            run=run,
            identity=identity,
            permission=permission,
            ledger=ledger,
        )
        made = World(
            folder, shop, server, run, vault, line, identity, tokens, permission, api, records, ledger
        )
        made.checking("writes")
        try:
            yield made
        finally:
            ledger.close()
            line.close()
