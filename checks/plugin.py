"""pytest plugin: binds the checks to the checklist.

It owns the markers of items, phases and windows. In a run that has an environment, collection
fails unless every check names known items and the one phase (and window) that they belong to.

Files of other phases than those that ``-m`` asks for are not imported: a smoke run neither pays for
the statistics of the load checks nor fails because of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from checks.checklist import DESCRIPTIONS, PHASES, WINDOWS, Item, load, worded
from checks.coverage import StaticCheck, faults, left_out, scan
from fixtures.attestations import OWNERS
from fixtures.options import ENVIRONMENT, RELEASE, refuse_unknown_items

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

CHECKLIST = pytest.StashKey[dict[str, Item]]()
"""The checklist of the run, on the controller and in every worker."""

STATIC_CHECKS = pytest.StashKey[tuple[StaticCheck, ...]]()
"""Every check of the suite, selected or not; not in xdist's workers."""

_LEFT_OUT = pytest.StashKey[frozenset[str]]()
"""The files and folders that hold no check of the phases and windows asked for, relative to the root."""

_SHOWN = 15
"""Faults shown at once, so that the message fits on one screen."""


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers."""
    config.addinivalue_line("markers", "item(*ids): the checklist items that the check judges")
    for name, description in DESCRIPTIONS.items():
        kind = "phase" if name in PHASES else "window"
        config.addinivalue_line("markers", f"{name}: {kind}: {description}")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Load the checklist and, in the process that the user sees, compare environment and sources with it.

    Raises:
        pytest.UsageError: the checklist does not fit the checks, or the environment it.
    """
    config = session.config
    if ENVIRONMENT not in config.stash:
        return
    try:
        checklist = worded(load(), config.stash[RELEASE].statements)
    except ValueError as error:
        raise pytest.UsageError(str(error)) from None
    config.stash[CHECKLIST] = checklist
    config.stash[OWNERS] = {item.id: item.owner for item in checklist.values()}
    if _is_worker(config):
        config.stash[_LEFT_OUT] = frozenset(config.workerinput["gonogo_left_out"])  # type: ignore[attr-defined]  # set by xdist
        return
    refuse_unknown_items(config, checklist)
    checks = scan(config.rootpath)
    config.stash[STATIC_CHECKS] = checks
    _refuse(faults(checklist, checks))
    by_path = bool(config.option.file_or_dir)
    expression = "" if by_path else config.option.markexpr
    config.stash[_LEFT_OUT] = left_out(expression, config.rootpath, checks)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401  # xdist's WorkerController has no types
    """Tell a worker what its controller leaves out, so that all collect the same."""
    node.workerinput["gonogo_left_out"] = sorted(node.config.stash.get(_LEFT_OUT, ()))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files and folders of other phases alone."""
    places = config.stash.get(_LEFT_OUT, None)
    if not places:
        return None
    return collection_path.relative_to(config.rootpath).as_posix() in places or None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    """Compare what was really collected with the checklist, before and after other plugins touch it.

    In between the checks are put in the order in which a release meets their phases.
    """
    _compare(config, items)
    if ENVIRONMENT in config.stash:
        items.sort(key=_place)
    yield
    _compare(config, items)


def _place(item: pytest.Item) -> int:
    """Return the place of a check's phase in the guide's order."""
    names = {mark.name for mark in item.iter_markers()}
    return next((place for place, phase in enumerate(PHASES) if phase in names), len(PHASES))


def _compare(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse a collection with faults; a worker, which must not raise, leaves them to its controller."""
    if ENVIRONMENT not in config.stash:
        return
    found = faults(config.stash[CHECKLIST], map(_collected, items))
    if found and _is_worker(config):
        output: dict[str, Any] = config.workeroutput  # type: ignore[attr-defined]  # set by xdist
        output["checklist_faults"] = found
        items.clear()
        return
    _refuse(found)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:  # noqa: ANN401  # xdist's WorkerController has no types
    """Report the faults that a worker has found.

    Raises:
        pytest.UsageError: the worker has collected checks that do not fit the checklist.
    """
    _refuse(getattr(node, "workeroutput", {}).get("checklist_faults", []))


def _collected(item: pytest.Item) -> StaticCheck:
    """Return a collected check in the form of a scanned one."""
    path, _, function = item.nodeid.partition("::")
    names = {mark.name for mark in item.iter_markers()}
    return StaticCheck(
        path=path,
        function=function.partition("[")[0],
        items=_ids(item),
        phases=tuple(name for name in PHASES if name in names),
        windows=tuple(name for name in WINDOWS if name in names),
        line=(item.location[1] or 0) + 1,
    )


def _refuse(found: list[str]) -> None:
    if not found:
        return
    more = [f"... and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    raise pytest.UsageError(
        "\n  ".join(["the checks do not fit checks/checklist.toml:", *found[:_SHOWN], *more])
    )


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def _ids(item: pytest.Item) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(item_id) for mark in item.iter_markers("item") for item_id in mark.args))


def items_of(item: pytest.Item) -> tuple[str, ...]:
    """Return the ids that a collected check judges.

    A check with a parameter named ``endpoint`` judges those of its ids that the endpoint names, and
    all of them when the endpoint names none: an endpoint names the items that it proves.
    """
    ids = _ids(item)
    callspec = getattr(item, "callspec", None)
    endpoint = callspec.params.get("endpoint") if callspec else None
    proven = tuple(item_id for item_id in ids if item_id in getattr(endpoint, "items", ()))
    return proven or ids
