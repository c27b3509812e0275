"""A server whose distribution of latencies is known by construction, and which keeps its own record of them.

Run as a program it serves on a free port of 127.0.0.1 and prints the port; it ends when its stdin does. Its
behaviour is one JSON object (``Behaviour``); ``GET /record`` returns, for every request answered, path,
status and milliseconds from its first byte to the last byte of the answer, as the server saw them.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import random
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@dataclass(frozen=True)
class Behaviour:
    """What the server does.

    Attributes:
        ms: delays, drawn in rounds: every round of len(ms) requests gets each delay once, in random order.
        error_every: every n-th answer is a 500 without delay; 0: none.
        dead_path: this path answers 500 ...
        dead_after_s: ... from this time after the first request on.
        freeze_at_s: after the first request the whole process stands still ...
        freeze_s: ... for this long.
        closes_after_s: after the first request it stops listening and drops every connection; 0: never.
        mute_after_s: after the first request it answers no more; 0: never.
        limit_after: answers 429 after so many requests; 0: never.
        broken_every: every n-th answer breaks off in the middle; 0: none.
        chunks: the body comes in so many chunks of one byte; 0: whole.
        token_s: a token is good for so long, then answered with 401; 0: for ever.
    """

    ms: tuple[float, ...] = (5.0,)
    error_every: int = 0
    dead_path: str = ""
    dead_after_s: float = 0.0
    freeze_at_s: float = 0.0
    freeze_s: float = 0.0
    closes_after_s: float = 0.0
    mute_after_s: float = 0.0
    limit_after: int = 0
    broken_every: int = 0
    chunks: int = 0
    token_s: float = 0.0


@dataclass
class State:
    behaviour: Behaviour
    seed: int = 1
    count: int = 0
    first: float = 0.0
    round: list[float] = field(default_factory=list)
    record: list[tuple[str, int, float]] = field(default_factory=list)
    bodies: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    issued: dict[str, float] = field(default_factory=dict)
    random: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - repeatable
    server: asyncio.Server | None = None
    open: set[Connection] = field(default_factory=set)

    def delay_s(self) -> float:
        if not self.round:
            self.round = list(self.behaviour.ms)
            self.random.shuffle(self.round)
        return self.round.pop() / 1000


class Connection(asyncio.Protocol):
    def __init__(self, state: State) -> None:
        self.state = state
        self.buffer = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.state.open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        self.state.open.discard(self)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = self.buffer[:end]
            lower = head.lower()
            length = 0
            if (at := lower.find(b"\r\ncontent-length:")) >= 0:
                length = int(lower[at + 17 :].split(b"\r\n", 1)[0])
            if len(self.buffer) < end + 4 + length:
                return
            body = self.buffer[end + 4 : end + 4 + length]
            self.buffer = self.buffer[end + 4 + length :]
            self.asked(head, body)

    def asked(self, head: bytes, body: bytes) -> None:
        state, begun = self.state, time.perf_counter()
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
        path = target.partition("?")[0]
        if path == "/record":
            self.answer(
                200,
                json.dumps({"record": state.record, "headers": state.headers[:50], "bodies": state.bodies}),
            )
            return
        if path == "/login":
            good = json.loads(body) == {"username": "tester", "password": "sesame-street"}
            token = f"token-of-tester-{len(state.issued)}"
            state.issued[token] = begun
            more = {"expires_in": state.behaviour.token_s} if state.behaviour.token_s else {}
            self.answer(
                200 if good else 401, json.dumps({"access": {"token": token}, **more} if good else {})
            )
            state.headers.append("login")
            return
        if path == "/list":
            self.answer(200, json.dumps({"items": [{"id": 11}, {"id": 12}]}))
            return
        if not state.first:
            state.first = begun
            self.schedule()
        state.count += 1
        if len(state.headers) < 50:
            state.headers.append(head.decode())
        if body:
            state.bodies.append(body.decode())
        bearer = head.partition(b"Bearer ")[2].partition(b"\r\n")[0].decode()
        if state.behaviour.token_s and begun - state.issued.get(bearer, 0) > state.behaviour.token_s:
            self.done(path, 401, begun)
            return
        self.respond(method, path, begun)

    def schedule(self) -> None:
        behaviour, loop = self.state.behaviour, asyncio.get_running_loop()
        if behaviour.freeze_s:
            loop.call_later(behaviour.freeze_at_s, time.sleep, behaviour.freeze_s)
        if behaviour.closes_after_s:
            loop.call_later(behaviour.closes_after_s, self.shut)

    def shut(self) -> None:
        if self.state.server:
            self.state.server.close()
        for connection in list(self.state.open):
            if connection.transport:
                connection.transport.abort()

    def respond(self, method: str, path: str, begun: float) -> None:
        state, behaviour = self.state, self.state.behaviour
        elapsed = begun - state.first
        status = 201 if method == "POST" else 204 if method == "DELETE" else 200
        if behaviour.mute_after_s and elapsed >= behaviour.mute_after_s:
            return
        if behaviour.limit_after and state.count > behaviour.limit_after:
            self.done(path, 429, begun)
        elif (behaviour.error_every and state.count % behaviour.error_every == 0) or (
            behaviour.dead_path == path and elapsed >= behaviour.dead_after_s
        ):
            self.done(path, 500, begun)
        elif behaviour.broken_every and state.count % behaviour.broken_every == 0 and self.transport:
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self.transport.close()
        else:
            asyncio.get_running_loop().call_later(state.delay_s(), self.done, path, status, begun)

    def done(self, path: str, status: int, begun: float) -> None:
        self.answer(status, "" if status == 204 else '{"id": 77, "ok": true}')
        self.state.record.append((path, status, (time.perf_counter() - begun) * 1000))

    def answer(self, status: int, body: str) -> None:
        if self.transport is None or self.transport.is_closing():
            return
        if self.state.behaviour.chunks and status == 200:
            self.transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            self.transport.write(b"1\r\nx\r\n" * self.state.behaviour.chunks + b"0\r\n\r\n")
            return
        length = "" if status == 204 else f"Content-Length: {len(body)}\r\nContent-Type: application/json\r\n"
        self.transport.write(f"HTTP/1.1 {status} Said\r\n{length}\r\n{body}".encode())


async def serve(behaviour: Behaviour) -> None:
    loop = asyncio.get_running_loop()
    state = State(behaviour)
    state.server = await loop.create_server(lambda: Connection(state), "127.0.0.1", 0, backlog=2048)
    print(state.server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - its protocol
    await loop.run_in_executor(None, sys.stdin.read)


# ---------------------------------------------------------------- the other side


@dataclass(frozen=True)
class Known:
    """A running server."""

    url: str
    port: int
    process: subprocess.Popen[str]

    def told(self) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", "/record")
        told = json.loads(connection.getresponse().read())
        connection.close()
        assert isinstance(told, dict)
        return told

    def latencies_ms(self, status: int = 200) -> list[float]:
        return [ms for _, answered, ms in self.told()["record"] if answered == status]


@contextlib.contextmanager
def known_server(**behaviour: Any) -> Iterator[Known]:
    process = subprocess.Popen(
        [sys.executable, str(Path(__file__)), json.dumps(asdict(Behaviour(**behaviour)))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        port = int(process.stdout.readline())
        yield Known(f"http://127.0.0.1:{port}", port, process)
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def normal_ms(p95_ms: float, deviation_ms: float, count: int = 200) -> tuple[float, ...]:
    """Return ``count`` delays of a normal distribution whose p95 is the one given."""
    curve = statistics.NormalDist(p95_ms - 1.6448536 * deviation_ms, deviation_ms)
    return tuple(max(1.0, curve.inv_cdf((index + 0.5) / count)) for index in range(count))


def p95_of(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return ordered[-(-len(ordered) * 95 // 100) - 1]


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    told["ms"] = tuple(told["ms"])
    asyncio.run(serve(Behaviour(**told)))
