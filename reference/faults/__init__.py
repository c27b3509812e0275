"""Ways to break the reference release, each from outside: the honest code knows none of them.

A fault bends the plan of the launch, or the table of endpoints, or both. One module per subject
registers its faults; the registry is complete once this package is imported.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from reference.faults.registry import FAULTS, Fault, UnknownFault, bent_plan, bent_table

__all__ = ["FAULTS", "Fault", "UnknownFault", "bent_plan", "bent_table"]

for _module in iter_modules(__path__, f"{__name__}."):
    import_module(_module.name)
