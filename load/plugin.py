"""pytest plugin: the load that the environment declares, put on the target once per run.

Everything heavy (statistics, the models of the plan) is imported when a load check runs, so that other
phases do not pay for it. gevent and Locust live in processes of their own, see ``load.runner``.
"""

from __future__ import annotations

import json
import shutil
import sys
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING

import pytest

from fixtures.observation import CannotObserve
from fixtures.options import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.environment import Environment
    from fixtures.identity import Identity
    from fixtures.release import Release
    from fixtures.run import Run
    from fixtures.secrets import Vault
    from load.measure import Task
    from load.result import LoadResult

WORK_FOLDER = "load"
"""Below the run's private folder; ``load.result.EVIDENCE`` names what of it is worth keeping."""

BEYOND_S = 240
"""What a load may take beyond its budget: to start, to wait for the last answers, to judge."""

ALL = "all-requests"

_LINE_EVERY_S = 10  # where progress cannot be written over, it is written seldom


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give the load checks the time that their load takes."""
    if ENVIRONMENT not in config.stash:
        return
    load = config.stash[ENVIRONMENT].load
    if load is None or load.budget is None:
        return
    for item in items:
        if item.get_closest_marker("load"):
            item.add_marker(pytest.mark.timeout(load.budget.max_duration_s + BEYOND_S))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one check for all requests together, and one for each endpoint with a limit of its own."""
    for fixture, name in (("p95_subject", "p95_ms"), ("error_subject", "error_ratio")):
        if fixture in metafunc.fixturenames:
            environment = metafunc.config.stash.get(ENVIRONMENT, None)
            own = environment.load.limits if environment and environment.load else {}
            subjects = [
                "",
                *(endpoint for endpoint, limit in own.items() if getattr(limit, name) is not None),
            ]
            metafunc.parametrize(fixture, subjects, ids=[subject or ALL for subject in subjects])


@pytest.fixture(scope="session")
def load_result(
    pytestconfig: pytest.Config,
    environment: Environment,
    release: Release,
    run: Run,
    vault: Vault,
    identity: Identity,
) -> LoadResult:
    """The declared load, carried out once per run, and judged.

    Raises:
        CannotObserve: there is no load budget, the load cannot be planned, or the target is not proven to be
            the environment.
    """
    from load.measure import measure  # noqa: PLC0415 - see the module
    from load.result import LoadResult  # noqa: PLC0415

    def observe() -> LoadResult:
        task = task_of(environment, release, run, vault)
        identity.require()
        with (
            _evidence_kept(run),
            _ledger_entries(environment, run, task),
            _progress(pytestconfig) as progress,
        ):
            return measure(task, run.scratch / WORK_FOLDER, progress)

    return run.once("load", observe, LoadResult)


@pytest.fixture(scope="session")
def load_charts(load_result: LoadResult, run: Run) -> dict[str, str]:
    """Title and SVG of the charts of the load, however it was judged."""
    from load.charts import charts  # noqa: PLC0415 - see the module
    from load.result import EVIDENCE  # noqa: PLC0415

    del load_result  # it leaves the evidence that is drawn
    return charts(json.loads((run.evidence / EVIDENCE[0]).read_text(encoding="utf-8")))


@contextmanager
def _evidence_kept(run: Run) -> Iterator[None]:
    """Keep the evidence of the load for the report, however the load ends."""
    from load.result import EVIDENCE  # noqa: PLC0415 - see the module

    try:
        yield
    finally:
        for name in EVIDENCE:
            file = run.scratch / WORK_FOLDER / name
            if file.exists():
                shutil.copy(file, run.evidence / name)
        with suppress(FileNotFoundError):
            told = json.loads((run.evidence / EVIDENCE[0]).read_text(encoding="utf-8"))
            run.note("load", {"sent": told["sent"]})


def task_of(
    environment: Environment, release: Release, run: Run, vault: Vault, *, capacity: bool = False
) -> Task:
    """Return what is to be measured.

    Args:
        environment: with the profile to carry out in its load table.
        release: what is asked for.
        run: whose mark records carry.
        vault: where secrets come from.
        capacity: a search for the capacity is wanted, which no check is.

    Raises:
        CannotObserve: there is no budget, or the profile cannot be carried out here.
    """
    from fixtures.load_profile import Capacity  # noqa: PLC0415 - see the module
    from fixtures.vault import address  # noqa: PLC0415
    from load.measure import Task  # noqa: PLC0415
    from load.planning import allowed, declared_s, of_release  # noqa: PLC0415
    from load.result import Limits  # noqa: PLC0415

    load, budget, profile = allowed(environment.load)
    if isinstance(profile, Capacity) and not capacity:
        raise CannotObserve(
            "judging the load",
            f"the profile {load.profile} searches for the capacity, which settles nothing",
            remedy="name a closed or open profile in [load], and run python -m load for the capacity",
        )
    if environment.api is None:
        raise CannotObserve("putting load on the target", "the environment has no [api]", remedy="add it")
    plan = of_release(
        environment,
        release,
        profile,
        budget,
        base_url=address(run.scratch, environment.api.url),
        ca_file=address(run.scratch, environment.api.ca_file) if environment.api.ca_file else None,
        generators=load.workers.expected if load.workers else load.processes,
        mark=run.mark,
        reveal=vault.reveal,
    )
    limits = Limits(
        p95_ms=environment.limits.p95_ms,
        error_ratio=environment.limits.error_ratio,
        endpoint_p95_ms={name: limit.p95_ms for name, limit in load.limits.items() if limit.p95_ms},
        endpoint_error_ratio={
            name: limit.error_ratio for name, limit in load.limits.items() if limit.error_ratio
        },
    )
    about = {
        "environment": environment.name,
        "release": release.version,
        "run": run.id,
        "profile": load.profile,
    }
    return Task(plan, declared_s(profile), load, limits, about)


@contextmanager
def _ledger_entries(environment: Environment, run: Run, task: Task) -> Iterator[None]:
    """Note in the ledger what simulated users are going to make; they remove each record themselves."""
    if not task.plan.lives:
        yield
        return
    from fixtures.ledger import Ledger, folder_of  # noqa: PLC0415 - only where users write

    ledger = Ledger(folder_of(environment.name), run.id)
    entries = [
        ledger.expect(
            life.name,
            run.mark,
            target=task.plan.base_url,
            request=f"{life.create.method} {life.create.path}",
            undo="delete",
        )
        for life in task.plan.lives
    ]
    # An exception leaves the entries open: the next run looks for the mark and removes what is left.
    yield
    for entry in entries:
        ledger.removed(entry)
    ledger.close()


@contextmanager
def _progress(config: pytest.Config) -> Iterator[Callable[[str], None]]:
    """Yield what shows a line of progress: written over on a terminal, seldom elsewhere, not by workers."""
    if hasattr(config, "workerinput"):
        yield lambda _line: None
        return
    capture = config.pluginmanager.getplugin("capturemanager")
    stream, shown = sys.__stderr__, 0

    def show(line: str) -> None:
        nonlocal shown
        shown += 1
        if stream is None:
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            if stream.isatty():
                stream.write(f"\r\x1b[K{line}")
            elif shown % _LINE_EVERY_S == 1:
                stream.write(f"{line}\n")
            stream.flush()

    yield show
    if stream is not None and stream.isatty():
        stream.write("\r\x1b[K")
        stream.flush()
