"""``python -m checks``: what the checklist covers so far.

Without an option it prints, by phase, which items have a check and which have none. Exit status 1
and a list on stderr when checks and checklist do not fit together.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from checks.checklist import DESCRIPTIONS, PHASES, WINDOWS, Item, load
from checks.coverage import StaticCheck, faults, not_built, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "checklist.md"

_NOTE = 4
"""The severity that asks for nothing but a note, before and after traffic has moved."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m checks", description="Coverage of the guide's checklist."
    )
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--write", action="store_true", help="regenerate docs/checklist.md")
    choice.add_argument(
        "--not-built", action="store_true", help="print the ids without a check, one per line"
    )
    options = parser.parse_args(arguments)
    checklist, checks = load(), scan(ROOT)
    if options.write:
        DOCUMENT.write_text(document(checklist, checks), encoding="utf-8")
    elif options.not_built:
        sys.stdout.writelines(f"{item_id}\n" for item_id in not_built(checklist, checks))
    else:
        sys.stdout.write(overview(checklist, checks))
    found = faults(checklist, checks)
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


def overview(checklist: dict[str, Item], checks: Sequence[StaticCheck]) -> str:
    """Return the coverage by phase as plain text, lines of at most 100 characters."""
    missing = not_built(checklist, checks)
    lines = [f"{len(checklist) - len(missing)} of {len(checklist)} items have a check"]
    for phase in PHASES:
        ids = [item.id for item in checklist.values() if item.phase == phase]
        without = [item_id for item_id in ids if item_id in missing]
        built = [item_id for item_id in ids if item_id not in missing]
        lines.append(f"\n{phase}: {len(built)} of {len(ids)}")
        lines += [
            textwrap.fill(
                " ".join(some),
                width=100,
                initial_indent=label,
                subsequent_indent=" " * len(label),
                break_on_hyphens=False,
            )
            for label, some in (("  built      ", built), ("  not built  ", without))
            if some
        ]
    return "\n".join(lines) + "\n"


def document(checklist: dict[str, Item], checks: Sequence[StaticCheck]) -> str:
    """Return ``docs/checklist.md``: a table per section, the sections by phase and window."""
    built_by: dict[str, list[str]] = {item_id: [] for item_id in checklist}
    for check in checks:
        for item_id in check.items:
            if check.path not in built_by.get(item_id, [check.path]):
                built_by[item_id].append(check.path)
    parts = [_head(checklist, not_built(checklist, checks))]
    for phase in PHASES:
        parts.append(f"## {phase}\n\n{_sentence(DESCRIPTIONS[phase])}\n")
        items = [item for item in checklist.values() if item.phase == phase]
        items.sort(key=lambda item: WINDOWS.index(item.window) if item.window else 0)
        for (window, section), group in groupby(items, key=lambda item: (item.window, item.section)):
            when = f"Window `{window}`: {DESCRIPTIONS[window]}.\n\n" if window else ""
            parts.append(f"### {section}\n\n{when}{_table(group, built_by)}")
    return "\n".join(parts)


def _head(checklist: dict[str, Item], missing: Sequence[str]) -> str:
    return textwrap.dedent(f"""\
        # Checklist

        Generated from `checks/checklist.toml` and the checks by `python -m checks --write`. Do not edit.

        {len(checklist) - len(missing)} of {len(checklist)} items have a check. An item without one can never
        be settled.

        Severity: 1 system down, data at risk or door open; 2 degraded or a new capability broken; 3 isolated;
        4 informational. A failed 1 means ROLL BACK, 2 HOLD and escalate, 3 FIX, 4 NOTE. Where the severity is
        marked *hold*, a failure is seen before traffic has moved, and 1-3 mean HOLD.

        How: *automated* is seen by a probe, *attested* is signed by a person, *either* is seen by a probe
        where the environment has the component and signed by a person elsewhere.
        """)


def _table(items: Iterable[Item], built_by: Mapping[str, Sequence[str]]) -> str:
    rows = [
        "| item | what holds | severity | owner | how | built by |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for item in items:
        correction = f"<br>*Not as in the guide:* {item.correction}" if item.correction else ""
        cells = (
            item.id,
            item.statement + correction,
            f"{item.severity}{', *hold*' if item.before_traffic and item.severity < _NOTE else ''}",
            item.owner,
            item.how,
            "<br>".join(f"[{path}](../{path})" for path in built_by[item.id]) or "not built",
        )
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join(rows) + "\n"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


if __name__ == "__main__":
    sys.exit(main())
