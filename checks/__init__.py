"""What must hold: the checklist and, by phase, the checks that judge it."""

from checks.vocabulary import Exhibits, Measured, explain, item

__all__ = ["Exhibits", "Measured", "explain", "item"]
