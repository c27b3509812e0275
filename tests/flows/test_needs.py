from __future__ import annotations

from typing import Any

import pytest

from checks.validation.flows import bom, kanban, orders
from checks.validation.flows.steps import Needs, require
from fixtures.observation import Absent, CannotObserve
from fixtures.release import Release


def release(*endpoints: dict[str, Any], **more: Any) -> Release:
    return Release.model_validate(
        {
            "version": "1",
            "health": {"path": "/", "text": ""},
            "endpoints": [
                {"name": f"e{n}", "method": "GET", "kind": "list", **each} for n, each in enumerate(endpoints)
            ],
            **more,
        }
    )


def test_a_flow_that_nothing_is_about_does_not_apply() -> None:
    for needs in (bom.NEEDS, orders.NEEDS, kanban.NEEDS):
        with pytest.raises(Absent):
            require(
                release(
                    {"path": "/bombs"}, {"path": "/tasks"}, {"path": "/kanban/boards"}, {"path": "/boms"}
                ),
                needs,
            )


@pytest.mark.parametrize(
    ("needs", "endpoint"),
    [
        (bom.NEEDS, {"path": "/api/v1/warehouse/bom", "method": "POST", "kind": "create"}),
        (bom.NEEDS, {"path": "/bill-of-materials/1", "method": "PUT", "kind": "action"}),
        (bom.NEEDS, {"path": "/recipes", "items": ["REL-BOM-1"]}),
        (bom.NEEDS, {"path": "/recipes", "name": "list_boms"}),
        (orders.NEEDS, {"path": "/work", "items": ["REL-PPIC-1"]}),
        (orders.NEEDS, {"path": "/tasks/1/approve", "method": "POST", "kind": "action"}),
        (kanban.NEEDS, {"path": "/ppic/kanban/cards/1/ship", "method": "POST", "kind": "action"}),
    ],
)
def test_a_flow_whose_endpoints_are_called_otherwise_is_not_passed_over(
    needs: Needs, endpoint: dict[str, Any]
) -> None:
    with pytest.raises(CannotObserve, match="declares no endpoint named"):
        require(release(endpoint), needs)


def test_an_item_that_means_something_else_says_nothing_about_a_flow() -> None:
    with pytest.raises(Absent):
        require(
            release({"path": "/bom", "items": ["REL-BOM-1"]}, statements={"REL-BOM-1": "Bombs are defused."}),
            bom.NEEDS,
        )
