"""What the tests of access share."""

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
