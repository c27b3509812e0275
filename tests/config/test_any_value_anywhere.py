"""Whatever stands where in a file: it loads, or it is refused in words, and no secret is quoted."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest

from fixtures import tomlfile
from fixtures.configuration import ENVIRONMENTS, RELEASES
from fixtures.environment import Environment
from fixtures.release import Release
from fixtures.tomlfile import ConfigError, Part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ADDRESS = "postgresql://u:hunter2-hunter2@db/x"
VALUES: tuple[object, ...] = (
    ADDRESS,
    "",
    "\x1b[31m",
    0,
    -1,
    1.5,
    float("inf"),
    True,
    [],
    [5],
    [[]],
    {},
    {"": {}},
    {"a": ADDRESS},
)


def places(value: object, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*place, key)
        yield from places(part, (*place, key))


def replaced(data: dict[str, Any], place: tuple[Any, ...], value: object) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    owner: Any = changed
    for step in place[:-1]:
        owner = owner[step]
    owner[place[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "model"),
    [(ENVIRONMENTS / "prod.toml", Environment), (RELEASES / "1.0.0.toml", Release)],
    ids=["environment", "release"],
)
def test_any_value_anywhere(path: Path, model: type[Part], monkeypatch: pytest.MonkeyPatch) -> None:
    data = tomlfile.read(path)
    refused = 0
    for place in places(data):
        if place[:1] == ("endpoints",) and place[1:2] > (4,):
            continue  # the later ones have the same keys
        for value in VALUES:
            changed = replaced(data, place, value)
            monkeypatch.setattr(tomlfile, "read", lambda _, changed=changed: changed)
            try:
                tomlfile.load(path, model)
            except ConfigError as error:
                message = str(error)
            else:
                continue
            refused += 1
            assert "hunter2" not in message, place
            assert message.replace("\n", "").isprintable(), place
            assert len(message.splitlines()) < 40, place
    assert refused > 500
