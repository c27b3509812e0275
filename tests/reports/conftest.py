"""Invented verdicts, made by the real verdict function from invented records, with a stopped clock.

What is rendered from them is compared with the files in ``golden/``. After a wanted change, write
these anew and look at the difference: ``GOLDEN=refresh pytest tests/reports``.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from checks.checklist import Item
from reports.plan import Plan, Planned, Unit
from reports.record import Outcome, Record
from reports.verdict import Circumstances, Contact, Escalation, Terms, Waiver, verdict
from tests import machine

if TYPE_CHECKING:
    from collections.abc import Callable

GOLDEN = Path(__file__).with_name("golden")
STARTED = datetime(2026, 11, 22, 19, 15, 0, tzinfo=UTC)
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred\x9b1mbold\u202eesrever\u202c\x00\ud800"
    "\r\nGO  everything is settled\n\n{{ 7 * 7 }}</pre></details></main>"
)


def _item(item_id: str, severity: int, statement: str, **changes: Any) -> Item:
    base = Item(
        id=item_id,
        statement=statement,
        phase="smoke",
        window=None,
        section="Smoke tests",
        severity=severity,
        owner="On-call Engineer",
        how="automated",
        before_traffic=False,
        correction="",
    )
    return replace(base, **changes)


CHECKLIST = {
    item.id: item
    for item in (
        _item("PRE-DB-1", 1, "A fresh backup restores.", phase="predeploy", section="Database preparation"),
        _item("PRE-DB-2", 2, "The migration was tried.", phase="predeploy", section="Database preparation"),
        _item("PRE-TEAM-1", 3, "All teams know the window.", phase="predeploy", section="Team coordination"),
        _item(
            "SMK-1",
            1,
            "The health endpoint answers 200 and reports the database, the version and the commit.",
        ),
        _item("SMK-2", 1, "Sign-in answers 200 with a bearer token."),
        _item("SMK-3", 2, "The list of bills of materials answers 200 and shows a record of the run's own."),
        _item("SMK-4", 2, "A manufacturing order is created with 201, read back and removed again."),
        _item("SMK-5", 2, "The kanban board answers 200 under its new path."),
        _item(
            "POST-IMM-3",
            2,
            "Database queries answer within 100 ms.",
            phase="postdeploy",
            window="immediate",
            section="Immediate",
        ),
        _item(
            "POST-LONG-1",
            2,
            "Nothing failed for 24 hours.",
            phase="postdeploy",
            window="long_term",
            section="Long term",
        ),
        _item("SIGN-1", 2, "The QA lead signs off.", phase="gate", section="Sign-off", owner="QA Lead"),
    )
}

ESCALATION = {
    1: Escalation(
        5,
        (
            Contact("On-call Engineer", "Example Person", "+62 21 5550 1001"),
            Contact("Engineering Lead", "Example Person", "+62 21 5550 1002"),
        ),
    ),
    2: Escalation(
        30,
        (
            Contact("DevOps Lead", "Example Person", "+62 21 5550 1003"),
            Contact("Team Lead", "Example Person", "team-lead@example.org"),
        ),
    ),
    3: Escalation(120, (Contact("Support Team", "Example Desk", "https://tickets.example.org/new"),)),
}
ROLLBACK = (
    "docker compose -f docker-compose.production.yml stop backend frontend",
    "docker compose -f docker-compose.production.yml up -d backend frontend   # the previous digests",
    "curl --fail https://api.example.org/api/v1/health",
)
ATTESTATION = {
    "item": "PRE-DB-2",
    "environment": "production",
    "release": "1.0.0",
    "signer": "lead@example.org",
    "role": "DevOps Lead",
    "made": "2026-11-20",
    "expires": "2026-12-20",
    "statement": "The migration was tried on a copy of yesterday's database.",
    "facts": {"rows": 120_000},
    "evidence": [
        {"link": "https://wiki.example.org/tried?page=7"},
        {"file": "tried.log", "sha256": "9f" * 32},
    ],
    "key": "SHA256:834SVCdT04JntEKMv66EkArII7MOcD2JXB5O7hIOt4U",
}
HOSTILE_ATTESTATION = {
    **dict.fromkeys(ATTESTATION, HOSTILE),
    "item": "SMK-2",
    "facts": {HOSTILE: HOSTILE},
    "evidence": [{"link": "javascript:document.title='owned'"}, {"file": HOSTILE, "sha256": HOSTILE}],
}
TERMS = Terms(escalation=ESCALATION, rollback=ROLLBACK, rollback_within_min=5)
SMOKE: frozenset[Unit] = frozenset({("smoke", None)})


def record(item_id: str, outcome: Outcome = Outcome.PASSED, **changes: Any) -> Record:
    item = CHECKLIST[item_id]
    base = Record(
        test=f"{item.phase}/test_{item_id.lower().replace('-', '_')}.py::test_it_holds",
        title=item.statement,
        items=(item_id,),
        phase=item.phase,
        window=item.window,
        outcome=outcome,
        duration_s=0.0412,
    )
    return replace(base, **changes)


def judge(
    *records: Record,
    units: frozenset[Unit] = SMOKE,
    terms: Terms = TERMS,
    partial: str = "",
    built: frozenset[str] | None = None,
    **circumstances: Any,
) -> dict[str, Any]:
    planned = tuple(Planned(r.test, r.title, r.items, r.phase, r.window) for r in records)
    told = Circumstances(
        environment="production",
        release="1.0.0",
        commit="5e55101280a6c1f4d2b7e93a8c0f6d1e2b3a4c5d",
        images={"backend": "sha256:9f2c1d", "frontend": "sha256:77ab01"},
        run="20261122T191500Z-3fa9",
        started=STARTED,
        ended=STARTED + timedelta(seconds=4.2),
        target={
            "api": "https://api.example.org",
            "served": {"environment": "production", "version": "1.0.0", "commit": "5e55101"},
        },
        requests={"sent": 12, "budget": 3000},
        limitations=("The frontend was looked at without a browser.",),
    )
    return verdict(
        CHECKLIST,
        Plan(planned, units, partial),
        {r.test: r for r in records},
        terms,
        replace(told, **circumstances),
        built=frozenset(CHECKLIST) - {"PRE-TEAM-1"} if built is None else built,
    )


def smoke(**changed: Record) -> tuple[Record, ...]:
    """The five smoke records, green, except for the ones that are given (``SMK_2=...``)."""
    green = {
        "SMK_1": record("SMK-1", measured=41.5, limit=5000, unit="ms"),
        "SMK_2": record("SMK-2"),
        "SMK_3": record("SMK-3", measured=3, limit=1, unit="records", attempts=2),
        "SMK_4": record("SMK-4", duration_s=0.311),
        "SMK_5": record("SMK-5"),
    }
    return tuple({**green, **changed}.values())


def _refused(item_id: str) -> Record:
    return record(
        item_id,
        Outcome.FAILED,
        expected="an answer from the api",
        seen="api at https://api.example.org refused the connection",
        next="see whether the api runs and can be reached at https://api.example.org",
        by_hand="curl --silent --show-error https://api.example.org/api/v1/health",
        message="api at https://api.example.org refused the connection",
    )


def _unreachable(item_id: str) -> Record:
    return record(
        item_id,
        Outcome.UNKNOWN,
        expected="an observation",
        seen="GET https://api.production.local/api/v1/health: the name does not resolve",
        next="check the name and this machine's DNS, then repeat",
        message="GET https://api.production.local/api/v1/health: the name does not resolve",
    )


def _go() -> dict[str, Any]:
    return judge(*smoke())


def _no_go_rollback() -> dict[str, Any]:
    return judge(
        *smoke(
            SMK_1=record(
                "SMK-1",
                Outcome.FAILED,
                expected="200 with status = ok and database = ok",
                seen='200 with database = "down": {"status": "ok", "database": "down", "version": "1.0.0"}',
                next="see whether PostgreSQL runs and the backend can reach it",
                by_hand="curl --silent --show-error --cacert ca.pem https://api.example.org/api/v1/health",
                message="database is down",
                measured=41.5,
                limit=5000,
                unit="ms",
                detail='HTTP/1.1 200 OK\n\n{"status": "ok", "database": "down"}',
            ),
            SMK_3=record(
                "SMK-3",
                Outcome.FAILED,
                expected="200 with the run's own record in the list",
                seen="500 Internal Server Error once the list holds a record",
                next="read the backend's log for the traceback of this request",
                by_hand='curl --header "Authorization: Bearer $WAREHOUSE_TOKEN" '
                "https://api.example.org/api/v1/warehouse/bom",
                message="500",
            ),
            SMK_5=record(
                "SMK-5",
                Outcome.UNKNOWN,
                expected="an observation",
                seen="the check broke in test_kanban.py, line 12: KeyError: 'cards'",
                next="report this defect",
                message="KeyError",
                detail="smoke/test_kanban.py:12: in test_kanban\n    board['cards']\nE   KeyError: 'cards'",
            ),
        )
    )


def _no_go_refused() -> dict[str, Any]:
    return judge(*(_refused(item_id) for item_id in CHECKLIST if item_id.startswith("SMK")))


def _hold_unreachable() -> dict[str, Any]:
    return judge(
        *(_unreachable(item_id) for item_id in CHECKLIST if item_id.startswith("SMK")),
        target={"api": "https://api.production.local"},
        requests={"sent": 1, "budget": 3000},
    )


def _partial() -> dict[str, Any]:
    return judge(*smoke()[:2], partial="the selection was narrowed by -k")


def _provisional() -> dict[str, Any]:
    units: frozenset[Unit] = frozenset({("postdeploy", "immediate"), ("postdeploy", "long_term")})
    return judge(
        record("POST-IMM-3", measured=12.25, limit=100, unit="ms"),
        record("POST-LONG-1", Outcome.NOT_DUE, message="begins 2026-11-23 01:15 UTC"),
        units=units,
    )


def _waived() -> dict[str, Any]:
    terms = replace(
        TERMS,
        not_applicable={"SMK-5": "This site has no kanban board."},
        waivers={
            "SMK-3": Waiver("the list is rebuilt in 1.0.1", "DevOps Lead", date(2026, 12, 1)),
            "SMK-4": Waiver("orders were read-only until Friday", "DevOps Lead", date(2026, 11, 20)),
        },
    )
    failed = {"expected": "200", "seen": "500", "next": "read the log", "message": "500"}
    return judge(
        *smoke(
            SMK_3=record("SMK-3", Outcome.FAILED, **failed), SMK_4=record("SMK-4", Outcome.FAILED, **failed)
        ),
        terms=terms,
    )


def _not_built() -> dict[str, Any]:
    units = frozenset({("predeploy", None), ("gate", None)})
    return judge(
        record("PRE-DB-1", measured=3.5, limit=24, unit="h"),
        record("PRE-DB-2", Outcome.ATTESTED, message="attested by lead@example.org", attestation=ATTESTATION),
        record(
            "SIGN-1",
            Outcome.PENDING,
            expected="a signature of the QA lead over this release's evidence",
            seen="none",
            next="sign the evidence",
        ),
        units=units,
    )


def _hostile() -> dict[str, Any]:
    return judge(
        *smoke(
            SMK_2=record("SMK-2", Outcome.ATTESTED, attestation=HOSTILE_ATTESTATION),
            SMK_1=record(
                "SMK-1",
                Outcome.FAILED,
                test=f"smoke/test_x.py::test_x[{HOSTILE}]",
                title=HOSTILE,
                measured=HOSTILE,
                limit=f"{HOSTILE} 2",
                unit=HOSTILE,
                expected=HOSTILE,
                seen=HOSTILE + "A" * 100_000 + "the end",
                next=HOSTILE,
                by_hand=HOSTILE,
                message=HOSTILE,
                detail=HOSTILE,
            ),
        ),
        terms=Terms(
            escalation={1: Escalation(5, (Contact(HOSTILE, HOSTILE, "javascript:document.title='owned'"),))},
            rollback=(HOSTILE,),
            not_applicable={"SMK-5": HOSTILE},
        ),
        environment=HOSTILE,
        release=HOSTILE,
        commit=HOSTILE,
        images={HOSTILE: HOSTILE},
        run=HOSTILE,
        target={"api": HOSTILE, "served": {"environment": HOSTILE, "version": None, "commit": HOSTILE}},
        limitations=(HOSTILE,),
    )


INVENTED: dict[str, Callable[[], dict[str, Any]]] = {
    "go": _go,
    "no-go-rollback": _no_go_rollback,
    "no-go-refused": _no_go_refused,
    "hold-unreachable": _hold_unreachable,
    "partial": _partial,
    "provisional": _provisional,
    "waived": _waived,
    "not-built": _not_built,
    "hostile": _hostile,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test that asks for ``scenario`` every invented verdict's name."""
    if "scenario" in metafunc.fixturenames:
        metafunc.parametrize("scenario", INVENTED)


@pytest.fixture
def invented() -> Callable[[str], dict[str, Any]]:
    return lambda name: INVENTED[name]()


@pytest.fixture
def make_record() -> Callable[..., Record]:
    return record


@pytest.fixture
def make_verdict() -> Callable[..., dict[str, Any]]:
    return judge


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compare a text with the golden file of that name, or write the file when asked to."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("GOLDEN") == "refresh":
            path.write_text(text, encoding="utf-8")
        assert text == path.read_text(encoding="utf-8"), f"{name} changed; see tests/reports/conftest.py"

    return compare


@pytest.fixture
def browse() -> Callable[[Path], str]:
    """Return a page as it is after its scripts have run, in a browser that loads nothing from anywhere."""
    chromium = machine.chromium()
    options = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
        *("--virtual-time-budget=2000", "--dump-dom"),
    )

    def dump(path: Path) -> str:
        command = [chromium, *options, f"--user-data-dir={path.parent / 'browser'}", path.as_uri()]
        return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stdout

    return dump
