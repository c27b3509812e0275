"""What the records of a run add up to: pure functions from plan and records to a verdict.

The result is the content of ``verdict.json`` (``reports/verdict.schema.json`` describes it), and
everything that people read is made from it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from reports.record import NOT_OBSERVED, Outcome, Record, Scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from checks.checklist import Item
    from reports.plan import Plan

SCHEMA = "gonogo/verdict/1"

ROLL_BACK, HOLD, FIX, NOTE = "ROLL BACK", "HOLD", "FIX", "NOTE"
_ACTION_BY_SEVERITY = {1: ROLL_BACK, 2: HOLD, 3: FIX, 4: NOTE}


@dataclass(frozen=True)
class Contact:
    """Somebody to call: ``reach`` is a phone number, an address or a ticket link."""

    role: str
    name: str
    reach: str


@dataclass(frozen=True)
class Escalation:
    """Whom to call for one severity, and within how many minutes they answer."""

    within_min: int
    contacts: tuple[Contact, ...]


@dataclass(frozen=True)
class Waiver:
    """A dated, owned, reasoned exception to one item (a waiver)."""

    reason: str
    owner: str
    expires: date


@dataclass(frozen=True)
class Terms:
    """What an environment contributes to a verdict.

    Attributes:
        not_applicable: item id to the reason why the environment has no such thing.
        waivers: item id to the waiver in force or expired.
        escalation: severity to the people who are called.
        rollback: the commands of a rollback, in order.
        rollback_within_min: how soon after a critical finding it starts.
    """

    not_applicable: Mapping[str, str] = field(default_factory=dict)
    waivers: Mapping[str, Waiver] = field(default_factory=dict)
    escalation: Mapping[int, Escalation] = field(default_factory=dict)
    rollback: tuple[str, ...] = ()
    rollback_within_min: int = 5


@dataclass(frozen=True)
class ItemVerdict:
    """What became of one checklist item; the attributes are those of ``verdict.json``."""

    phase: str
    window: str | None
    section: str
    severity: int
    statement: str
    owner: str
    built: bool
    outcome: Outcome
    settled: bool
    measured: Scalar
    limit: Scalar
    unit: str
    message: str
    expected: str
    seen: str
    next: str
    by_hand: str
    action: str
    within_min: int | None
    contacts: tuple[Contact, ...]
    commands: tuple[str, ...]
    reason: str
    attestation: dict[str, Any] | None
    tests: tuple[str, ...]


def complete(plan: Plan, records: Mapping[str, Record]) -> tuple[Record, ...]:
    """Return a record for every planned check: one that left none is UNKNOWN.

    Records of checks that were not planned are kept too, so that nothing observed is lost.
    """
    silent = (
        Record(
            test=check.test,
            title=check.title,
            items=check.items,
            phase=check.phase,
            window=check.window,
            outcome=Outcome.UNKNOWN,
            expected="a result of this check",
            seen="it was planned and left no result: the run ended before it, or its process died",
            next="run the whole phase again",
            message="planned, but left no result",
        )
        for check in plan.checks
        if check.test not in records
    )
    return (*records.values(), *silent)


def judge_item(
    item: Item, records: Iterable[Record], terms: Terms, *, today: date, built: bool
) -> ItemVerdict:
    """Return what the records of one item add up to: the worst of them, then the terms.

    It is not applicable where all of its checks are: one that is not says nothing about the others, and
    one that is optional and was not made says nothing at all.
    """
    mine = sorted((r for r in records if item.id in r.items), key=lambda r: -r.outcome.badness)
    telling = [r for r in mine if r.outcome is not Outcome.NOT_APPLICABLE] or [
        r for r in mine if r.is_observed
    ]
    worst = telling[0] if telling else _unseen(item, mine, built=built)
    shown = worst
    if worst.outcome is Outcome.PASSED:
        shown = next((record for record in telling if record.measured is not None), worst)
    outcome, reason = _under(terms, item.id, worst.outcome, today) if built else (worst.outcome, "")
    attestation = worst.attestation if outcome is Outcome.ATTESTED else None
    action = "" if outcome.settles or outcome is Outcome.NOT_DUE else _action(item, outcome, worst)
    escalation = terms.escalation.get(_called_severity(item, outcome)) if action else None
    rolls_back = action == ROLL_BACK
    within_min = escalation.within_min if escalation else None
    if rolls_back:
        within_min = min(terms.rollback_within_min, within_min or terms.rollback_within_min)
    return ItemVerdict(
        phase=item.phase,
        window=item.window,
        section=item.section,
        severity=item.severity,
        statement=item.statement,
        owner=item.owner,
        built=built,
        outcome=outcome,
        settled=outcome.settles,
        measured=shown.measured,
        limit=shown.limit,
        unit=shown.unit,
        message=worst.message,
        expected=worst.expected,
        seen=worst.seen,
        next=worst.next,
        by_hand=worst.by_hand,
        action=action,
        within_min=within_min,
        contacts=escalation.contacts if escalation else (),
        commands=terms.rollback if rolls_back else (),
        reason=f"attested {_by(attestation)}" if attestation else reason,
        attestation=attestation,
        tests=tuple(record.test for record in mine),
    )


def _unseen(item: Item, mine: list[Record], *, built: bool) -> Record:
    """Return the record of an item of which nothing was observed."""
    if not mine:
        return _missing(item, built=built)
    why = mine[0].message
    return replace(
        mine[0],
        outcome=Outcome.UNKNOWN,
        expected="an observation",
        seen=why,
        next=f"{why.removeprefix(NOT_OBSERVED)}; the item has no other check",
    )


def _missing(item: Item, *, built: bool) -> Record:
    why = "its checks were not selected" if built else "not built: no check judges it yet"
    return Record(
        test="",
        title=item.statement,
        items=(item.id,),
        phase=item.phase,
        window=item.window,
        outcome=Outcome.UNKNOWN,
        expected=item.statement,
        seen=why,
        next="verify it by hand; the suite cannot settle it" if not built else "run the whole phase",
        message=why,
    )


def _under(terms: Terms, item_id: str, observed: Outcome, today: date) -> tuple[Outcome, str]:
    """Return the outcome under the environment's terms, and the reason that it gives."""
    if item_id in terms.not_applicable:
        return Outcome.NOT_APPLICABLE, terms.not_applicable[item_id]
    waiver = terms.waivers.get(item_id)
    if waiver is None or observed not in {Outcome.FAILED, Outcome.UNKNOWN}:
        return observed, ""
    if waiver.expires < today:
        return observed, f"the waiver of {waiver.owner} expired on {waiver.expires}: {waiver.reason}"
    return Outcome.WAIVED, f"{observed}, waived by {waiver.owner} until {waiver.expires}: {waiver.reason}"


def _action(item: Item, outcome: Outcome, record: Record) -> str:
    if record.action:
        return record.action
    if outcome is not Outcome.FAILED or (item.before_traffic and item.severity < 4):  # noqa: PLR2004 - 4 never stops
        return HOLD
    return _ACTION_BY_SEVERITY[item.severity]


def _called_severity(item: Item, outcome: Outcome) -> int:
    """Return whose telephone rings: what is merely unknown is investigated, not an outage."""
    return item.severity if outcome is Outcome.FAILED else max(2, item.severity)


def decide(items: Mapping[str, ItemVerdict], *, partial: str) -> tuple[str, str]:
    """Return verdict (``GO``, ``NO-GO``, ``HOLD``) and action (``proceed``, ``hold``, ``rollback``)."""
    outcomes = {item.outcome for item in items.values()}
    if Outcome.FAILED in outcomes:
        return "NO-GO", "rollback" if any(i.action == ROLL_BACK for i in items.values()) else "hold"
    blocking = any(not item.settled and item.outcome is not Outcome.NOT_DUE for item in items.values())
    settled = any(item.settled for item in items.values())
    if partial or blocking or not settled:
        return "HOLD", "hold"
    return "GO", "proceed"


_SHOWN_ORDER = sorted(Outcome, key=lambda outcome: outcome is not Outcome.PASSED)
"""What has passed is read first."""

ON_SOMEBODYS_WORD = (Outcome.ATTESTED, Outcome.WAIVED)
"""What settles an item although nobody has observed that it holds."""

EXIT_CODES = {"GO": 0, "NO-GO": 1, "HOLD": 6}


def headline(verdict: str, items: Mapping[str, ItemVerdict], *, partial: str) -> str:
    """Return the verdict's reason in one sentence."""
    counts = Counter(item.outcome for item in items.values())
    if verdict == "GO":
        words = (f"{counts[each]} of them {each.lower()}" for each in ON_SOMEBODYS_WORD if counts[each])
        settled = f"All {len(items) - counts[Outcome.NOT_DUE]} items are settled"
        return f"{', '.join((settled, *words))}."
    parts = [
        f"{counts[outcome]} {word}"
        for outcome, word in (
            (Outcome.FAILED, "failed"),
            (Outcome.UNKNOWN, "unknown"),
            (Outcome.PENDING, "pending"),
        )
        if counts[outcome]
    ]
    if parts:
        sentence = f"{' and '.join(parts)} of {len(items)} items."
        return f"{sentence} Also, {partial}." if partial else sentence
    return f"Nothing is wrong, but {partial or 'nothing was observed'}."


@dataclass(frozen=True)
class Circumstances:
    """What a verdict says about its run besides the items."""

    environment: str
    release: str
    commit: str
    images: Mapping[str, str]
    run: str
    started: datetime
    ended: datetime
    target: Mapping[str, Any]
    requests: Mapping[str, int]
    limitations: tuple[str, ...]


def verdict(
    checklist: Mapping[str, Item],
    plan: Plan,
    records: Mapping[str, Record],
    terms: Terms,
    circumstances: Circumstances,
    *,
    built: frozenset[str],
) -> dict[str, Any]:
    """Return the content of ``verdict.json``.

    Args:
        checklist: every item of the guide.
        plan: what the run set out to do.
        records: node id to record.
        terms: what the environment contributes.
        circumstances: everything else that is reported.
        built: the ids that at least one check of the suite judges.
    """
    every = complete(plan, records)
    today = circumstances.ended.date()
    items = {
        item.id: judge_item(item, every, terms, today=today, built=item.id in built)
        for item in checklist.values()
        if (item.phase, item.window) in plan.units
    }
    answer, action = decide(items, partial=plan.partial)
    counts = Counter(item.outcome for item in items.values())
    return {
        "schema": SCHEMA,
        "verdict": answer,
        "action": action,
        "headline": headline(answer, items, partial=plan.partial),
        "provisional": answer == "GO" and counts[Outcome.NOT_DUE] > 0,
        "partial": plan.partial,
        "phases": _in_order(checklist, (phase for phase, _ in plan.units), "phase"),
        "windows": _in_order(checklist, (window for _, window in plan.units), "window"),
        "exit_code": EXIT_CODES[answer],
        "environment": circumstances.environment,
        "release": circumstances.release,
        "commit": circumstances.commit,
        "images": dict(circumstances.images),
        "run": circumstances.run,
        "started": circumstances.started.isoformat(),
        "ended": circumstances.ended.isoformat(),
        "duration_s": round((circumstances.ended - circumstances.started).total_seconds(), 3),
        "target": dict(circumstances.target),
        "requests": dict(circumstances.requests),
        "limitations": [*circumstances.limitations, *_attested(items)],
        "counts": {str(outcome): counts[outcome] for outcome in _SHOWN_ORDER},
        "items": {item_id: _item_json(item) for item_id, item in items.items()},
        "records": [record.to_json() for record in every],
        "checklist": [
            {
                "id": item.id,
                "phase": item.phase,
                "window": item.window,
                "section": item.section,
                "severity": item.severity,
                "statement": item.statement,
                "owner": item.owner,
                "built": item.id in built,
            }
            for item in checklist.values()
        ],
    }


def _attested(items: Mapping[str, ItemVerdict]) -> Iterator[str]:
    """Yield what rests on somebody's word, one sentence each."""
    for item_id, item in items.items():
        if item.attestation:
            yield f"{item_id} is not observed, but attested {_by(item.attestation)}"


def _by(attestation: Mapping[str, Any]) -> str:
    said = {name: attestation[name] for name in ("signer", "role", "made", "expires", "statement")}
    return "by {signer} ({role}) on {made}, valid until {expires}: {statement}".format_map(said)


def _in_order(checklist: Mapping[str, Item], names: Iterable[str | None], field_name: str) -> list[str]:
    """Return the distinct names in the order in which the checklist first has them."""
    wanted = {name for name in names if name}
    order = dict.fromkeys(getattr(item, field_name) for item in checklist.values())
    return [name for name in order if name in wanted]


def _item_json(item: ItemVerdict) -> dict[str, Any]:
    plain = {name: getattr(item, name) for name in ItemVerdict.__dataclass_fields__}
    plain["outcome"] = str(item.outcome)
    plain["contacts"] = [{"role": c.role, "name": c.name, "reach": c.reach} for c in item.contacts]
    plain["commands"] = list(item.commands)
    plain["tests"] = list(item.tests)
    return plain
