"""``security.sarif``: the security findings of a run in the form that code scanning takes in.

SARIF 2.1.0 (OASIS), made from ``verdict.json`` alone. ``docs/sarif.md`` says what becomes of each outcome,
and why what is unknown stands in it too.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from reports.sanitise import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from checks.coverage import StaticCheck

Json = dict[str, Any]

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
PHASE = "security"
CHECKLIST = "checks/checklist.toml"
LONGEST_QUOTE = 2_000
"""Characters of one quoted text; an alert is read on one screen."""

KINDS = {"FAILED": "fail", "UNKNOWN": "open", "PENDING": "review"}
"""What is reported (SARIF 3.27.9): a problem, too little to decide by, something that a person decides."""

LEVELS = {1: "error", 2: "error", 3: "warning", 4: "note"}
"""How bad a finding is, by the item's severity."""

SCORES = {1: "9.5", 2: "8.0", 3: "5.5", 4: "2.0"}
"""The same as code scanning wants it: critical from 9.0 on, high from 7.0, medium from 4.0, else low."""

Place = tuple[str, int]
"""A file of this repository, and a line."""


def places(root: Path, checks: Iterable[StaticCheck]) -> dict[str, Place]:
    """Return where each check, by file and function, and each item, by its id, is written down."""
    lines = (root / CHECKLIST).read_text(encoding="utf-8").splitlines()
    items = {line.strip("[] "): number for number, line in enumerate(lines, start=1) if line.startswith("[")}
    return {
        **{item: (CHECKLIST, number) for item, number in items.items()},
        **{f"{check.path}::{check.function}": (check.path, check.line) for check in checks},
    }


def version(root: Path) -> str:
    """Return the version of the suite."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def render(verdict: Json, where: Mapping[str, Place], suite: str) -> Json:
    """Return the SARIF log of a run.

    Args:
        verdict: the content of ``verdict.json``, redacted.
        where: see ``places``.
        suite: the version of the suite.
    """
    safe = clean(verdict, LONGEST_QUOTE)
    entries = [entry for entry in safe["checklist"] if entry["phase"] == PHASE]
    place = {entry["id"]: index for index, entry in enumerate(entries)}
    driver = {"name": "gonogo", "semanticVersion": suite, "rules": [_rule(entry) for entry in entries]}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "automationDetails": {"id": f"gonogo/{safe['environment']}/{safe['run']}"},
                "columnKind": "unicodeCodePoints",
                "invocations": [_invocation(safe)],
                "results": [{**each, "ruleIndex": place[each["ruleId"]]} for each in _results(safe, where)],
                "properties": {
                    name: safe[name] for name in ("verdict", "environment", "release", "commit", "requests")
                },
            }
        ],
    }


def _rule(entry: Json) -> Json:
    severity = entry["severity"]
    text = (
        f"{entry['statement']} The {entry['owner']} answers for it. docs/checklist.md lists what judges it."
    )
    return {
        "id": entry["id"],
        "shortDescription": {"text": _message(entry["statement"])},
        "fullDescription": {"text": _message(f"{entry['section']}: {entry['statement']}")},
        "help": {"text": _message(text)},
        "defaultConfiguration": {"level": LEVELS[severity]},
        "properties": {
            "security-severity": SCORES[severity],
            "tags": [PHASE, "deployment", f"severity-{severity}"],
        },
    }


def _invocation(verdict: Json) -> Json:
    return {
        "executionSuccessful": not verdict["partial"],
        "startTimeUtc": _utc(verdict["started"]),
        "endTimeUtc": _utc(verdict["ended"]),
        "exitCode": verdict["exit_code"],
        "exitCodeDescription": _message(f"{verdict['verdict']}: {verdict['headline']}"),
    }


def _results(verdict: Json, where: Mapping[str, Place]) -> Iterator[Json]:
    """Yield a result for each unsettled check of an item, and for each item without one."""
    told = set()
    for record in verdict["records"]:
        for item_id in record["items"]:
            item = verdict["items"].get(item_id)
            told.add(item_id)
            if not item or item["phase"] != PHASE or item["outcome"] == "NOT APPLICABLE":
                continue
            if record["outcome"] in KINDS:
                place = where.get(record["test"].partition("[")[0]) or where[item_id]
                yield _result(item_id, item, record, place)
    for item_id, item in verdict["items"].items():
        if item["phase"] == PHASE and item_id not in told and item["outcome"] in KINDS:
            yield _result(item_id, item, {**item, "test": "", "title": item["statement"]}, where[item_id])


def _result(item_id: str, item: Json, seen: Json, place: Place) -> Json:
    """Return the result of one check for one item.

    Its fingerprint depends on nothing that differs between runs: whatever a check says, it is one alert.
    """
    kind = KINDS[seen["outcome"]]
    uri, line = place
    identity = hashlib.sha256(f"{item_id}\n{seen['test']}".encode()).hexdigest()[:32]
    waived = item["outcome"] == "WAIVED"
    told = ("test", "outcome", "expected", "seen", "next", "by_hand", "measured", "limit", "unit")
    return {
        "ruleId": item_id,
        "kind": kind,
        "level": LEVELS[item["severity"]] if kind == "fail" else "none",
        "message": {"text": _message(_told(seen))},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}},
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{identity}:1"},
        **(
            {"suppressions": [{"kind": "external", "status": "accepted", "justification": item["reason"]}]}
            if waived
            else {}
        ),
        "properties": {name: seen[name] for name in told if seen[name] not in {None, ""}},
    }


def _told(seen: Json) -> str:
    """Return the message: the evidence first, because code scanning shows the first sentence everywhere."""
    parts = (
        ("", f"{seen['outcome']}: {seen['seen'] or seen['message']}"),
        ("Check: ", seen["title"]),
        ("Expected: ", seen["expected"]),
        ("By hand: ", seen["by_hand"]),
        ("Do: ", seen["next"]),
    )
    return "\n".join(f"{label}{text}" for label, text in parts if text)


def _message(text: str) -> str:
    """Return a text as a message string: braces doubled (3.11.5), and no links in it (3.11.6)."""
    return re.sub(r"([{}])", r"\1\1", text.replace("](", "] ("))


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
