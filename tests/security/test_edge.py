"""Firewall, shield and limits of connections, seen on servers of which each does one thing."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import util
from pathlib import Path
from threading import Semaphore
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from fixtures.edge import Edge
from fixtures.environment import Environment
from fixtures.http import Answer
from fixtures.observation import Absent, CannotObserve, Pending
from fixtures.release import Release
from fixtures.run import Raised, Run
from fixtures.secrets import Vault
from fixtures.tomlfile import ConfigError, load
from fixtures.waf import Firewall
from tests.probes.servers import Server, application, read_request, reset, response, serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from fixtures.connection_limits import Crowd

RELEASE = Release.model_validate({"version": "1", "health": {"path": "/health", "text": "ok"}})
OK = response(200, b"ok")


class Anybody:
    def require(self) -> None: ...


class Nobody:
    def cover(self, item: str, reason: str) -> NoReturn:
        raise Pending(item, "nobody has stated anything", reason, remedy="")


@pytest.fixture
def run(tmp_path: Path) -> Run:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    return Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    """The module of the checks: their folder is no package."""
    path = Path(__file__).resolve().parents[2] / "checks" / "security" / "test_edge.py"
    spec = util.spec_from_file_location("edge_checks", path)
    assert spec
    assert spec.loader
    module = util.module_from_spec(spec)
    sys.modules["edge_checks"] = module
    spec.loader.exec_module(module)
    return module


def described(url: str = "http://127.0.0.1:1", **parts: Any) -> Environment:
    return Environment.model_validate(
        {
            "name": "tried",
            "release": "1",
            "identity": {"unproven": "a test"},
            "api": {"url": url},
            "limits": {"request_timeout_s": 2},
            **parts,
        }
    )


def firewall(run: Run, url: str, **parts: Any) -> Firewall:
    return Firewall(
        environment=described(url, **parts),
        release=RELEASE,
        run=run,
        vault=Vault(None, str),
        identity=Anybody(),  # type: ignore[arg-type]  # proves nothing
        attestations=Nobody(),  # type: ignore[arg-type]  # as above
    )


def edge(run: Run, url: str, **parts: Any) -> Edge:
    return Edge(
        surfaces=Raised("CannotObserve", ("asking", "nothing is there", "")),
        transport=None,  # type: ignore[arg-type]  # not asked
        environment=described(url, **parts),
        release=RELEASE,
        run=run,
        identity=Anybody(),  # type: ignore[arg-type]  # as above
        attestations=Nobody(),  # type: ignore[arg-type]  # as above
    )


def noted(*_: object, **__: object) -> None:
    """Stand for the fixture ``measured``."""


# ---------------------------------------------------------------- the firewall


def filtering(refuse: bytes | None) -> Any:
    """Return a server that refuses scripts in one way; without one it breaks off."""

    def handle(_: Server, connection: socket.socket) -> None:
        while (request := read_request(connection)) is not None:
            if "%3Cscript" not in request[1]:
                connection.sendall(OK)
            elif refuse is None:
                reset(connection)
                return
            else:
                connection.sendall(refuse)

    return handle


@pytest.mark.parametrize(
    ("waf", "refuse", "refused"),
    [
        ({}, response(403, b"no"), True),
        ({}, response(406, b"no"), True),
        ({}, OK, False),
        ({}, response(400, b"the application knows no such value"), False),
        ({"blocks": [418]}, response(403, b"no"), False),
        ({"blocks": [302]}, response(302, headers={"Location": "/blocked"}), True),
        ({"proof": {"contains": "edge"}}, response(403, b"the application says so"), False),
        ({"proof": {"contains": "edge"}}, response(403, b"the edge says so"), True),
        ({"proof": {"header": "X-Waf", "contains": "block"}}, response(403, b"", {"X-Waf": "blocked"}), True),
        ({"proof": {"header": "X-Waf"}}, response(403, b"no"), False),
        ({"resets": True}, None, True),
        ({}, None, False),
    ],
)
def test_only_what_the_firewall_itself_refuses_is_blocked(
    waf: dict[str, Any], refuse: bytes | None, refused: bool, run: Run
) -> None:
    with serving(filtering(refuse)) as server:
        tried = (probe := firewall(run, server.url, waf=waf)).tried("script")

    assert probe.is_refusal(tried.hostile) is refused
    assert not probe.is_refusal(tried.ordinary)


def test_reset_that_is_not_declared_is_an_answer_that_did_not_come(run: Run, checks: ModuleType) -> None:
    with serving(filtering(None)) as server:
        probe = firewall(run, server.url, waf={})
        with pytest.raises(Exception, match="reset the connection"):
            checks.test_attack_is_blocked("script", probe, noted)


def test_path_that_is_closed_anyway_says_nothing_about_attacks(run: Run, checks: ModuleType) -> None:
    with serving(application(lambda *_: response(403, b"sign in first"))) as server:
        probe = firewall(run, server.url, waf={})
        for check in (checks.test_attack_is_blocked, checks.test_ordinary_request_passes_the_firewall):
            with pytest.raises(CannotObserve):
                check("script", probe, noted)


def test_attack_goes_without_the_verification_identity_and_with_the_mark(run: Run) -> None:
    seen: list[tuple[str, dict[str, str]]] = []

    def answer(_: str, target: str, headers: dict[str, str], __: bytes) -> bytes:
        seen.append((target, headers))
        return OK

    verification = {"header": "X-Exempt", "value": "env:UNSET"}
    with serving(application(answer)) as server:
        firewall(run, server.url, waf={}, rate={"verification": verification}).tried("scanner")

    assert not any("x-exempt" in headers for _, headers in seen)
    assert all(run.mark in headers["user-agent"] for _, headers in seen)
    assert any("sqlmap" in headers["user-agent"] for _, headers in seen)


def test_class_that_the_firewall_is_not_meant_for_does_not_apply(run: Run) -> None:
    probe = firewall(run, "http://127.0.0.1:1", waf={"without": {"scanner": "partners use scanners"}})

    with pytest.raises(Absent, match="partners use scanners"):
        probe.tried("scanner")


def test_firewall_that_nobody_declares_is_attested_or_pending(run: Run) -> None:
    with pytest.raises(Pending):
        firewall(run, "http://127.0.0.1:1").tried("script")
    with pytest.raises(Absent, match="inside only"):
        firewall(run, "http://127.0.0.1:1", absent={"waf": "inside only"}).tried("script")


def test_rate_limit_is_no_firewall(tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        'name = "shop"\nrelease = "1"\nidentity = { unproven = "a test" }\nwaf = { blocks = [403, 429] }\n'
    )

    with pytest.raises(ConfigError, match="429"):
        load(file, Environment)


# ---------------------------------------------------------------- the shield


@pytest.mark.parametrize(
    ("declared", "headers", "lacks"),
    [
        ({"header": "CF-Ray"}, (("cf-ray", "8a1b-CGK"),), False),
        ({"header": "CF-Ray"}, (), True),
        ({"header": "Via", "contains": "cloudfront"}, (("Via", "1.1 abc.CloudFront.net"),), False),
        ({"header": "Via", "contains": "cloudfront"}, (("Via", "1.1 varnish"),), True),
    ],
)
def test_answer_without_the_sign_of_the_shield_is_a_finding(
    declared: dict[str, str], headers: tuple[tuple[str, str], ...], lacks: bool, checks: ModuleType
) -> None:
    class Seen:
        def answers(self) -> tuple[Answer, ...]:
            sign = tuple({"cf-ray": "x", "via": "1.1 cloudfront"}.items())
            return tuple(
                Answer("GET", url, 404, each, b"", 1, complete=True)
                for url, each in (("https://shop.example/", sign), ("https://shop.example/no", headers))
            )

    if lacks:
        with pytest.raises(AssertionError, match=r"GET https://shop\.example/no answers 404 with"):
            checks.test_answers_come_through_the_shield(Seen(), described(edge=declared), noted)
    else:
        checks.test_answers_come_through_the_shield(Seen(), described(edge=declared), noted)


# ---------------------------------------------------------------- connections


@contextmanager
def admitting(most: int, refuse: bytes | None, *, waits: bool = True) -> Iterator[Server]:
    """Serve so many requests at once; one more is refused, or the connection broken off."""
    free = Semaphore(most)

    def handle(server: Server, connection: socket.socket) -> None:
        if not free.acquire(blocking=False):
            if refuse is None:
                reset(connection)
                return
            connection.recv(4096)
            connection.sendall(refuse)
            return
        try:
            received = connection.recv(4096)
            while waits and received.endswith(b"\r\n\r\n") and not server.stopped.is_set():
                more = connection.recv(4096)
                if not more:
                    return
                received += more
            connection.sendall(OK)
        finally:
            free.release()

    with serving(handle) as server:
        yield server


def crowd(run: Run, server: Server, **parts: Any) -> Crowd:
    return edge(run, server.url, edge={"max_connections_per_client": 4}, **parts).crowd()


@pytest.mark.parametrize("refuse", [response(429), response(503), None])
def test_surplus_that_is_refused_in_any_way_is_refused(refuse: bytes | None, run: Run) -> None:
    with admitting(4, refuse) as server:
        seen = crowd(run, server)

    assert (seen.opened, seen.held, len(seen.refused), seen.served) == (7, 4, 3, ())


def test_wider_limit_than_declared_is_seen(run: Run, checks: ModuleType) -> None:
    with admitting(6, response(503)) as server:
        probe = edge(run, server.url, edge={"max_connections_per_client": 4})
        with pytest.raises(AssertionError, match="6 of 7 were held, 1 refused"):
            checks.test_one_address_gets_few_connections(probe, noted, checks.Exhibits())


def test_server_that_does_not_wait_for_a_body_says_nothing(run: Run, checks: ModuleType) -> None:
    with admitting(100, None, waits=False) as server:
        probe = edge(run, server.url, edge={"max_connections_per_client": 4})
        with pytest.raises(CannotObserve, match="7 of 7 were answered before they had ended"):
            checks.test_one_address_gets_few_connections(probe, noted, checks.Exhibits())


def test_rate_limit_that_would_answer_first_is_left_alone(run: Run) -> None:
    with admitting(4, response(503)) as server:
        with pytest.raises(CannotObserve, match="above the rate limit"):
            crowd(run, server, rate={"requests_per_minute": 6})
        assert server.connections == 0


@pytest.mark.parametrize("key", ["max_connections_per_client", "slow_request_timeout_s"])
def test_one_of_both_limits_is_enough(key: str, run: Run) -> None:
    probe = edge(run, "http://127.0.0.1:1", edge={key: 5})
    asked: dict[str, Callable[[], object]] = {
        "max_connections_per_client": probe.slow,
        "slow_request_timeout_s": probe.crowd,
    }

    with pytest.raises(Absent, match=f"declares {key} instead"):
        asked[key]()


def test_edge_that_nobody_declares_is_attested_or_pending(run: Run) -> None:
    probe = edge(run, "http://127.0.0.1:1")

    for ask in (probe.answers, probe.around, probe.crowd, probe.slow):
        with pytest.raises(Pending):
            ask()


def test_slow_request_that_is_cut_off_is_timed(run: Run) -> None:
    def handle(_: Server, connection: socket.socket) -> None:
        connection.recv(4096)

    with serving(handle) as server:
        slow = edge(run, server.url, edge={"slow_request_timeout_s": 30}).slow()

    assert slow.ended_s is not None
    assert slow.ended_s < 30
