"""The SARIF log keeps what the specification and code scanning ask for, whatever the verdict holds.

The rules here are those of SARIF 2.1.0 (sections in brackets) and of GitHub's "SARIF support for code
scanning". The log was also held against OASIS's JSON schema and Microsoft's validator when it was written.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from checks.checklist import Item, load
from checks.coverage import scan
from reports import sarif
from reports.plan import Plan, Planned
from reports.record import Outcome, Record
from reports.redaction import MASK, Redactor
from reports.verdict import Circumstances, Terms, Waiver, verdict

ROOT = Path(__file__).parents[2]
CHECKLIST = {item.id: item for item in load().values() if item.phase in {"security", "smoke"}}
PLACES = sarif.places(ROOT, scan(ROOT))
STARTED = datetime(2026, 11, 22, 19, 15, tzinfo=UTC)
CHECK = next(check for check in PLACES if check.startswith("checks/security/test_headers.py::"))
HEADERS_FILE = (ROOT / "checks/security/test_headers.py").read_text(encoding="utf-8").splitlines()


def record(item_id: str, outcome: Outcome = Outcome.FAILED, **changes: Any) -> Record:
    item = CHECKLIST[item_id]
    base = Record(
        test=f"{CHECK}[page]",
        title="Every answer carries it.",
        items=(item_id,),
        phase=item.phase,
        window=None,
        outcome=outcome,
        expected="nosniff",
        seen="GET https://www.example.org/board.js answers 200: no such header",
        next="send it",
        by_hand="curl --head https://www.example.org/board.js",
        message="no such header",
    )
    return replace(base, **changes)


def log(*records: Record, terms: Terms | None = None, partial: str = "") -> dict[str, Any]:
    """Return what is written, and hold it against the rules."""
    content = verdict(
        CHECKLIST,
        Plan(
            tuple(Planned(r.test, r.title, r.items, r.phase, r.window) for r in records),
            frozenset({("security", None), ("smoke", None)}),
            partial,
        ),
        {r.test: r for r in records},
        terms or Terms(),
        Circumstances(
            environment="production",
            release="1.0.0",
            commit="5e55101",
            images={},
            run="20261122T191500Z-3fa9",
            started=STARTED,
            ended=STARTED + timedelta(seconds=4.2),
            target={},
            requests={"sent": 12, "budget": 3000},
            limitations=(),
        ),
        built=frozenset(CHECKLIST),
    )
    rendered = sarif.render(content, PLACES, "0.1.0")
    keeps_the_rules(json.loads(json.dumps(rendered)))
    return rendered


def results(rendered: dict[str, Any], item_id: str) -> list[dict[str, Any]]:
    return [each for each in rendered["runs"][0]["results"] if each["ruleId"] == item_id]


def keeps_the_rules(rendered: dict[str, Any]) -> None:
    assert rendered["version"] == "2.1.0"  # [3.13.2]
    assert rendered["$schema"].endswith("/sarif-schema-2.1.0.json")
    (run,) = rendered["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "gonogo"
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])  # [3.19.12]
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(ids) == len(set(ids))  # [3.19.23]
    for rule in driver["rules"]:
        assert all(rule[name]["text"] for name in ("shortDescription", "fullDescription", "help"))
        assert len(rule["shortDescription"]["text"]) <= 1024
        assert rule["defaultConfiguration"]["level"] in {"error", "warning", "note"}
        assert 0 < float(rule["properties"]["security-severity"]) <= 10
        assert isinstance(rule["properties"]["security-severity"], str)
        assert "security" in rule["properties"]["tags"]
    assert re.fullmatch(
        r"[^/]+/[^/]+/[^/]+", run["automationDetails"]["id"]
    )  # all but the last is the category
    (invocation,) = run["invocations"]
    assert isinstance(invocation["executionSuccessful"], bool)  # [3.20.14]
    for name in ("startTimeUtc", "endTimeUtc"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", invocation[name])  # [3.9]
    fingerprints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert len(fingerprints) == len(set(fingerprints))
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]  # [3.27.6]
        assert result["kind"] in {"fail", "open", "review"}  # [3.27.9]
        assert (result["kind"] == "fail") == (result["level"] != "none")  # [3.27.10]
        assert result["message"]["text"]  # [3.27.11]
        assert "](" not in result["message"]["text"]  # [3.11.6]
        assert not re.search(r"(?<!\{)(\{\{)*\{(?!\{)", result["message"]["text"])  # [3.11.5]
        (location,) = result["locations"]  # code scanning refuses a log whose result has none
        physical = location["physicalLocation"]
        assert (ROOT / physical["artifactLocation"]["uri"]).is_file()
        assert physical["region"]["startLine"] >= 1


def test_a_failed_check_is_a_problem_with_its_evidence_and_its_place() -> None:
    failed = record("SEC-POST-4")
    (result,) = results(log(failed), "SEC-POST-4")

    assert (result["kind"], result["level"]) == ("fail", "error")
    first, *rest = result["message"]["text"].splitlines()
    assert first == "FAILED: GET https://www.example.org/board.js answers 200: no such header"
    assert "By hand: curl --head https://www.example.org/board.js" in rest
    assert result["properties"]["test"] == failed.test
    physical = result["locations"][0]["physicalLocation"]
    function = failed.test.partition("::")[2].partition("[")[0]
    beside = "\n".join(HEADERS_FILE[physical["region"]["startLine"] - 1 :][:6])
    assert physical["artifactLocation"]["uri"] == "checks/security/test_headers.py"
    assert f"def {function}(" in beside


@pytest.mark.parametrize(
    ("outcome", "kind"), [(Outcome.UNKNOWN, "open"), (Outcome.PENDING, "review")], ids=str
)
def test_what_is_not_known_does_not_close_an_alert(outcome: Outcome, kind: str) -> None:
    """Code scanning takes an alert that is no longer reported for fixed."""
    (before,) = results(log(record("SEC-POST-4")), "SEC-POST-4")
    (result,) = results(log(record("SEC-POST-4", outcome, seen="no route to the target")), "SEC-POST-4")

    assert (result["kind"], result["level"]) == (kind, "none")
    assert result["message"]["text"].startswith(f"{outcome}: no route to the target")
    assert result["partialFingerprints"] == before["partialFingerprints"]


def test_what_nobody_has_checked_is_there_too() -> None:
    rendered = log(record("SEC-POST-4"), partial="narrowed")

    (result,) = results(rendered, "SEC-PRE-1")
    assert result["kind"] == "open"
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "checks/checklist.toml"
    line = result["locations"][0]["physicalLocation"]["region"]["startLine"]
    assert (ROOT / "checks/checklist.toml").read_text().splitlines()[line - 1] == "[SEC-PRE-1]"
    assert not rendered["runs"][0]["invocations"][0]["executionSuccessful"]


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.ATTESTED, Outcome.NOT_APPLICABLE], ids=str)
def test_what_is_settled_is_not_reported(outcome: Outcome) -> None:
    attestation = {"signer": "x", "role": "x", "made": "x", "expires": "x", "statement": "x"}

    assert results(log(record("SEC-POST-4", outcome, attestation=attestation)), "SEC-POST-4") == []


def test_what_is_waived_is_suppressed() -> None:
    terms = Terms(waivers={"SEC-POST-4": Waiver("the next release sends it", "Lead", date(2026, 12, 24))})
    (result,) = results(log(record("SEC-POST-4"), terms=terms), "SEC-POST-4")

    (suppression,) = result["suppressions"]
    assert (suppression["kind"], suppression["status"]) == ("external", "accepted")
    assert "waived by Lead until 2026-12-24" in suppression["justification"]


def test_what_does_not_apply_is_not_reported() -> None:
    terms = Terms(not_applicable={"SEC-POST-4": "it serves no browser"})

    assert results(log(record("SEC-POST-4"), terms=terms), "SEC-POST-4") == []


def test_only_security_is_reported() -> None:
    rendered = log(record("SEC-POST-4"), record("SMK-1", test="smoke/test_health.py::test_x"))

    assert {rule["id"] for rule in rendered["runs"][0]["tool"]["driver"]["rules"]} == {
        item.id for item in CHECKLIST.values() if item.phase == "security"
    }
    assert results(rendered, "SMK-1") == []


def test_a_check_of_two_items_is_a_result_of_each() -> None:
    rendered = log(record("SEC-POST-4", items=("SEC-POST-4", "SEC-PRE-7")))

    first, second = results(rendered, "SEC-POST-4") + results(rendered, "SEC-PRE-7")
    assert first["partialFingerprints"] != second["partialFingerprints"]


@pytest.mark.parametrize(("severity", "level"), [(1, "error"), (2, "error"), (3, "warning"), (4, "note")])
def test_the_level_is_the_severitys(severity: int, level: str, monkeypatch: pytest.MonkeyPatch) -> None:
    item: Item = replace(CHECKLIST["SEC-POST-4"], severity=severity)
    monkeypatch.setitem(CHECKLIST, "SEC-POST-4", item)

    (result,) = results(log(record("SEC-POST-4")), "SEC-POST-4")

    assert result["level"] == level


def test_hostile_content_stays_text() -> None:
    hostile = '\x1b[31m{0} {"a": {"b": 1}} [click](https://evil.example.org) \ud800 \u202e' + "A" * 50_000
    (result,) = results(log(record("SEC-POST-4", seen=hostile, message=hostile)), "SEC-POST-4")

    text = result["message"]["text"]
    assert '{{0}} {{"a": {{"b": 1}}}}' in text
    assert "\x1b" not in text
    assert len(text) < 10_000


def test_it_stays_json_when_a_secret_is_taken_out(tmp_path: Path) -> None:
    secret = 'wh"at\\ever-1'  # noqa: S105  an invented one
    rendered = log(record("SEC-POST-4", seen=f"the page shows {secret}"))
    path = tmp_path / "security.sarif"
    path.write_text(json.dumps(rendered), encoding="utf-8")

    Redactor([secret]).file(path)

    text = path.read_text(encoding="utf-8")
    assert secret not in text
    assert json.dumps(secret)[1:-1] not in text
    assert MASK in results(json.loads(text), "SEC-POST-4")[0]["message"]["text"]
