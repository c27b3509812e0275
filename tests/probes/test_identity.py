"""Nothing is asked of a target that is not proven to be the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.observation import CannotObserve, NoAnswer
from tests.probes.shop import PASSWORD, Shop, world

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_PASSWORD", PASSWORD)


def test_target_says_what_it_is_once_per_run(tmp_path: Path) -> None:
    proofs = {
        "environment": {"field": "environment", "equals": "tried"},
        "version": {"field": "build.version"},
        "commit": {"header": "x-commit"},
    }
    with world(tmp_path, Shop(), identity=proofs) as tried:
        served = tried.identity.served()
        assert (served.environment, served.version, served.commit) == ("tried", "1.0.0", "def")
        assert served.health.status == 200
        tried.identity.require()
        assert tried.shop.asked == ["GET /health"]


def test_body_that_says_it_counts_whatever_the_status(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"health 500"})) as tried:
        tried.identity.require()
        assert tried.identity.health().status == 500


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("staging", "it says that it is 'staging', the environment file says 'tried'"),
        (None, "does not say which environment it is (environment), the environment file says 'tried'"),
    ],
)
def test_other_target_is_left_alone(said: str | None, message: str, tmp_path: Path) -> None:
    with world(tmp_path, Shop(health={"status": "ok", "environment": said})) as tried:
        for ask in (
            lambda: tried.api.get("/orders"),
            lambda: tried.api.get("/orders", role="clerk"),
            lambda: tried.api.send("POST", "/orders"),
            lambda: tried.tokens.sign_in("clerk"),
            lambda: tried.records.life("order"),
        ):
            with pytest.raises(CannotObserve) as raised:
                ask()
            assert message in raised.value.got
        tried.api.get("/health")
        assert tried.shop.asked == ["GET /health", "GET /health"]


def test_target_that_does_not_answer_costs_one_timeout(tmp_path: Path) -> None:
    with world(tmp_path, Shop(faults={"health hangs"})) as tried:
        with pytest.raises(NoAnswer, match="did not answer within"):
            tried.identity.health()
        for _ in range(5):
            with pytest.raises(CannotObserve, match=r"not observed: api at .* did not answer within"):
                tried.api.get("/orders")
        assert tried.shop.asked == ["GET /health"]


def test_target_without_a_proof_is_only_read(tmp_path: Path) -> None:
    unproven: dict[str, Any] = {"identity": {"unproven": "it says nothing"}, "writes": "never"}
    with world(tmp_path, Shop(), **unproven) as tried:
        assert tried.api.get("/orders").status == 401
        assert tried.identity.served().environment is None
        with pytest.raises(CannotObserve, match="allows no writes"):
            tried.api.send("POST", "/orders")
