"""Every fault of a guard that is got around, or of an old path that lives on so, is found by its cause."""

from __future__ import annotations

import re
from inspect import getsource
from typing import TYPE_CHECKING, Any

import pytest

from reference.faults import FAULTS, detours

if TYPE_CHECKING:
    from collections.abc import Callable

ORDERS, CARDS = "/api/v1/ppic/manufacturing-orders", "/api/v1/kanban/cards"
READING = "test_no_detour_leads_those_in_who_may_not_read"
WRITING = "test_no_detour_leads_those_in_who_may_not_write"
READERS, WRITERS = "test_old_path_is_gone_for_readers", "test_old_path_is_gone_for_writers"

CAUSES: dict[str, dict[str, str]] = {
    "guard-misses-slash": {
        READING: rf"refused GET {ORDERS} with 403, and by a slash at the end \(GET {ORDERS}/\) is",
        WRITING: r"by a slash at the end \(PUT /api/v1/warehouse/bom/\d+/\) is answered 200",
    },
    "guard-misses-doubled-slash": {
        READING: r"by a doubled slash \(GET //api/v1/warehouse/bom\) is answered 200",
        WRITING: r"by a doubled slash \(PUT //api/v1/warehouse/bom/\d+\) is answered 200",
    },
    "guard-misses-case": {
        READING: r"by another case \(GET /api/v1/PPIC/MANUFACTURING-ORDERS/\d+\) is answered 200",
        WRITING: r"by another case \(POST /api/v1/PPIC/MANUFACTURING-ORDERS\) is answered 201",
    },
    "guard-misses-path-parameter": {
        READING: rf"by a path parameter \(GET {ORDERS};a=b\) is answered 200",
        WRITING: rf"by a path parameter \(POST {ORDERS};a=b\) is answered 201",
    },
    "guard-misses-escape": {
        READING: r"by an escaped letter \(GET /api/v1/warehouse/%62om/\d+\) is answered 200",
        WRITING: r"by an escaped letter \(PUT /api/v1/warehouse/%62om/\d+\) is answered 200",
    },
    "guard-misses-way-up": {READING: r"by an escaped way up \(GET \S+/tasks/\d+%2f\.\.\) is answered 200"},
    "guard-misses-original-url": {
        READING: r"GET \S+/cards/all with 403, and by X-Original-URL \(GET /api/v1/health\) is .* 200",
        WRITING: r"refused PUT \S+ with 403, and by X-Original-URL \(PUT /api/v1/health\) is answered 200",
    },
    "guard-misses-method-override": {
        READING: r"by X-HTTP-Method-Override \(OPTIONS \S+/cards/all\) is answered 200",
        WRITING: r"PUT \S+ with 403, and by X-HTTP-Method-Override \(POST \S+/bom/\d+\) is .* 200",
    },
    "guard-misses-head": {
        READING: r"no_rights is refused GET \S+ with 403, and by HEAD \(.*\) is answered 200"
    },
    "old-path-alive-with-slash": {
        READERS: f"^GET {CARDS}/all with a slash at the end as ppic_manager answers 200",
        WRITERS: rf"^POST {CARDS}/\{{id}}/approve with a slash at the end as ppic_manager answers [24]00",
    },
    "old-path-alive-with-doubled-slash": {
        READERS: f"^GET {CARDS}/all with a doubled slash as ppic_manager answers 200",
        WRITERS: rf"^POST {CARDS}/\{{id}}/ship with a doubled slash as ppic_manager answers [24]00",
    },
    "old-path-alive-in-capitals": {
        READERS: f"^GET {CARDS}/all with another case as ppic_manager answers 200$"
    },
    "old-path-alive-for-head": {READERS: f"^HEAD {CARDS}/all without a token answers 401"},
}
"""The checks that turn red, and what each of them says."""


def test_every_fault_has_a_cause_here() -> None:
    assert set(re.findall(r'_fault\(\s*"([a-z-]+)"', getsource(detours))) == set(CAUSES)


@pytest.mark.parametrize("name", CAUSES)
def test_fault_turns_its_checks_red(name: str, verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", name, keywords="test_roles or test_paths")
    red: dict[str, list[str]] = {}
    for record in verdict["records"]:
        if record["outcome"] == "FAILED":
            check = record["test"].partition("::")[2].partition("[")[0]
            red.setdefault(check, []).append(record["seen"])

    assert {item for item, each in verdict["items"].items() if each["outcome"] == "FAILED"} == {
        *FAULTS[name].items
    }
    assert red.keys() == CAUSES[name].keys(), red
    for check, cause in CAUSES[name].items():
        assert any(re.search(cause, seen) for seen in red[check]), red[check]
    assert not [each["test"] for each in verdict["records"] if each["outcome"] == "UNKNOWN"]


def test_healthy_release_passes_the_same_checks(verdict_under: Callable[..., Any]) -> None:
    verdict = verdict_under("validation", keywords="detour or test_paths")

    assert {each["outcome"] for each in verdict["records"]} == {"PASSED"}
    seen = {each["test"].partition("::")[2]: each["measured"] for each in verdict["records"]}
    assert re.fullmatch(r"(\d+) of \1 combinations of endpoint and way", seen[READING])
    assert re.fullmatch(r"(\d+) of \1 combinations of endpoint and way", seen[WRITING])
