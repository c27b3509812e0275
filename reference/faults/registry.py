"""What a fault is, how one is registered, and how a release is given some."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeAlias

from pydantic import BaseModel
from starlette.responses import Response

from reference.application.table import Call, Endpoint, Handler
from reference.launch.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Iterable

Table: TypeAlias = dict[str, Endpoint]
Result: TypeAlias = BaseModel | Response | None
Answering: TypeAlias = Callable[[Handler, Call], Awaitable[Result]]
BendPlan: TypeAlias = Callable[[Plan], Plan]
BendTable: TypeAlias = Callable[[Table], Table]


class UnknownFault(Exception):
    """A name that no fault has; one line, with the nearest name."""

    def __init__(self, name: str) -> None:
        near = difflib.get_close_matches(name, FAULTS, n=1, cutoff=0.0)[0]
        super().__init__(f"unknown fault {name!r}; the nearest is {near!r}; `reference faults` lists all")


@dataclass(frozen=True)
class Fault:
    """One way in which the release is broken.

    Attributes:
        name: kebab-case, permanent.
        says: what is broken, in one sentence.
        items: the checklist items that must turn red.
        phase: the phase that shows it.
        bend_plan: what is changed in the launch, or ``None``.
        bend_table: what is changed in the table of endpoints, or ``None``.
    """

    name: str
    says: str
    items: tuple[str, ...]
    phase: str
    bend_plan: BendPlan | None = None
    bend_table: BendTable | None = None


FAULTS: dict[str, Fault] = {}


def register(fault: Fault) -> None:
    """Add a fault under its name, which must be new."""
    if fault.name in FAULTS:
        raise ValueError(f"two faults are called {fault.name!r}")
    FAULTS[fault.name] = fault


def launch_fault(name: str, *items: str, phase: str = "smoke") -> Callable[[BendPlan], BendPlan]:
    """Register a function that changes the plan of the launch; its docstring is the sentence."""

    def decorate(bend: BendPlan) -> BendPlan:
        register(Fault(name, sentence(bend), items, phase, bend_plan=bend))
        return bend

    return decorate


def answer_fault(
    name: str, *items: str, endpoint: str, phase: str = "smoke", plan: BendPlan | None = None
) -> Callable[[Answering], Answering]:
    """Register a handler that answers in place of an endpoint's honest one, which it is given."""

    def decorate(answering: Answering) -> Answering:
        def bend(table: Table) -> Table:
            honest = table[endpoint]

            async def handler(call: Call) -> Result:
                return await answering(honest.handler, call)

            return table | {endpoint: replace(honest, handler=handler)}

        register(Fault(name, sentence(answering), items, phase, bend_plan=plan, bend_table=bend))
        return answering

    return decorate


def sentence(function: Callable[..., object]) -> str:
    """Return the docstring of a fault."""
    return " ".join((function.__doc__ or "").split())


def chosen(names: Iterable[str]) -> list[Fault]:
    """Return the faults of these names.

    Raises:
        UnknownFault: there is none of that name.
    """
    found = []
    for name in names:
        if name not in FAULTS:
            raise UnknownFault(name)
        found.append(FAULTS[name])
    return found


def bent_plan(plan: Plan, names: Iterable[str]) -> Plan:
    """Return the plan with its faults, and with the names of those that bend the application."""
    for fault in chosen(names):
        if fault.bend_plan:
            plan = fault.bend_plan(plan)
        if fault.bend_table:
            plan = replace(plan, faults=(*plan.faults, fault.name))
    return plan


def bent_table(table: Table, names: Iterable[str]) -> Table:
    """Return the table of endpoints with its faults."""
    for fault in chosen(names):
        if fault.bend_table:
            table = fault.bend_table(table)
    return table
