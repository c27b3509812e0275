"""Waiting has an end, and its attempts are counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.eventually import eventually
from fixtures.observation import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator


def test_ends_as_soon_as_the_fact_is_as_wanted() -> None:
    numbers = iter(range(1, 100))
    seen = eventually(lambda: next(numbers), until=lambda n: n == 3, within_s=5, every_s=0.001)

    assert (seen.fact, seen.reached, seen.attempts) == (3, True, 3)


def test_returns_the_last_fact_when_the_time_is_up() -> None:
    seen = eventually(lambda: "red", until=lambda colour: colour == "green", within_s=0.03, every_s=0.01)

    assert (seen.fact, seen.reached) == ("red", False)
    assert 1 < seen.attempts <= 4


def test_observation_without_a_fact_is_an_attempt() -> None:
    answers: Iterator[NoAnswer | str] = iter([NoAnswer("api", "http://a", "refused"), "up"])

    def observe() -> str:
        answer = next(answers)
        if isinstance(answer, NoAnswer):
            raise answer
        return answer

    assert eventually(observe, until=lambda fact: fact == "up", within_s=5, every_s=0.001).attempts == 2


def test_last_attempt_without_a_fact_is_told() -> None:
    def observe() -> str:
        raise NoAnswer("api", "http://a", "refused the connection")

    with pytest.raises(NoAnswer):
        eventually(observe, until=bool, within_s=0.02, every_s=0.01)


def test_one_observation_is_made_in_any_case() -> None:
    assert eventually(lambda: 1, until=lambda n: n == 2, within_s=0).attempts == 1
