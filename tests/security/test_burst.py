"""The burst, against small servers that count requests in one way each; time plays no part in that."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.burst import Burster
from fixtures.environment import Environment, load
from fixtures.evasion import ELSEWHERE, FORWARDED, NAMED
from fixtures.http import SecretHeader
from fixtures.limiter import counted, is_tight, is_wide, leads_around
from fixtures.observation import Absent, CannotObserve, NoAnswer
from fixtures.pace import sent
from fixtures.place import Rate
from fixtures.release import Release
from fixtures.run import Run
from fixtures.secrets import Vault
from fixtures.tomlfile import ConfigError
from tests.probes.servers import application, response, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIMIT = 20
BURST = {"max_requests": 50, "sign_in_per_minute": 5}
VERIFICATION = {"header": "X-Verify", "value": "env:NOWHERE"}
SIGN_IN = {
    "path": "/session",
    "body": {"mail": "{username}", "secret": "{password}"},
    "token": "t",
    "role": "clerk",
    "refused_status": 403,
}
ORDERS = {"name": "orders", "method": "GET", "path": "/orders", "kind": "list", "role": "clerk"}
ITEMS = {"name": "items", "method": "GET", "path": "/items", "kind": "list"}


class Anybody:
    """An identity that proves nothing, and an account that signs in by itself."""

    def require(self) -> None: ...

    def headers(self, _: str) -> tuple[SecretHeader]:
        return (SecretHeader("Authorization", "Bearer canary-of-ours", "Bearer @@TOKEN@@"),)

    def spare_role(self) -> str:
        return "clerk"


class Counting:
    """A server's answers: ``by_number(n)`` is the n-th one's status and Retry-After."""

    def __init__(self, by_number: Callable[[int], tuple[int, str]]) -> None:
        self.asked: list[tuple[str, str, dict[str, str]]] = []
        self._by_number = by_number
        self._lock = threading.Lock()

    def __call__(self, method: str, path: str, headers: dict[str, str], _: bytes) -> bytes:
        with self._lock:
            self.asked.append((method, path, headers))
            status, wait = self._by_number(len(self.asked))
        return response(status, b"said", {"Retry-After": wait} if wait else None)


@pytest.fixture
def burster(tmp_path: Path) -> Callable[..., Burster]:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)

    def make(url: str, *, endpoints: Any = (ITEMS,), sign_in: bool = False, **rate: Any) -> Burster:
        roles = {"clerk": {"username": "ann@shop.example", "password": "env:NOWHERE"}}
        environment = Environment.model_validate(
            {
                "name": "tried",
                "release": "1",
                "identity": {"unproven": "a test"},
                "api": {"url": url},
                "roles": roles,
                "rate": {"requests_per_minute": LIMIT, "burst": BURST, "verification": VERIFICATION, **rate},
                "limits": {"request_timeout_s": 2},
            }
        )
        release = Release.model_validate(
            {
                "version": "1",
                "roles": ["clerk"],
                "health": {"path": "/health", "text": "ok"},
                **({"sign_in": SIGN_IN} if sign_in else {"api_key": {"header": "X-Key"}}),
                "endpoints": list(endpoints),
            }
        )
        anybody: Any = Anybody()
        return Burster(
            environment=environment,
            release=release,
            run=Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC)),
            vault=Vault(scratch, str),
            identity=anybody,
            tokens=anybody,
            access=anybody,
        )

    return make


@pytest.fixture
def short_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is a minute."""
    for module in ("burst", "limiter"):
        monkeypatch.setattr(f"fixtures.{module}.WINDOW_S", 0.5)


def test_limiter_that_stays_shut_is_asked_twice_more(burster: Callable[..., Burster]) -> None:
    server = Counting(lambda n: (200, "") if n <= LIMIT else (429, "0"))
    with serving(application(server)) as target:
        seen = burster(target.url).burst()

    assert [each.passed for each in seen.rounds] == [LIMIT, 0, 0]
    assert (seen.first.status, seen.first.body) == (429, "said")
    assert not is_wide(seen.rounds, LIMIT)
    assert not is_tight(seen, LIMIT)
    assert all(each.stopped for each in seen.detours)
    assert len(server.asked) <= LIMIT + 11


def test_requests_go_without_the_verification_identity_and_with_the_mark(
    burster: Callable[..., Burster],
) -> None:
    server = Counting(lambda n: (200, "") if n <= LIMIT else (429, "99"))
    with serving(application(server)) as target:
        burster(target.url).burst()

    assert all("x-verify" not in headers for *_, headers in server.asked)
    assert all("gonogo-20261122T191500Z-3fa9" in headers["user-agent"] for *_, headers in server.asked)


def test_a_window_of_a_second_is_too_wide(burster: Callable[..., Burster]) -> None:
    server = Counting(lambda n: (429, "0") if n % (LIMIT + 1) == 0 else (200, ""))
    with serving(application(server)) as target:
        seen = burster(target.url).burst()

    assert is_wide(seen.rounds, LIMIT)
    assert len(server.asked) <= BURST["max_requests"] + 5 + 2 * 25  # ways around were tried


def test_no_limit_costs_no_more_than_it_takes(burster: Callable[..., Burster]) -> None:
    server = Counting(lambda _: (200, ""))
    with serving(application(server)) as target:
        seen = burster(target.url).burst()

    assert is_wide(seen.rounds, LIMIT)
    assert len(server.asked) == 2 * LIMIT + 1


@pytest.mark.parametrize("status", [403, 503])
def test_another_refusal_ends_it(status: int, burster: Callable[..., Burster]) -> None:
    server = Counting(lambda n: (200, "") if n <= LIMIT else (status, ""))
    with serving(application(server)) as target:
        seen = burster(target.url).burst()

    assert (seen.first.status, seen.first.retry_after_s, len(seen.rounds)) == (status, None, 1)
    assert len(server.asked) <= LIMIT + 5


@pytest.mark.usefixtures("short_minute")
def test_refused_from_the_first_request(burster: Callable[..., Burster]) -> None:
    server = Counting(lambda _: (429, "0"))
    with serving(application(server)) as target:
        seen = burster(target.url).burst()

    assert [each.passed for each in seen.rounds] == [0, 0, 0]
    assert is_tight(seen, LIMIT)


def test_closed_target(burster: Callable[..., Burster]) -> None:
    with serving(application(lambda *_: response(200))) as target:
        url = target.url
    with pytest.raises(NoAnswer, match="refused the connection"):
        burster(url).burst()


def test_no_leave(burster: Callable[..., Burster]) -> None:
    with pytest.raises(CannotObserve, match="allows no burst"):
        burster("http://127.0.0.1:1", burst=None).burst()


def test_no_budget(burster: Callable[..., Burster], tmp_path: Path) -> None:
    probe, scratch = burster("http://127.0.0.1:1", budget=126), tmp_path / "scratch"
    for _ in range(2):
        counted(Rate(), scratch).take("/items", "GET /items")

    with pytest.raises(CannotObserve, match=r"124 of the run's budget are left"):
        probe.burst()
    assert sent(scratch) == 2


@pytest.mark.parametrize(
    ("endpoints", "rate", "path", "token"),
    [
        ((ORDERS, ITEMS), {}, "/items", False),
        ((ORDERS, ITEMS), {"exempt_paths": ["/items"]}, "/orders", True),
        ((ORDERS, ITEMS), {"key": "user"}, "/orders", True),
        ((), {}, "/health", False),
    ],
)
def test_what_is_asked(
    endpoints: Any, rate: dict[str, Any], path: str, *, token: bool, burster: Callable[..., Burster]
) -> None:
    server = Counting(lambda n: (200, "") if n <= LIMIT else (429, "99"))
    with serving(application(server)) as target:
        seen = burster(target.url, endpoints=endpoints, **rate).burst()

    assert {asked for _, asked, _ in server.asked[:LIMIT]} == {path}
    assert all(("authorization" in headers) is token for *_, headers in server.asked[:LIMIT])
    assert "canary" not in seen.curl


def test_nothing_to_ask(burster: Callable[..., Burster]) -> None:
    with pytest.raises(CannotObserve, match="nothing that can be read"):
        burster("http://127.0.0.1:1", endpoints=(), exempt_paths=["/health"]).burst()


# ---------------------------------------------------------------- ways around


class ByKey:
    """A server that counts requests by what the key says, honestly or not."""

    def __init__(self, key: Callable[[str, dict[str, str]], str]) -> None:
        self.counts: Counter[str] = Counter()
        self._key = key
        self._lock = threading.Lock()

    def __call__(self, _: str, path: str, headers: dict[str, str], __: bytes) -> bytes:
        with self._lock:
            self.counts[self._key(path, headers)] += 1
            is_full = self.counts[self._key(path, headers)] > LIMIT
        return response(429 if is_full else 200, b"said", {"Retry-After": "99"})


@pytest.mark.parametrize(
    ("key", "around"),
    [
        (lambda _, __: "", set()),
        (lambda _, headers: headers.get("x-forwarded-for", ""), {FORWARDED}),
        (lambda _, headers: headers.get("x-real-ip", ""), {NAMED}),
        (lambda path, _: path, {ELSEWHERE}),
    ],
    ids=["an honest one", "a forwarded address", "another header", "each path"],
)
def test_ways_around(key: Any, around: set[str], burster: Callable[..., Burster]) -> None:
    server = ByKey(key)
    with serving(application(server)) as target:
        seen = burster(target.url, endpoints=(ITEMS, ORDERS)).burst()

    assert {each.way for each in seen.detours if leads_around(each, LIMIT)} == around
    assert {each.way for each in seen.detours if not each.stopped} == around
    assert len(seen.detours) == 3
    assert sum(server.counts.values()) <= BURST["max_requests"] + 3 * 25


def test_a_header_that_is_refused_in_another_way_leads_nowhere(burster: Callable[..., Burster]) -> None:
    full = threading.Event()

    def answer(_: str, __: str, headers: dict[str, str], ___: bytes) -> bytes:
        if "x-forwarded-for" in headers:
            return response(403)
        return response(429, b"", {"Retry-After": "99"}) if full.is_set() else response(200)

    def counting(number: int) -> tuple[int, str]:
        if number > LIMIT:
            full.set()
        return (429, "99") if full.is_set() else (200, "")

    plain = Counting(counting)
    with serving(
        application(lambda *asked: answer(*asked) if "x-forwarded-for" in asked[2] else plain(*asked))
    ) as target:
        seen = burster(target.url).burst()

    (detour,) = [each for each in seen.detours if each.way == FORWARDED]
    assert detour.stopped
    assert not leads_around(detour, LIMIT)


# ---------------------------------------------------------------- the run's own requests


@pytest.fixture
def asked_before(tmp_path: Path, short_minute: None) -> Callable[[int], None]:  # noqa: ARG001  it shall be short
    """``asked_before(n)``: the run has sent so many requests that the target counts; a minute is short."""

    def ask(times: int) -> None:
        for _ in range(times):
            counted(Rate(), tmp_path / "scratch").take("/items", "GET /items")

    return ask


def test_requests_of_the_run_explain_an_early_refusal_only_until_a_quiet_minute(
    burster: Callable[..., Burster], asked_before: Callable[[int], None]
) -> None:
    server = Counting(lambda n: (200, "") if n <= 8 else (429, "99"))
    with serving(application(server)) as target:
        probe = burster(target.url)
        asked_before(12)
        seen = probe.burst()

    assert seen.before <= 5
    assert is_tight(seen, LIMIT)


@pytest.mark.usefixtures("short_minute")
def test_requests_of_an_earlier_run_explain_an_early_refusal_until_a_quiet_minute(
    burster: Callable[..., Burster],
) -> None:
    """An earlier run has left a bucket with five tokens; it is full again after a quiet minute."""
    began = time.monotonic()
    later = Counter[str]()

    def answer(number: int) -> tuple[int, str]:
        if time.monotonic() < began + 0.4:
            return (200, "") if number <= 5 else (429, "1")
        later["asked"] += 1
        return (200, "") if later["asked"] <= LIMIT else (429, "99")

    with serving(application(Counting(answer))) as target:
        seen = burster(target.url).burst()

    assert (seen.before, seen.first.passed) == (0, LIMIT)
    assert not is_tight(seen, LIMIT)


def test_without_an_identity_a_burst_waits_for_a_quiet_minute(
    burster: Callable[..., Burster], asked_before: Callable[[int], None]
) -> None:
    server = Counting(lambda n: (200, "") if n <= LIMIT else (429, "99"))
    with serving(application(server)) as target:
        probe = burster(target.url, verification=None)
        asked_before(12)
        seen = probe.burst()

    assert (seen.before, seen.first.passed) == (0, LIMIT)


# ---------------------------------------------------------------- sign-ins


def test_sign_ins_are_tried_first_and_counted(burster: Callable[..., Burster]) -> None:
    asked: list[str] = []

    def answer(_: str, path: str, __: dict[str, str], ___: bytes) -> bytes:
        asked.append(path)
        passes = asked.count(path) <= (5 if path == "/session" else 13)
        return response((401 if path == "/session" else 200) if passes else 429, b"", {"Retry-After": "99"})

    with serving(application(answer)) as target:
        probe = burster(target.url, sign_in=True)
        seen, sign_ins = probe.burst(), probe.sign_ins()

    assert (sign_ins.first.passed, sign_ins.first.status) == (5, 429)
    assert [each.way for each in sign_ins.detours] == [FORWARDED, NAMED]
    assert seen.before == 10  # and twice one more on each way around, and after it
    assert asked[:11] == ["/session"] * 10 + ["/items"]


def test_sign_ins_without_a_limit(burster: Callable[..., Burster]) -> None:
    server = Counting(lambda _: (403, ""))
    with serving(application(server)) as target:
        seen = burster(target.url, sign_in=True).sign_ins()

    assert (seen.first.passed, seen.first.status) == (11, 0)
    assert is_wide(seen.rounds, 5)


def test_no_sign_in(burster: Callable[..., Burster]) -> None:
    with pytest.raises(Absent, match="declares none"):
        burster("http://127.0.0.1:1").sign_ins()


@pytest.mark.parametrize(
    ("limit", "why"), [(None, "declares none"), (8, "cannot be told from the one of 20 requests")]
)
def test_sign_ins_that_cannot_be_judged(limit: int | None, why: str, burster: Callable[..., Burster]) -> None:
    leave = {"max_requests": 50, **({"sign_in_per_minute": limit} if limit else {})}
    with pytest.raises(CannotObserve, match=why):
        burster("http://127.0.0.1:1", sign_in=True, burst=leave).sign_ins()


# ---------------------------------------------------------------- the environment file


@pytest.mark.parametrize(
    ("rate", "mistake"),
    [
        ("burst = { max_requests = 250 }", "rate.requests_per_minute: missing, although burst is there"),
        ("requests_per_minute = 100\nburst = { max_requests = 200 }", "rate.burst.max_requests: found 200"),
        (
            "requests_per_minute = 100\nbudget = 240\nburst = { max_requests = 250 }",
            "rate.burst.max_requests: found 250, above budget = 240",
        ),
        (
            'requests_per_minute = 100\nburst = { max_requests = 250, lockout_user = "clark" }',
            "did you mean: clerk",
        ),
    ],
)
def test_mistakes(rate: str, mistake: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        'name = "shop"\nrelease = "1"\nidentity = { unproven = "a test" }\n'
        f'[roles.clerk]\nusername = "ann"\npassword = "env:ANN"\n[rate]\n{rate}\n'
    )
    with pytest.raises(ConfigError) as refused:
        load(file)

    assert mistake in str(refused.value)
