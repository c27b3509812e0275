"""What times of refusals tell, on invented times; and wrong passwords at a small system with a lock."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.attempts import LOCKING, Attempts, Times, Timing, deviations
from fixtures.environment import Environment
from fixtures.http import Line
from fixtures.observation import Absent, CannotObserve, NotRequired
from fixtures.release import Release
from fixtures.run import Run
from fixtures.secrets import Vault
from tests.probes.servers import application, json_response, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PASSWORD = "correct-horse-battery"  # noqa: S105  of users that live as long as a test


def times(known_ms: float, unknown_ms: float, noise_ms: float = 2.0, seed: int = 1) -> Times:
    """Return ten times of each, with noise that has a long tail, as times have."""
    dice = random.Random(seed)  # noqa: S311  no secret
    samples = [
        tuple(mean + dice.expovariate(1 / noise_ms) for _ in range(10)) for mean in (known_ms, unknown_ms)
    ]
    return Times(*samples)


@pytest.mark.parametrize(
    ("known_ms", "unknown_ms", "noise_ms", "tells"),
    [
        (45, 5, 2, 1),
        (45, 5, 15, 1),
        (5, 45, 2, -1),
        (260, 200, 10, 1),
        (40, 40, 2, 0),
        (40, 40, 30, 0),
        (7, 3, 0.1, 0),  # below what a network hides
        (220, 200, 1, 0),  # the same, in proportion
    ],
)
def test_times(known_ms: float, unknown_ms: float, noise_ms: float, tells: int) -> None:
    assert times(known_ms, unknown_ms, noise_ms).tells == tells


def test_equal_times_tell_nothing_twice_in_a_row_whatever_the_noise() -> None:
    pairs = [(times(40, 40, 40, seed), times(40, 40, 40, seed + 10_000)) for seed in range(2000)]

    assert not any(Timing("clerk", pair, "").tells for pair in pairs)


def test_both_comparisons_must_agree() -> None:
    slower, quicker, alike = times(45, 5), times(5, 45), times(40, 40)

    assert Timing("clerk", (slower, slower), "").tells
    assert not Timing("clerk", (slower, quicker), "").tells
    assert not Timing("clerk", (slower, alike), "").tells
    assert not Timing("clerk", (alike,), "").tells


def test_a_difference_that_noise_hides_once_is_told_by_both_together() -> None:
    """As they were on a busy machine: the second comparison alone is not unlikely enough."""
    first = Times(
        (18.0, 35.3, 22.2, 41.6, 43.1, 23.3, 17.9, 20.7, 25.1, 21.9),
        (33.5, 37.5, 36.4, 45.5, 48.5, 34.1, 49.7, 51.0, 54.6, 47.0),
    )
    second = Times(
        (29.4, 18.9, 96.3, 74.7, 31.0, 54.1, 68.7, 21.6, 32.3, 49.3),
        (61.5, 97.6, 126.4, 83.4, 74.1, 72.0, 54.8, 36.5, 78.0, 84.5),
    )
    alike = Times(second.known_ms, second.known_ms)

    assert (first.tells, second.tells) == (-1, 0)
    assert Timing("clerk", (first, second), "").tells
    assert not Timing("clerk", (first, alike), "").tells
    assert not Timing("clerk", (second,), "").tells


def test_ranks() -> None:
    first, second = tuple(map(float, range(10))), tuple(map(float, range(10, 20)))

    assert deviations(first, second) == pytest.approx(-3.78, abs=0.01)
    assert deviations(first, first) == 0


# ---------------------------------------------------------------- a small system


class System:
    """Two users, and a lock after so many wrong passwords.

    Args:
        locks_after: wrong passwords of one user after which that user is refused; 0: never.
        closes_after: wrong passwords after which nobody is let in; 0: never.
        locked: the status of a locked user.
    """

    def __init__(self, *, locks_after: int = 0, closes_after: int = 0, locked: int = 401) -> None:
        self.tried: list[tuple[str, int]] = []
        self._locks_after = locks_after
        self._closes_after = closes_after
        self._locked = locked

    def __call__(self, _: str, path: str, __: dict[str, str], body: bytes) -> bytes:
        if path != "/session":
            return json_response(200, {})
        name = body.decode().partition("mail=")[2].partition("%40")[0].partition("&")[0]
        wrong = [known for known, status in self.tried if status != 200]
        locked = self._locks_after and wrong.count(name) >= self._locks_after
        closed = self._closes_after and len(wrong) >= self._closes_after
        right = PASSWORD in body.decode()
        status = self._locked if locked or closed else 200 if right else 401
        self.tried.append((name, status))
        return json_response(status, {"t": "token-of-a-session"} if status == 200 else {})


class Anybody:
    def require(self) -> None: ...

    def spare_role(self) -> str:
        return "clerk"


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Attempts]]:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)
    monkeypatch.setenv("SHOP_KEY", "key-of-the-verification")
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    lines: list[Line] = []

    def make(url: str, *, sign_in: bool = True, **rate: Any) -> Attempts:
        account = {"password": "env:SHOP_PASSWORD"}
        burst = {"max_requests": 250, "lockout_user": "clerk"}
        verification = {"header": "X-Verify", "value": "env:SHOP_KEY"}
        environment = Environment.model_validate(
            {
                "name": "tried",
                "release": "1",
                "identity": {"unproven": "a test"},
                "api": {"url": url},
                "roles": {
                    "clerk": {"username": "ann@shop.example", **account},
                    "chief": {"username": "bob@shop.example", **account},
                },
                "rate": {"requests_per_minute": 100, "burst": burst, "verification": verification, **rate},
                "limits": {"request_timeout_s": 2},
            }
        )
        how = {"path": "/session", "encoding": "form", "token": "t", "role": "clerk"}
        body = {"mail": "{username}", "secret": "{password}"}
        release = Release.model_validate(
            {
                "version": "1",
                "roles": ["clerk", "chief"],
                "health": {"path": "/health", "text": "ok"},
                **({"sign_in": {**how, "body": body}} if sign_in else {"api_key": {"header": "X-Key"}}),
                "endpoints": [],
            }
        )
        run = Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))
        vault, anybody = Vault(scratch, str), Anybody()
        assert environment.api is not None
        lines.append(
            Line("api", place=environment.api, environment=environment, headers={}, run=run, vault=vault)
        )
        return Attempts(
            line=lines[-1],
            access=anybody,  # type: ignore[arg-type]  # names a role
            environment=environment,
            release=release,
            run=run,
            vault=vault,
            identity=anybody,  # type: ignore[arg-type]  # proves nothing
        )

    yield make
    for line in lines:
        line.close()


def test_user_who_is_not_locked_out(attempts: Callable[..., Attempts]) -> None:
    system = System()
    with serving(application(system)) as target:
        seen = attempts(target.url).lockout()

    assert seen.let_in
    assert seen.wrong == (401,) * LOCKING
    assert seen.others_let_in is None
    assert {name for name, _ in system.tried} == {"ann"}


@pytest.mark.parametrize("status", [401, 403, 423])
def test_user_who_is_locked_out(status: int, attempts: Callable[..., Attempts]) -> None:
    with serving(application(System(locks_after=5, locked=status))) as target:
        seen = attempts(target.url).lockout()

    assert (seen.let_in, seen.right.status, seen.others_let_in) == (False, status, True)


def test_address_that_is_closed_locks_nobody_out(attempts: Callable[..., Attempts]) -> None:
    with serving(application(System(closes_after=5, locked=403))) as target:
        seen = attempts(target.url).lockout()

    assert (seen.let_in, seen.others_let_in) == (False, False)


def test_no_account_may_be_locked(attempts: Callable[..., Attempts]) -> None:
    probe = attempts("http://127.0.0.1:1", burst=None)

    with pytest.raises(NotRequired, match=r"not observed: an account .*rate\.burst\.lockout_user"):
        probe.lockout()
    with pytest.raises(CannotObserve, match="no account at which that is allowed"):
        probe.timing()


def test_no_sign_in(attempts: Callable[..., Attempts]) -> None:
    probe = attempts("http://127.0.0.1:1", sign_in=False, burst={"max_requests": 250})

    with pytest.raises(Absent, match="sign-in"):
        probe.timing()


def test_known_and_unknown_users_are_tried_in_turn(attempts: Callable[..., Attempts]) -> None:
    system = System()
    with serving(application(system)) as target:
        seen = attempts(target.url).timing()
    known = [name == "ann" for name, _ in system.tried]

    assert not seen.tells
    assert known[:4] == [False, True, True, False]
    assert len({name for name, _ in system.tried}) >= 12  # a stranger each time


def test_account_that_is_locked_on_the_way(attempts: Callable[..., Attempts]) -> None:
    with (
        serving(application(System(locks_after=5, locked=423))) as target,
        pytest.raises(CannotObserve, match="the answer changed after some of them: 401, 423"),
    ):
        attempts(target.url).timing()


@pytest.mark.parametrize("limit", [None, 20])
def test_limit_of_sign_ins_leaves_no_room(limit: int | None, attempts: Callable[..., Attempts]) -> None:
    burst = {"max_requests": 250, "lockout_user": "clerk"} | ({"sign_in_per_minute": limit} if limit else {})
    with pytest.raises(CannotObserve, match="it takes 44 sign-ins"):
        attempts("http://127.0.0.1:1", verification=None, burst=burst).timing()
