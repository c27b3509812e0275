"""The flows of the guide's ERP on an implementation of it that they do not know, by two files alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.systems import suite
from tests.systems.second_erp import PASSWORD, Erp, serving
from tests.systems.second_erp_files import environment, release

if TYPE_CHECKING:
    from pathlib import Path


def judged(erp: Erp, folder: Path, only: str = "") -> list[dict[str, Any]]:
    """Return the records of the validation phase."""
    with serving(erp) as url:
        return suite.judged(
            folder,
            release=release(erp),
            environment=environment(erp, url),
            secrets={"ERP_PASSWORD": PASSWORD},
            phase="validation",
            only=only,
        )


@pytest.mark.parametrize("way", ["plain", "wrapped", "bare"])
def test_a_healthy_erp_passes_whatever_it_decides_otherwise(way: str, tmp_path: Path) -> None:
    erp = Erp(way=way)
    before = dict(erp.orders), dict(erp.boms)
    records = judged(erp, tmp_path)

    assert [record for record in records if record["outcome"] not in {"PASSED", "NOT APPLICABLE"}] == []
    flows = [record for record in records if "/flows/" in record["test"]]
    idle = {record["test"].rpartition("::")[2] for record in flows if record["outcome"] != "PASSED"}
    assert idle == {"test_what_an_approval_says_is_kept"}, "neither shows what is sent to approve"
    if way != "bare":
        assert [id_ for id_, each in erp.orders.items() if not each["cancelled"]] == [*before[0]]
    assert [id_ for id_, each in erp.boms.items() if each["is_active"]] == [*before[1]]


BROKEN = {
    "approve twice": (
        "wrapped",
        {
            "test_forbidden_transition_is_refused[APPROVED-approve]": r"^204; .*in APPROVED now",
            "test_transition_happens_once[approve]": r"^5 times 204",
        },
    ),
    "complete without start": (
        "plain",
        {"test_forbidden_transition_is_refused[APPROVED-complete]": r"^200; .*in COMPLETED now"},
    ),
    "updates answer 500": (
        "wrapped",
        {
            "test_bom_is_updated": r"^500; .*and yet qty_output \S+ -> 2\.000",
            "test_failed_bom_writes_change_nothing": r"update answered 500, and yet qty_output \S+ -> 2",
            "test_updates_at_once_raise_the_revision_each": r"^5 times 500",
        },
    ),
    "updates are lost": (
        "wrapped",
        {"test_updates_at_once_raise_the_revision_each": r"^5 times 204; revisions from 1\.\d to 1\.\d$"},
    ),
    "deleted ones stay": ("plain", {"test_deleted_bom_is_gone": r"^reading it answers 200"}),
    "duplicates are accepted": (
        "wrapped",
        {
            "test_second_active_bom_is_refused": r"^201; ",
            "test_second_active_bom_of_another_type_is_refused": r"^201; ",
            "test_one_of_several_boms_at_once_is_made": r"^5 times 201",
        },
    ),
    "refused ones are stored": (
        "bare",
        {
            "test_failed_bom_writes_change_nothing": r"duplicate answered 409, and yet record .* was stored",
        },
    ),
    "variance is twelve": (
        "wrapped",
        {
            "test_variance_over_ten_per_cent_is_refused[11 % over]": r"^204; .*in COMPLETED now",
            "test_variance_over_ten_per_cent_is_refused[11 % under]": r"^204; .*in COMPLETED now",
        },
    ),
    "old path answers": (
        "wrapped",
        {
            f"test_old_path_is_gone_for_writers[/api/v1/kanban/cards/{path}]": (
                r"DELETE .* without a token answers 204"
            )
            for path in ("all", "{id}/approve", "{id}/reject", "{id}/ship", "{id}/receive")
        },
    ),
    "times are naive": (
        "plain",
        {"test_answers_of_a_flow_have_iso8601_timestamps[a BOM]": r"updated_at = .* has no offset"},
    ),
    "skip is ignored": (
        "plain",
        {
            "test_list_hides_what_the_filter_leaves_out[list: skipping it]": r"it shows it",
            "test_list_goes_on_page_by_page": r"limit=1&skip=1 shows ",
        },
    ),
    "approve at once": ("plain", {"test_transition_happens_once[approve]": r"^[2-5] times 200"}),
}
"""How it is broken: deciding in which way, and the checks of flows and old paths that say so, with what."""


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_erp_fails_where_it_is_broken(broken: str, tmp_path: Path) -> None:
    way, causes = BROKEN[broken]
    records = judged(Erp(broken, way=way), tmp_path, "flows or test_paths")
    red = {
        record["test"].rpartition("::")[2]: record["seen"]
        for record in records
        if record["outcome"] == "FAILED"
    }

    assert red.keys() == causes.keys()
    assert [name for name, cause in causes.items() if not re.search(cause, red[name], re.DOTALL)] == []
