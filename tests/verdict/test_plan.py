"""What is in scope of a selection, and what makes it partial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reports.plan import Planned, shortfall, units_in_scope

if TYPE_CHECKING:
    from collections.abc import Callable

    from checks.checklist import Item

SMOKE = ("smoke", None)
IMMEDIATE = ("postdeploy", "immediate")


@pytest.fixture
def checklist(make_item: Callable[..., Item]) -> dict[str, Item]:
    items = [
        make_item(),
        make_item(id="LOAD-1", phase="load"),
        make_item(id="MON-1", phase="postdeploy", window="immediate"),
        make_item(id="POST-LONG-1", phase="postdeploy", window="long_term"),
    ]
    return {item.id: item for item in items}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("smoke", {SMOKE}),
        ("smoke or load", {SMOKE, ("load", None)}),
        ("not load", {SMOKE, IMMEDIATE, ("postdeploy", "long_term")}),
        ("immediate", {IMMEDIATE}),
        ("postdeploy", {IMMEDIATE, ("postdeploy", "long_term")}),
        ("", {SMOKE, ("load", None), IMMEDIATE, ("postdeploy", "long_term")}),
    ],
)
def test_expression_names_the_units_whether_built_or_not(
    expression: str, expected: set[tuple[str, str | None]], checklist: dict[str, Item]
) -> None:
    assert units_in_scope(expression, checklist, []) == expected


def test_unit_of_a_selected_check_is_in_scope_whatever_the_expression(
    checklist: dict[str, Item], make_planned: Callable[..., Planned]
) -> None:
    assert units_in_scope("writes", checklist, [make_planned()]) == {SMOKE}


@pytest.fixture
def short(make_planned: Callable[..., Planned]) -> Callable[..., str]:
    def make(
        narrowing: tuple[str, ...] = (),
        selected: tuple[str, ...] = ("f.py::a",),
        deselected: tuple[str, ...] = (),
    ) -> str:
        return shortfall(
            narrowing=narrowing,
            units=frozenset({SMOKE}),
            selected=[make_planned(test=test) for test in selected],
            deselected=[make_planned(test=test) for test in deselected],
            existing=[("f.py::a", SMOKE), ("g.py::b", ("load", None))],
        )

    return make


def test_whole_phase_is_not_partial(short: Callable[..., str]) -> None:
    assert short() == ""


def test_parameters_of_a_check_count_as_the_check(short: Callable[..., str]) -> None:
    assert short(selected=("f.py::a[x-::y]",)) == ""


def test_narrowing_option_is_named(short: Callable[..., str]) -> None:
    assert short(narrowing=("-k",)) == "the selection was narrowed by -k"


def test_deselected_check_of_the_phase_is_named(short: Callable[..., str]) -> None:
    assert "f.py::a[2]" in short(selected=("f.py::a[1]",), deselected=("f.py::a[2]",))


def test_check_that_was_not_collected_is_named(short: Callable[..., str]) -> None:
    assert "f.py::a" in short(selected=("f.py::other",))
