"""Every role may do what the release file lets it do, and nothing else; without a token nobody may anything.

The rows of endpoints that name REL-BOM-2 or REL-PPIC-2 judge those, all others VAL-ACC-1. Writing is tried
only by those who must be refused; those who may are seen in the flows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from checks import Exhibits, Measured, explain, item
from fixtures.baseline import tables
from fixtures.census import text
from fixtures.observation import Absent, CannotObserve
from fixtures.role_matrix import NOBODY, alive_callers, denials, is_good, judged
from fixtures.run import Raised, caught

if TYPE_CHECKING:
    from fixtures.baseline import Costs
    from fixtures.database import Database
    from fixtures.detours import Attempts, Detours
    from fixtures.endpoint import Endpoint
    from fixtures.environment import Environment
    from fixtures.release import Release
    from fixtures.role_matrix import Cell, Cells, RoleMatrix
    from fixtures.sweep import Sweep
    from fixtures.undeclared import Undeclared

pytestmark = pytest.mark.validation

LET_IN = (
    "let whoever guards the endpoint see the request as whoever answers it does, in one spelling and method"
)
MOST_SHOWN = 5
"""Ways in that a message names; the table has all."""

NEXT = "set the endpoint's permissions as the release file has them, or correct the release file"


@pytest.fixture
def reading(role_matrix: RoleMatrix, sweep: Sweep) -> Cells:
    """The rows of the endpoints that only read."""
    return role_matrix.reading(sweep)


@pytest.fixture
def reading_row(row: Endpoint, reading: Cells, role_matrix: RoleMatrix, sweep: Sweep) -> tuple[Cell, ...]:
    """The row of an endpoint that only reads: with a real id, or that of a record of the run's own."""
    record = sweep.record_of(row)
    return reading.of(row) if record is None else role_matrix.reading_own(row, record).cells


@pytest.fixture
def writing(role_matrix: RoleMatrix) -> Cells:
    """The rows of the endpoints that write, as far as they must be refused."""
    return role_matrix.writing()


@pytest.fixture
def everywhere(writing: Cells, role_matrix: RoleMatrix, sweep: Sweep) -> tuple[Cell, ...]:
    """What was seen of every caller: that its token is good shows where it may read, too."""
    reading = caught(lambda: role_matrix.reading(sweep))
    return writing.cells if isinstance(reading, Raised) else (*writing.cells, *reading.cells)


@pytest.fixture
def read_around(detours: Detours, reading: Cells, sweep: Sweep) -> Attempts:
    """What those get who may not read, by requests that are written otherwise."""
    return detours.reading(reading.cells, sweep.census().swept)


@pytest.fixture
def written_around(
    detours: Detours, writing: Cells, role_matrix: RoleMatrix, sweep: Sweep, release: Release
) -> Attempts:
    """What those get who may not write, or not read a record of the run's own, by such requests."""
    recorded = [(each, sweep.record_of(each)) for each in release.endpoints]
    rows = [caught(lambda each=each: role_matrix.reading_own(*each)) for each in recorded if each[1]]  # type: ignore[misc]
    return detours.writing(
        [*writing.cells, *(cell for row in rows if not isinstance(row, Raised) for cell in row.cells)]
    )


# ---------------------------------------------------------------- rows


@item("REL-BOM-2")
@pytest.mark.rows(item="REL-BOM-2", safe=True)
def test_only_the_permitted_read_boms(
    row: Endpoint, reading_row: tuple[Cell, ...], reading: Cells, release: Release, measured: Measured
) -> None:
    """A BOM endpoint that reads lets in the roles that may, and nobody else."""
    _judge(row, reading_row, (*reading_row, *reading.cells), release, measured)


@item("REL-BOM-2")
@pytest.mark.rows(item="REL-BOM-2", safe=False)
@pytest.mark.writes
def test_only_the_permitted_write_boms(
    row: Endpoint, writing: Cells, everywhere: tuple[Cell, ...], release: Release, measured: Measured
) -> None:
    """A BOM endpoint that writes refuses all roles that may not, and requests without a token."""
    _judge(row, writing.of(row), everywhere, release, measured)


@item("REL-PPIC-2")
@pytest.mark.rows(item="REL-PPIC-2", safe=True)
def test_only_the_permitted_read_tasks(
    row: Endpoint, reading_row: tuple[Cell, ...], reading: Cells, release: Release, measured: Measured
) -> None:
    """A task endpoint that reads lets in the roles that may, and nobody else."""
    _judge(row, reading_row, (*reading_row, *reading.cells), release, measured)


@item("REL-PPIC-2")
@pytest.mark.rows(item="REL-PPIC-2", safe=False)
@pytest.mark.writes
def test_only_the_permitted_write_tasks(
    row: Endpoint, writing: Cells, everywhere: tuple[Cell, ...], release: Release, measured: Measured
) -> None:
    """A task endpoint that writes refuses all roles that may not, and requests without a token."""
    _judge(row, writing.of(row), everywhere, release, measured)


@item("VAL-ACC-1")
@pytest.mark.rows(item="VAL-ACC-1", safe=True)
def test_only_the_permitted_read(
    row: Endpoint, reading_row: tuple[Cell, ...], reading: Cells, release: Release, measured: Measured
) -> None:
    """An endpoint that reads lets in the roles that may, and nobody else."""
    _judge(row, reading_row, (*reading_row, *reading.cells), release, measured)


@item("VAL-ACC-1")
@pytest.mark.rows(item="VAL-ACC-1", safe=False)
@pytest.mark.writes
def test_only_the_permitted_write(
    row: Endpoint, writing: Cells, everywhere: tuple[Cell, ...], release: Release, measured: Measured
) -> None:
    """An endpoint that writes refuses all roles that may not, and requests without a token."""
    _judge(row, writing.of(row), everywhere, release, measured)


def _judge(
    endpoint: Endpoint,
    cells: tuple[Cell, ...],
    everywhere: tuple[Cell, ...],
    release: Release,
    measured: Measured,
) -> None:
    """Judge one row of the matrix.

    Raises:
        NoAnswer: the target did not answer somebody.
        CannotObserve: somebody could not be seen, and nobody breaks the promise.
        Absent: nobody is promised anything that could be seen here.
    """
    asked = endpoint.shown
    if not cells:
        raise Absent("caller to be let in or refused", f"the release file names none for {asked}")
    told = judged(endpoint, cells, alive=alive_callers(everywhere), denied=denials(release))
    measured("; ".join(f"{cell.who} {cell.status}" for cell in cells if cell.status))

    assert not told.wrong, explain(
        expected=f"{asked} lets in {_permitted(endpoint)}; {_refused(endpoint)}"
        + ("; nothing is written without the CSRF token" if any(cell.forged for cell in cells) else ""),
        seen="; ".join(told.wrong),
        next=NEXT,
        by_hand=told.curl,
    )
    for raised in told.raised:
        raised.again()
    if told.open:
        raise CannotObserve(f"asking {asked} as every role", "; ".join(told.open), remedy=NEXT)


def _refused(endpoint: Endpoint) -> str:
    status = endpoint.denied_status
    if is_good(status):
        return f"everybody else gets an error in the body of an answer {status}, or 401 or 403"
    hidden = f"{', '.join(endpoint.hidden_from)} 404, " if endpoint.hidden_from else ""
    return f"other roles get {status}, {hidden}requests without a token 401"


def _permitted(endpoint: Endpoint) -> str:
    return ", ".join(endpoint.allowed) or endpoint.role or "everybody"


# ---------------------------------------------------------------- ways around it


@item("VAL-ACC-1")
def test_no_detour_leads_those_in_who_may_not_read(
    read_around: Attempts, measured: Measured, exhibits: Exhibits
) -> None:
    """Who is refused to read is shown nothing by another spelling of the path, HEAD, or headers."""
    _judge_detours(read_around, measured, exhibits)


@item("VAL-ACC-1")
@pytest.mark.writes
def test_no_detour_leads_those_in_who_may_not_write(
    written_around: Attempts, measured: Measured, exhibits: Exhibits
) -> None:
    """Who is refused to write changes nothing by another spelling of the path, or by headers."""
    _judge_detours(written_around, measured, exhibits)


def _judge_detours(around: Attempts, measured: Measured, exhibits: Exhibits) -> None:
    """Judge the ways around refusals.

    Raises:
        CannotObserve: what came of one cannot be told, and none leads in.
        Absent: nobody was refused anything that could be asked for otherwise.
    """
    tried = around.attempts
    if not tried:
        raise Absent("refusal to get around", "nobody was refused anything that could be tried otherwise")
    measured(f"{len(tried)} of {around.possible} combinations of endpoint and way")
    exhibits.table(
        "What was refused, asked again in other ways",
        ("endpoint", "who", "refused", "way", "asked", "answer"),
        [
            (each.endpoint, each.who, each.refused, each.way, each.asked, each.status or "none")
            for each in tried
        ],
    )
    served = [each for each in tried if each.is_served]
    doubts = [f"{each}: {each.doubt}" for each in tried if each.doubt]

    assert not served, explain(
        expected="who is refused an endpoint does not get to it by a request that is written otherwise",
        seen="; ".join(map(str, served[:MOST_SHOWN]))
        + (f"; and {len(served) - MOST_SHOWN} more" if len(served) > MOST_SHOWN else ""),
        next=LET_IN,
        by_hand=served[0].curl if served else "",
    )
    if doubts or not any(each.status for each in tried):
        raise CannotObserve(
            "asking in other ways for what was refused", "; ".join(doubts) or "none of them was answered"
        )


# ---------------------------------------------------------------- the matrix as a whole


@item("VAL-ACC-1")
def test_every_role_is_known_to_the_api(
    reading: Cells, role_matrix: RoleMatrix, release: Release, exhibits: Exhibits, measured: Measured
) -> None:
    """Every role that signs in is somebody to the API: its token is accepted by at least one endpoint."""
    roles = [caller for caller in role_matrix.callers() if caller != NOBODY]
    _show(
        "Who may read what (status seen, and whether the release file allows it)",
        reading,
        release,
        exhibits,
        role_matrix,
    )
    seen = {cell.caller for cell in reading.cells if cell.status is not None}
    strangers = [role for role in roles if role in seen - alive_callers(reading.cells)]
    measured(len(set(roles) & seen), limit=len(roles), unit="roles")
    if not set(roles) & seen:
        raise Absent("role to ask with", "no protected endpoint was asked as one")

    assert not strangers, explain(
        expected="every role's token is accepted where any role's is",
        seen=f"{', '.join(strangers)}: 401 from every endpoint",
        next="see the role's sign-in; its account may be disabled",
    )


@item("VAL-ACC-1")
@pytest.mark.writes
def test_trying_what_is_forbidden_leaves_nothing_behind(
    writing: Cells, written_around: Attempts, role_matrix: RoleMatrix, release: Release, exhibits: Exhibits
) -> None:
    """The records on which forbidden writing was tried are gone again."""
    _show("Who is refused to write what (status seen)", writing, release, exhibits, role_matrix)
    if not writing.cells:
        raise Absent("forbidden writing to try", "the release file forbids none")

    left = (*writing.left, *written_around.left)
    assert not left, explain(
        expected="nothing is left of the records on which forbidden writing was tried",
        seen="; ".join(left),
        next="remove it by hand: its mark names this run; the next run tries again",
    )


def _show(title: str, cells: Cells, release: Release, exhibits: Exhibits, matrix: RoleMatrix) -> None:
    """Put the matrix into the report: endpoints down, callers across."""
    callers = matrix.callers()
    rows = []
    for endpoint in release.endpoints:
        told = {cell.caller: cell.told for cell in cells.of(endpoint) if not cell.forged}
        if told:
            rows.append([endpoint.shown, *(told.get(caller, "") for caller in callers)])
    exhibits.table(title, ["endpoint", *(caller or "without a token" for caller in callers)], rows)


# ---------------------------------------------------------------- beyond the release file


@item("VAL-ACC-1")
def test_nothing_undeclared_is_public(
    undeclared: Undeclared, release: Release, exhibits: Exhibits, measured: Measured
) -> None:
    """What the served OpenAPI document offers to read, and the release file does not name, wants a token."""
    _judge_undeclared(undeclared.reading(), release, exhibits, measured)


@item("VAL-ACC-1")
@pytest.mark.writes
def test_nothing_undeclared_is_written_by_anybody(
    undeclared: Undeclared, release: Release, exhibits: Exhibits, measured: Measured
) -> None:
    """What the served OpenAPI document offers to write, and the release file does not name, wants a token."""
    _judge_undeclared(undeclared.writing(), release, exhibits, measured)


def _judge_undeclared(cells: Cells, release: Release, exhibits: Exhibits, measured: Measured) -> None:
    """Judge what only the document names.

    Raises:
        CannotObserve: something neither let anybody in nor refused, or was not asked.
    """
    asked = cells.cells
    measured(len(asked), unit="operations")
    public = [cell for cell in asked if cell.status and 200 <= cell.status < 300]  # noqa: PLR2004
    exhibits.table(
        "What only the OpenAPI document names, asked without a token",
        ["operation", "status"],
        [[cell.endpoint, cell.status or "not asked"] for cell in asked],
    )

    assert not public, explain(
        expected="only what the release file calls public answers without a token",
        seen="; ".join(f"{cell.endpoint} answers {cell.status} to anybody" for cell in public),
        next="protect it, or declare it in the release file as an endpoint without a role",
        by_hand=public[0].curl,
    )
    unclear = [
        f"{cell.endpoint}: {cell.status or (text(cell.raised) if cell.raised else 'not asked')}"
        for cell in asked
        if cell.status not in denials(release)
    ]
    if unclear:
        raise CannotObserve(
            "asking without a token for what only the OpenAPI document names",
            "; ".join(unclear),
            remedy="declare these in the release file, with their roles and ids",
        )


# ---------------------------------------------------------------- the database behind the BOM endpoints


@item("REL-BOM-2")
def test_database_is_at_the_revision_of_the_release(
    release: Release, database: Database, measured: Measured
) -> None:
    """The database is at the revision that belongs to the release: nothing was left to migrate."""
    if not any("REL-BOM-2" in endpoint.items for endpoint in release.endpoints):
        raise Absent("BOM endpoints", "no endpoint of the release file names REL-BOM-2")
    if release.migration_head is None:
        raise Absent("database revision", "the release file names no migration_head")
    heads = sorted(str(row[0]) for row in database.rows("SELECT version_num FROM alembic_version"))
    measured(", ".join(heads), limit=release.migration_head)

    assert heads == [release.migration_head], explain(
        expected=f"the database is at revision {release.migration_head}",
        seen=f"it is at {', '.join(heads) or 'no revision'}",
        next="see whether the release's migrations ran, and whether others ran that do not belong to it",
        by_hand="alembic current",
    )


@item("REL-BOM-2")
def test_database_has_the_tables_it_had(
    release: Release, environment: Environment, request: pytest.FixtureRequest, measured: Measured
) -> None:
    """The database has the tables that it had before the release, where a baseline tells which those were."""
    if not any("REL-BOM-2" in endpoint.items for endpoint in release.endpoints):
        raise Absent("BOM endpoints", "no endpoint of the release file names REL-BOM-2")
    if environment.baseline is None:
        raise Absent("baseline of tables", "the environment file names none")
    costs: Costs = request.getfixturevalue("costs")
    stored = caught(costs.stored)
    if isinstance(stored, Raised) or stored.tables is None:
        raise Absent("baseline of tables", "none of the previous release has been taken here")
    database: Database = request.getfixturevalue("database")
    before, now = set(stored.tables), set(tables(database))
    measured(len(now), limit=len(before), unit="tables")
    changes = [*(f"{name} is new" for name in sorted(now - before))]
    changes += [f"{name} is gone" for name in sorted(before - now)]

    assert not changes, explain(
        expected=f"the {len(before)} tables of release {stored.release}",
        seen="; ".join(changes),
        next="see which migration did that: the release promises that it needs none",
    )
