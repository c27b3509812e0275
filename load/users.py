"""Simulated users: what one asks for, when, and what is recorded of it. Runs under gevent only.

One ``Generator`` per process holds what its users share; ``ReleaseUser`` is the Locust user.
"""

from __future__ import annotations

import bisect
import json
import random
import re
import time
from itertools import accumulate, chain, repeat
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import gevent
from locust import User
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from fixtures.placeholders import at, fill
from fixtures.tokens import jwt_claims
from load.client import Connection, NoUsableAnswer, Peer
from load.plan import Life, Plan, Request, arrivals_s, ids_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from load.http1 import Answer
    from load.recorder import Recorder

_TOO_MANY_REQUESTS = 429
_PAUSE_AFTER_SILENCE_S = 0.5  # a person, too, does not press the button a thousand times a second
_PROBE_S = 0.1
_JSON = "application/json"
_LEAST_PAUSE_S = 1.0
"""Between two sign-ins as one role, however short-lived its tokens are."""

_RENEWED_AT = 0.8
"""Share of a token's lifetime after which another is fetched: a request under way still arrives with it."""


class CannotBegin(Exception):
    """The load cannot be carried out as planned; the text says why."""


class Generator:
    """What all users of one process share.

    Args:
        plan: what to do.
        recorder: what counts it.
        index: number of this process, from 0.
    """

    def __init__(self, plan: Plan, recorder: Recorder, index: int) -> None:
        self.plan = plan
        self.recorder = recorder
        self.peer = Peer.of(plan.base_url, plan.ca_file, plan.timeout_s, plan.max_bytes)
        self.arrivals = arrivals_s(plan.stages, plan.end_s, index, plan.generators)
        self.stopped_at: float | None = None
        self._gap_s = plan.generators / plan.max_rate if plan.max_rate else 0.0
        self._free_at = 0.0
        self._headers = dict(plan.headers)
        self._tokens: dict[str, dict[str, str]] = {}
        self._renewals: dict[str, float] = {}
        self._ids: dict[tuple[str, str], list[str]] = {}
        self._ready_bytes: dict[str, bytes] = {}
        self._choices: list[Request | Life] = []
        self._weights: list[int] = []

    def prepare(self) -> None:
        """Resolve secrets, sign in once per role and look up ids.

        Raises:
            CannotBegin: a secret is not there, a sign-in failed, or nothing is left to ask for.
        """
        self._headers |= {name: self._secret(value) for name, value in self.plan.secret_headers.items()}
        connection = Connection(self.peer)
        wanted = (*self.plan.requests, *self.plan.listings, *(life.create for life in self.plan.lives))
        for role in sorted({request.role for request in wanted if request.role}):
            self._tokens[role] = self._sign_in(connection, role)
        for listing in self.plan.listings:
            self._ids[listing.name, listing.id_field] = self._look_up(connection, listing)
        for request in self.plan.requests:
            if request.needs_id and not self._ids.get((request.ids_from or "", request.id_field)):
                self.recorder.left_out.add(f"{request.name}: no id to ask for")
            else:
                self._choices.append(request)
        self._choices.extend(self.plan.lives)
        if not self._choices:
            raise CannotBegin(
                "nothing to ask for: " + ("; ".join(sorted(self.recorder.left_out)) or "no endpoint")
            )
        self._weights = list(accumulate(choice.weight for choice in self._choices))
        connection.close()

    def keep_signed_in(self) -> None:
        """Sign in again before a token ends, as long as the load goes on."""
        while self._renewals:
            role = min(self._renewals, key=self._renewals.__getitem__)
            gevent.sleep(max(0.0, self._renewals.pop(role) - time.perf_counter()))
            connection = Connection(self.peer)
            try:
                self._tokens[role] = self._sign_in(connection, role)
            except CannotBegin as error:
                self.recorder.problem(str(error))
            finally:
                connection.close()
            self._ready_bytes.clear()

    def turn_s(self) -> float:
        """Take the next turn and return how long to wait for it, so that the budget's rate is kept."""
        now = time.perf_counter()
        self._free_at = max(self._free_at, now) + self._gap_s
        return self._free_at - self._gap_s - now

    def choose(self) -> Request | Life:
        """Return what a user does next, by weight."""
        if len(self._choices) == 1:
            return self._choices[0]
        return self._choices[bisect.bisect(self._weights, random.random() * self._weights[-1])]  # noqa: S311

    def bytes_of(self, request: Request, *, record_id: str = "", body: dict[str, Any] | None = None) -> bytes:
        """Return the request as it goes over the wire."""
        if not request.needs_id and body is None:
            ready = self._ready_bytes.get(request.name)
            if ready is None:
                ready = self._ready_bytes[request.name] = self._compose(request, request.path, None)
            return ready
        chosen = record_id
        if not chosen and request.ids_from:
            chosen = random.choice(self._ids[request.ids_from, request.id_field])  # noqa: S311
        return self._compose(request, re.sub(r"\{[^{}]*\}", quote(chosen, safe=""), request.path), body)

    def _compose(self, request: Request, path: str, body: dict[str, Any] | None) -> bytes:
        headers = {"Host": self.peer.authority, "User-Agent": "gonogo-load", "Accept": "*/*", **self._headers}
        if request.role:
            headers |= self._tokens.get(request.role, {})
        content = b""
        if body is not None:
            content = json.dumps(body).encode()
            headers |= {"Content-Type": _JSON, "Content-Length": str(len(content))}
        elif request.method not in {"GET", "HEAD", "OPTIONS", "DELETE"}:
            headers["Content-Length"] = "0"
        return _wire(request.method, f"{path}?{request.query}" if request.query else path, headers, content)

    def _sign_in(self, connection: Connection, role: str) -> dict[str, str]:
        """Return the headers that prove the role."""
        known = self.plan.roles.get(role)
        sign_in = self.plan.sign_in
        header, form = self.plan.authorization
        if known and known.get("token"):
            return {header: form.replace("{token}", self._secret(known["token"]))}
        if known is None or sign_in is None:
            raise CannotBegin(f"no way to sign in as {role}")
        values = {
            "username": known["username"],
            "password": self._secret(known["password"]),
            **{key: self._secret(reference) for key, reference in known.get("values", {}).items()},
        }
        body = fill(sign_in["body"], values)
        as_form = sign_in["encoding"] == "form"
        content = (urlencode(body) if as_form and isinstance(body, dict) else json.dumps(body)).encode()
        headers = {
            "Host": self.peer.authority,
            "User-Agent": "gonogo-load",
            "Accept": _JSON,
            "Content-Type": "application/x-www-form-urlencoded" if as_form else _JSON,
            "Content-Length": str(len(content)),
            **self._headers,
        }
        what = f"sign-in as {role}"
        raw = _wire(sign_in["method"], sign_in["path"], headers, content)
        answer = self._asked(connection, sign_in["method"], raw, what)
        if answer.status != sign_in["status"]:
            raise CannotBegin(f"{what}: HTTP {answer.status}")
        if sign_in["cookie"]:
            token: object = answer.cookies.get(sign_in["cookie"])
        else:
            token = _field(_decoded(answer, what), sign_in["token"])
        if not isinstance(token, str) or not token:
            raise CannotBegin(f"{what}: no token in the answer")
        if lifetime_s := _lifetime_s(token, _decoded_or_none(answer)):
            self._renewals[role] = time.perf_counter() + max(_LEAST_PAUSE_S, _RENEWED_AT * lifetime_s)
        return {header: form.replace("{token}", token)}

    def _look_up(self, connection: Connection, listing: Request) -> list[str]:
        answer = self._asked(connection, listing.method, self.bytes_of(listing), listing.name)
        if answer.status != listing.status:
            raise CannotBegin(f"{listing.name}, to look up ids: HTTP {answer.status}")
        return ids_of(_decoded(answer, listing.name), listing)[:100]

    def _secret(self, reference: str) -> str:
        found = self.plan.secrets.get(reference)
        if found is not None:
            return found
        from fixtures.observation import CannotObserve  # noqa: PLC0415 - a worker elsewhere resolves by itself
        from fixtures.secrets import SecretRef, Vault  # noqa: PLC0415

        try:
            return Vault(None, str).reveal(SecretRef.parse(reference))
        except (CannotObserve, ValueError) as error:
            raise CannotBegin(f"{reference}: {error}") from None

    def _asked(self, connection: Connection, method: str, raw: bytes, what: str) -> Answer:
        try:
            return connection.exchange(method, raw)
        except NoUsableAnswer as error:
            raise CannotBegin(f"{what}: {error}") from None


class ReleaseUser(User):
    """A user of the release: asks by weight, in the rhythm of the plan. One connection each."""

    generator: Generator
    tasks = [lambda _user: None]  # noqa: RUF012 - Locust's own attribute; it wants a task, and ``run`` decides

    def __init__(self, environment: Any) -> None:  # noqa: ANN401 - Locust's, without types
        super().__init__(environment)
        self._connection = Connection(self.generator.peer)

    def run(self) -> None:  # type: ignore[misc]  # final in Locust, which overrides it itself for pytest's users
        """Ask until the plan or the runner ends."""
        generator = self.generator
        self._state = LOCUST_STATE_RUNNING
        generator.recorder.users += 1
        try:
            moments = self._due() if generator.plan.mode == "open" else self._at_ease()
            for due, began in moments:
                self._do(generator.choose(), due, began)
                if self._state == LOCUST_STATE_STOPPING:
                    break
        finally:
            generator.recorder.users -= 1
            self._connection.close()

    def _due(self) -> Iterator[tuple[float, float]]:
        """Yield when the next request is due, and from when it counts, once it is time."""
        generator, recorder = self.generator, self.generator.recorder
        late_s = generator.plan.late_ms / 1000
        for arrival in generator.arrivals:
            due = recorder.started + arrival
            ahead = due - time.perf_counter()
            if ahead <= 0:  # every user was busy: the wait is part of what the person behind it sees
                recorder.busy += 1
                yield due, due
                continue
            self._sleep(ahead)
            now = time.perf_counter()
            if now - due > late_s:
                recorder.late += 1
            else:
                recorder.on_time += 1
            yield due, now  # this user was free and we woke it late: that is not the target's doing
        self._sleep(86_400)

    def _at_ease(self) -> Iterator[tuple[float, float]]:
        shortest, longest = self.generator.plan.think_s
        pauses = repeat(shortest) if shortest == longest else _between(shortest, longest)
        for pause in chain([0.0], pauses):
            wait = max(pause, self.generator.turn_s())
            if wait > 0:
                self._sleep(wait)
            now = time.perf_counter()
            yield now, now

    def _sleep(self, seconds: float) -> None:
        """Sleep; a stop of the runner ends it at once."""
        if self._state == LOCUST_STATE_STOPPING:
            return
        self._state = LOCUST_STATE_WAITING
        gevent.sleep(seconds)
        self._state = LOCUST_STATE_RUNNING

    def _do(self, choice: Request | Life, due: float, began: float) -> None:
        if isinstance(choice, Request):
            self._ask(choice, self.generator.bytes_of(choice), due, began)
            return
        answer = self._ask(
            choice.create, self.generator.bytes_of(choice.create, body=choice.body), due, began
        )
        record_id = _field(_decoded_or_none(answer), choice.id_field)
        if isinstance(record_id, str | int):
            raw = self.generator.bytes_of(choice.delete, record_id=str(record_id))
            now = time.perf_counter()
            self._ask(choice.delete, raw, now, now)

    def _ask(self, request: Request, raw: bytes, due: float, began: float) -> Answer | None:
        """Send one request and record what became of it; return the answer if it was a good one."""
        sent = time.perf_counter()
        recorder = self.generator.recorder
        answer, why = None, ""
        try:
            answer = self._connection.exchange(request.method, raw)
        except NoUsableAnswer as error:
            why = str(error)
        except BaseException:
            ended = time.perf_counter()
            recorder.cell(request.name, due).unfinished.record(round((ended - began) * 1e6))
            raise
        ended = time.perf_counter()
        took_us = round((ended - began) * 1e6)
        cell = recorder.cell(request.name, due)
        if answer is not None:
            why = _complaint(request, answer)
        if answer is not None and answer.status == _TOO_MANY_REQUESTS != request.status:
            cell.limited += 1
        elif why:
            cell.failed.record(took_us)
            cell.why[why] += 1
        else:
            cell.ok.record(took_us)
            cell.service.record(round((ended - sent) * 1e6))
        if self.environment.web_ui is not None or recorder.tells_locust:
            self.environment.events.request.fire(
                request_type=request.method,
                name=request.name,
                response_time=took_us / 1000,
                response_length=len(answer.body) if answer else 0,
                exception=NoUsableAnswer(why) if why else None,
                context={},
            )
        if answer is None and self.generator.plan.mode == "closed":
            self._sleep(_PAUSE_AFTER_SILENCE_S)
        return None if why else answer


def _between(shortest: float, longest: float) -> Iterator[float]:
    while True:
        yield random.uniform(shortest, longest)  # noqa: S311 - a pause, not a key


def probe_lag(generator: Generator) -> None:
    """Wake ten times a second and note how late; the plan's closed mode is judged by it. Never ends."""
    recorder, late_ms = generator.recorder, generator.plan.late_ms
    while True:
        before = time.perf_counter()
        gevent.sleep(_PROBE_S)
        lag_ms = max(0.0, (time.perf_counter() - before - _PROBE_S) * 1000)
        recorder.worst_lag_ms = max(recorder.worst_lag_ms, lag_ms)
        if generator.plan.mode == "closed":
            recorder.late += lag_ms > late_ms
            recorder.on_time += lag_ms <= late_ms


def _complaint(request: Request, answer: Answer) -> str:
    """Return what is wrong with an answer, or an empty string."""
    if answer.status != request.status:
        return f"HTTP {answer.status}"
    if request.content_type and answer.body and answer.content_type != request.content_type:
        return f"content type {answer.content_type[:40] or 'missing'}"
    return ""


def _wire(method: str, target: str, headers: dict[str, str], content: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + content


def _decoded(answer: Answer, what: str) -> object:
    try:
        return json.loads(answer.body)
    except ValueError:
        raise CannotBegin(f"{what}: the answer is not JSON") from None


def _decoded_or_none(answer: Answer | None) -> object:
    try:
        return json.loads(answer.body) if answer else None
    except ValueError:
        return None


def _field(body: object, dotted: str | None) -> object:
    """Return what a dotted field holds, or ``None``."""
    try:
        return at(body, dotted)
    except KeyError:
        return None


def _lifetime_s(token: str, answered: object) -> float | None:
    """Return for how long a token is good: a JWT says so, or the answer does (RFC 6749, 5.1)."""
    claims = jwt_claims(token) or {}
    match claims.get("exp"):
        case int() | float() as exp:
            return max(0.0, exp - time.time())
    match _field(answered, "expires_in"):
        case int() | float() as seconds if seconds > 0:
            return float(seconds)
    return None
