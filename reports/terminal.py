"""What the terminal says at the end of a run: the verdict, then each unsettled cause in one block.

What is quoted is untrusted, so control sequences are taken out, and every further line of a
quoted text is indented: no body can start a line that looks like a verdict.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from reports.findings import Finding, findings
from reports.html import bound, claim, duration, figure, instruction, number, span
from reports.sanitise import clean
from reports.verdict import ON_SOMEBODYS_WORD

Json = dict[str, Any]
Paint = Callable[..., str]
"""Takes a text and the codes of its colours; returns the text in these colours."""

LONGEST_QUOTE = 600
"""Characters of one quoted text: about eight lines of an 80-column terminal."""
MOST_BLOCKS = 12
"""Causes that are told in full. More are in the report, and nobody acts on the thirteenth first."""
MOST_ITEMS = 6
"""Items of one cause that are told in full; of the others the ids are enough."""
MOST_ELSEWHERE = 3
"""Further failing checks of the same items that are told."""
MOST_COMMANDS = 2
"""Different commands that show the same cause."""
LABEL = 12
"""Columns of a label with its indentation."""

_PLAIN, _BOLD, _RED, _GREEN, _YELLOW = "0", "1", "31", "32", "33"
_TONES = {
    "GO": _GREEN,
    "NO-GO": _RED,
    "HOLD": _YELLOW,
    "FAILED": _RED,
    "UNKNOWN": _YELLOW,
    "PENDING": _YELLOW,
    "PASSED": _GREEN,
    "ATTESTED": _GREEN,
}


def summary(verdict: Json, *, width: int, colour: bool, report: str = "") -> list[str]:
    """Return the lines that end a run.

    Args:
        verdict: the content of ``verdict.json``.
        width: columns of the terminal. Text is wrapped to it; commands are not, so that they can be copied.
        colour: whether lines may hold colours.
        report: where ``report.html`` is, for the last line.
    """
    safe = clean(verdict, LONGEST_QUOTE)
    paint = _painted if colour else _unpainted
    lines = [*_headline(safe, paint), *_on_somebodys_word(safe, width, paint), ""]
    causes = findings(safe)
    for finding in causes[:MOST_BLOCKS]:
        lines += [*_block(finding, width, paint), ""]
    if len(causes) > MOST_BLOCKS:
        lines += [f"... and {len(causes) - MOST_BLOCKS} more causes in report.html", ""]
    if report:
        lines.append(f"report: {report}")
    return lines


def _painted(text: str, *codes: str) -> str:
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"


def _unpainted(text: str, *_codes: str) -> str:
    return text


def _headline(verdict: Json, paint: Paint) -> Iterator[str]:
    word = verdict["verdict"]
    tags = "".join(
        f" {tag}"
        for tag, present in (("PROVISIONAL", verdict["provisional"]), ("PARTIAL", verdict["partial"]))
        if present
    )
    subject = _one_line(f"release {verdict['release']} on {verdict['environment']}")
    yield f"{paint(f'{word}{tags}', _BOLD, _TONES[word])}  {subject}: {instruction(verdict)}"
    yield _one_line(verdict["headline"])
    counts = ", ".join(
        paint(f"{count} {outcome}", _TONES.get(outcome, _PLAIN))
        for outcome, count in verdict["counts"].items()
        if count
    )
    sent = verdict["requests"].get("sent", 0)
    under_load = verdict["requests"].get("under_load", 0)
    more = f", {number(under_load)} more under load," if under_load else ""
    cost = f"{number(sent)} request{'s' if sent != 1 else ''}{more} in {duration(verdict['duration_s'])}"
    yield f"{counts or 'no items'}; {len(verdict['records'])} checks, {cost}"


def _on_somebodys_word(verdict: Json, width: int, paint: Paint) -> Iterator[str]:
    """Yield the items that are settled by a waiver or an attestation, and whose it is."""
    for item_id, item in verdict["items"].items():
        if item["outcome"] in ON_SOMEBODYS_WORD:
            rests_on = [
                each.get("link") or each["file"] for each in (item["attestation"] or {}).get("evidence", ())
            ]
            text = " ".join((item_id, item["reason"], *rests_on))
            first, *more = _wrapped(_one_line(text), width, indent=LABEL)
            yield paint(item["outcome"].ljust(LABEL), _TONES.get(item["outcome"], _PLAIN)) + first.strip()
            yield from more


def _block(finding: Finding, width: int, paint: Paint) -> Iterator[str]:
    worst = finding.worst
    outcome = paint(worst["outcome"], _BOLD, _TONES[worst["outcome"]])
    action = f", {paint(worst['action'], _BOLD)}" if worst["action"] else ""
    for position, (item_id, item) in enumerate(finding.items[:MOST_ITEMS]):
        tail = f"{outcome}{action}" if position == 0 else ""
        yield f"{paint(item_id, _BOLD)}  severity {item['severity']}  {tail}".rstrip()
        yield from _wrapped(item["statement"], width, indent=2)
    rest = [item_id for item_id, _ in finding.items[MOST_ITEMS:]]
    if rest:
        yield from _wrapped(f"and {len(rest)} more with the same cause: {', '.join(rest)}", width, indent=2)
    yield from _parts(finding, width)


def _parts(finding: Finding, width: int) -> Iterator[str]:
    yield from _evidence(finding, width)
    yield from _what_to_do(finding.worst, width)
    for record in finding.elsewhere[:MOST_ELSEWHERE]:
        yield from _labelled(
            "also", f"{record['outcome']}: {claim(record['title'])}: {record['seen']}", width
        )
    if len(finding.elsewhere) > MOST_ELSEWHERE:
        yield from _labelled("", f"... and {len(finding.elsewhere) - MOST_ELSEWHERE} more checks", width)


def _evidence(finding: Finding, width: int) -> Iterator[str]:
    worst = finding.worst
    if len(finding.expected) == 1 and finding.expected[0] != worst["statement"]:
        yield from _labelled("expected", finding.expected[0], width)
    yield from _labelled("seen", worst["seen"] or worst["message"] or "nothing", width)
    if worst["measured"] is not None:
        limit = f", {bound(worst)}" if worst["limit"] is not None else ""
        yield from _labelled("measured", figure(worst["measured"], worst["unit"]) + limit, width)
    for item_id, item in finding.items[:MOST_ITEMS]:
        if item["reason"]:
            yield from _labelled("waiver", f"{item_id}: {item['reason']}", width)
    for command in finding.by_hand[:MOST_COMMANDS]:
        yield from _commands("by hand", [command])


def _what_to_do(worst: Json, width: int) -> Iterator[str]:
    if worst["commands"]:
        yield from _labelled("do", worst["action"], width)
        yield from _commands("", worst["commands"])
        yield from _labelled("then", worst["next"], width)
    else:
        yield from _labelled("do", ": ".join(filter(None, (worst["action"], worst["next"]))), width)
    for position, contact in enumerate(worst["contacts"]):
        label = "call" if position == 0 else ""
        yield from _labelled(label, f"{contact['role']}, {contact['name']}: {contact['reach']}", width)
    if worst["within_min"] is not None:
        yield from _labelled("within", span(worst["within_min"]), width)


def _labelled(label: str, text: str, width: int) -> Iterator[str]:
    for position, line in enumerate(_wrapped(text, width, indent=LABEL)):
        yield f"  {label}".ljust(LABEL) + line.strip() if position == 0 else line


def _commands(label: str, commands: Iterable[str]) -> Iterator[str]:
    """Yield commands unwrapped, so that a selected line is the whole command."""
    lines = (line for command in commands for line in command.splitlines() if line.strip())
    for position, line in enumerate(lines):
        yield (f"  {label}" if position == 0 else "").ljust(LABEL) + line


def _wrapped(text: str, width: int, *, indent: int) -> Iterator[str]:
    room = max(20, width - indent)
    for line in text.splitlines():
        for piece in textwrap.wrap(line, room, break_on_hyphens=False):
            yield " " * indent + piece


def _one_line(text: str) -> str:
    return " ".join(text.split())
