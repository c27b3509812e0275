from __future__ import annotations

import sys
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType


@pytest.fixture(scope="module")
def checks() -> ModuleType:
    """The module of the checks: their folder is no package."""
    path = Path(__file__).resolve().parents[2] / "checks" / "validation" / "test_access.py"
    spec = util.spec_from_file_location("access_checks", path)
    assert spec
    assert spec.loader
    module = util.module_from_spec(spec)
    sys.modules["access_checks"] = module
    spec.loader.exec_module(module)
    return module


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
