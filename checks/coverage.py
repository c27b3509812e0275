"""Which check judges which item, read from the sources without running them.

A static scan sees every check whatever was selected, and also on an xdist controller, which
collects nothing. It therefore wants item ids, phases and windows written out: as decorators or in
``pytestmark``, ids as plain strings.
"""

from __future__ import annotations

import ast
import os
import re
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from _pytest.mark.expression import Expression  # pytest offers no public parser for -m

from checks.checklist import PHASES, WINDOWS, Item

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

FOLDERS = ("checks", "smoke", "load")
"""The folders of the suite that hold checks."""


@dataclass(frozen=True)
class StaticCheck:
    """One check and what its marks say.

    Attributes:
        path: the file, relative to the root, with ``/``.
        function: the function's name, ``TestClass::test_name`` within a class; empty for a whole file.
        items: the ids that the check judges.
        phases: the phases that it is marked with.
        windows: the windows that it is marked with.
        line: where it begins.
        trouble: why its marks cannot be read, or an empty string.
    """

    path: str
    function: str
    items: tuple[str, ...]
    phases: tuple[str, ...]
    windows: tuple[str, ...]
    line: int
    trouble: str = ""


def scan(root: Path) -> tuple[StaticCheck, ...]:
    """Return every check in the suite's folders below ``root``, in the order of paths and lines.

    A file that cannot be read or parsed is one entry with its ``trouble``.
    """
    return tuple(check for path in _files(root) for check in _checks(root, path))


def _files(root: Path) -> list[str]:
    """Return the files that pytest takes for test modules, relative to ``root``."""
    found = []
    for top in FOLDERS:
        for folder, folders, names in os.walk(root / top):
            folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
            inside = os.path.relpath(folder, root).replace(os.sep, "/")
            found += [
                f"{inside}/{name}"
                for name in names
                if name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
            ]
    return sorted(found)


def _checks(root: Path, path: str) -> Iterator[StaticCheck]:
    try:
        module = ast.parse((root / path).read_bytes())
    except (SyntaxError, ValueError, RecursionError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else getattr(error, "msg", error)
        line = getattr(error, "lineno", None) or 1
        yield StaticCheck(path, "", (), (), (), line, f"cannot be parsed: {reason}")
        return
    seen: set[str] = set()
    for function, line, marks in _functions(module, "", ()):
        check = _check(path, function, line, marks)
        again = f"{function} is defined twice, and pytest sees only the last" if function in seen else ""
        yield replace(check, trouble=again or check.trouble)
        seen.add(function)


def _functions(
    body: ast.Module | ast.ClassDef, prefix: str, inherited: Sequence[ast.expr]
) -> Iterator[tuple[str, int, Sequence[ast.expr]]]:
    """Yield name, line and mark expressions of each test function, also of those in test classes."""
    statements = list(_statements(body))
    own = [*inherited, *(value for statement in statements for value in _pytestmark(statement))]
    for node in statements:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield prefix + node.name, node.lineno, [*own, *node.decorator_list]
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            yield from _functions(node, f"{prefix}{node.name}::", [*own, *node.decorator_list])


def _statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield definitions and assignments of a body, also those under ``if``, ``try`` and ``with``."""
    for child in ast.iter_child_nodes(node):
        if isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign
        ):
            yield child
        elif isinstance(child, ast.stmt | ast.ExceptHandler):
            yield from _statements(child)


def _pytestmark(statement: ast.stmt) -> tuple[ast.expr, ...]:
    match statement:
        case (
            ast.Assign(targets=[ast.Name(id="pytestmark")], value=value)
            | ast.AnnAssign(target=ast.Name(id="pytestmark"), value=ast.expr() as value)
        ):
            return (value,)
    return ()


def _check(path: str, function: str, line: int, marks: Iterable[ast.expr]) -> StaticCheck:
    """Return the check that its decorators and ``pytestmark`` values describe."""
    items: list[str] = []
    names: list[str] = []
    trouble = ""
    for mark in _flat(marks):
        call = mark if isinstance(mark, ast.Call) else None
        *before, name = _dotted(call.func if call else mark)
        if name == "item":
            ids = _written_out(call)
            items += ids
            trouble = trouble or ("" if ids else "the ids of an item mark must be written out as strings")
        elif before[-1:] == ["mark"]:
            names.append(name)
    return StaticCheck(
        path=path,
        function=function,
        items=tuple(dict.fromkeys(items)),
        phases=tuple(name for name in PHASES if name in names),
        windows=tuple(name for name in WINDOWS if name in names),
        line=line,
        trouble=trouble,
    )


def _flat(expressions: Iterable[ast.expr]) -> Iterator[ast.expr]:
    for expression in expressions:
        if isinstance(expression, ast.List | ast.Tuple):
            yield from expression.elts
        else:
            yield expression


def _dotted(expression: ast.expr) -> list[str]:
    """Return ``["pytest", "mark", "smoke"]`` for ``pytest.mark.smoke``; at least one part."""
    match expression:
        case ast.Name(id=name):
            return [name]
        case ast.Attribute(value=value, attr=name):
            return [*_dotted(value), name]
    return [""]


def _written_out(call: ast.Call | None) -> list[str]:
    """Return the arguments of an item mark, or nothing unless all of them are plain strings."""
    arguments = call.args if call and not call.keywords else []
    ids = [argument.value for argument in arguments if isinstance(argument, ast.Constant)]
    texts = [value for value in ids if isinstance(value, str)]
    return texts if len(texts) == len(arguments) else []


def left_out(expression: str, root: Path, checks: Iterable[StaticCheck]) -> frozenset[str]:
    """Return the files, and the folders of such files alone, in which ``-m expression`` selects nothing.

    Nothing is left out unless the expression is about phases and windows alone: only these are certain
    to be written out, so that the scan knows them as pytest would. A file in which the scan sees no check
    is never left out.

    Args:
        expression: as it was given to ``-m``; empty without one.
        root: the folder that the paths are relative to.
        checks: what ``scan`` found there.
    """
    words = set(re.findall(r"[^\s()]+", expression))
    if not words or words - {"and", "or", "not", *PHASES, *WINDOWS}:
        return frozenset()
    try:
        matches = Expression.compile(expression).evaluate
    except SyntaxError:
        return frozenset()  # pytest refuses it, in its own words
    selected: dict[str, bool] = dict.fromkeys(_files(root), True)
    for path in {check.path for check in checks}:
        selected[path] = False
    for check in checks:
        selected[check.path] |= bool(check.trouble) or matches(_one_of(check.phases + check.windows))
    kept = {place for path, is_selected in selected.items() if is_selected for place in _above(path)}
    return frozenset(place for path in selected for place in _above(path)) - kept


def _above(path: str) -> Iterator[str]:
    """Yield a path and the folders that it is in."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def _one_of(names: tuple[str, ...]) -> Callable[..., bool]:
    return lambda name, /, **_keywords: name in names


def faults(checklist: dict[str, Item], checks: Iterable[StaticCheck]) -> list[str]:
    """Return what is wrong between the checklist and the checks, one line each, each once."""
    found = [
        f"{check.path}:{check.line} {check.function}".rstrip() + f": {fault}"
        for check in checks
        for fault in _faults(checklist, check)
    ]
    return list(dict.fromkeys(found))


def _faults(checklist: dict[str, Item], check: StaticCheck) -> Iterator[str]:
    if check.trouble:
        yield check.trouble
        return
    if not check.items:
        yield "judges no item of the checklist"
    if len(check.phases) != 1:
        yield f"has {', '.join(check.phases)} for its phase, expected one" if check.phases else "has no phase"
        return
    phase = check.phases[0]
    expected_windows = 1 if phase == "postdeploy" else 0
    if len(check.windows) != expected_windows:
        yield f"has {len(check.windows)} windows, a {phase} check has {expected_windows}"
        return
    window = check.windows[0] if check.windows else None
    for item_id in check.items:
        item = checklist.get(item_id)
        if item is None:
            yield f"unknown item {item_id}{_nearest(item_id, checklist)}"
        elif (item.phase, item.window) != (phase, window):
            where = _where(item.phase, item.window)
            yield f"is marked {_where(phase, window)}, but {item_id} belongs to {where}"


def _where(phase: str, window: str | None) -> str:
    return f"{phase}, {window}" if window else phase


def _nearest(item_id: str, checklist: dict[str, Item]) -> str:
    near = get_close_matches(item_id.upper(), checklist, n=1)
    return f", did you mean {near[0]}?" if near else ""


def not_built(checklist: dict[str, Item], checks: Iterable[StaticCheck]) -> list[str]:
    """Return the ids that no check judges yet, in the guide's order."""
    judged = {item_id for check in checks for item_id in check.items}
    return [item_id for item_id in checklist if item_id not in judged]
