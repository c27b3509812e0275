from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.mark.parametrize(
    "claim",
    [
        "ppic_manager",
        "PPIC_MANAGER",
        "Ppic-Manager",
        "ROLE_PPIC_MANAGER",
        "viewer ppic_manager",
        "viewer,ppic_manager",
        ["viewer", "ppic_manager"],
        [7, "ppic_manager"],
    ],
)
def test_a_claim_names_the_role(claim: object, checks: ModuleType) -> None:
    assert checks.names_role(claim, "ppic_manager")


@pytest.mark.parametrize(
    "claim", ["", "ppic", "ppic_manager_deputy", [], None, 7, True, {"ppic_manager": True}]
)
def test_a_claim_names_another_role_or_none(claim: object, checks: ModuleType) -> None:
    assert not checks.names_role(claim, "ppic_manager")
