"""The words that every check uses: ``item`` binds it to the checklist, ``explain`` speaks for it."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

item = pytest.mark.item
"""``@item("SMK-1", ...)``: the checklist items that the check judges."""


@dataclass(frozen=True)
class Explanation:
    """What a failed check has to say, in parts; every part is plain text.

    Attributes:
        expected: what had to hold, with the limit.
        seen: what was measured or observed instead.
        next: what to do about it.
        by_hand: a command without secrets that shows the same thing, or an empty string.
        action: a stop that outranks the severity's own (``"HOLD"``), or an empty string.
    """

    expected: str
    seen: str
    next: str
    by_hand: str = ""
    action: str = ""

    def __str__(self) -> str:
        """Return one labelled line per part; further lines of a part are indented.

        The indentation is what makes ``parse`` safe: a part that quotes a hostile body cannot
        start a line that looks like a label.
        """
        parts = ((field.name, getattr(self, field.name)) for field in fields(self))
        return "\n".join(f"{name}: " + "\n    ".join(text.splitlines()) for name, text in parts if text)

    @classmethod
    def parse(cls, message: str) -> Explanation | None:
        """Read the explanation back from an assertion message, or return ``None``.

        pytest indents our lines by two, all but the first, and puts its own ``assert ...`` below; both
        are undone.
        """
        names = [field.name for field in fields(cls)]
        parts: dict[str, list[str]] = {}
        current: list[str] | None = None
        lines = message.splitlines()
        if any(line.startswith("  seen: ") for line in lines):
            lines = [line.removeprefix("  ") for line in lines]
        for line in lines:
            name, separator, text = line.partition(": ")
            if separator and name in names and name not in parts:
                current = parts[name] = [text]
            elif line.startswith("    ") and current is not None:
                current.append(line[4:])
            else:
                current = None
        if not {"expected", "seen", "next"} <= parts.keys():
            return None
        return cls(**{name: "\n".join(lines) for name, lines in parts.items()})


@dataclass
class Measured:
    """What a check measured, kept for its record whether the claim holds or not.

    Attributes:
        value: the measured value, in ``unit``.
        limit: what it is judged against, in ``unit``.
        unit: the unit of both, or an empty string.
        attempts: how often the probe looked before it had the value.
    """

    value: float | str | None = None
    limit: float | str | None = None
    unit: str = ""
    attempts: int = 1

    def __call__(
        self,
        value: float | str,
        *,
        limit: float | str | None = None,
        unit: str = "",
        attempts: int = 1,
    ) -> None:
        """Keep the value; a later call replaces an earlier one."""
        self.value, self.limit, self.unit, self.attempts = value, limit, unit, attempts


@dataclass
class Exhibits:
    """Evidence that people want to see in the report, kept with the check's record.

    Attributes:
        shown: JSON built-ins, in order: ``{"title", "kind", ...}``. A ``table`` has ``columns`` and
            ``rows`` (texts), an ``image`` has ``png`` (base64), a ``drawing`` has ``svg``.
    """

    shown: list[dict[str, Any]] = dataclass_field(default_factory=list)

    def table(self, title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Show a table; every cell becomes text."""
        cells = [[str(cell) for cell in row] for row in rows]
        self.shown.append({"title": title, "kind": "table", "columns": list(columns), "rows": cells})

    def image(self, title: str, png: bytes) -> None:
        """Show a picture."""
        self.shown.append({"title": title, "kind": "image", "png": b64encode(png).decode("ascii")})

    def drawing(self, title: str, svg: str) -> None:
        """Show a drawing that the suite itself has made: it is not escaped."""
        self.shown.append({"title": title, "kind": "drawing", "svg": svg})


def explain(*, expected: str, seen: str, next: str, by_hand: str = "", action: str = "") -> str:  # noqa: A002
    """Return the message of a failed claim: the second operand of its ``assert``."""
    return str(Explanation(expected=expected, seen=seen, next=next, by_hand=by_hand, action=action))
