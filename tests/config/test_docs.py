"""The manuals of both files name every key, with its default, and their examples are valid."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest

from fixtures import load_profile
from fixtures.configuration import choose
from fixtures.environment import COMPONENTS, Environment
from fixtures.release import Release
from fixtures.tomlfile import Part

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.fields import FieldInfo

DOCS = Path(__file__).parents[2] / "docs"

MANUALS: dict[type[Part], str] = {
    model: (DOCS / f"{model.__name__.lower()}-file.md").read_text(encoding="utf-8")
    for model in (Environment, Release)
}

BASES: dict[type[Part], dict[str, Any]] = {
    Environment: {"name": "shop", "release": "1", "identity": {"unproven": "an example"}},
    Release: {"version": "1", "roles": ["clerk"], "health": {"path": "/", "text": "ok"}},
}


def parts(annotation: object) -> Iterator[type[Part]]:
    """Yield a model, and those within it."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        yield annotation
        for field in annotation.model_fields.values():
            yield from parts(field.annotation)
    for argument in get_args(annotation):
        yield from parts(argument)


def fields(model: type[Part]) -> list[tuple[str, FieldInfo]]:
    elsewhere = load_profile.__name__  # docs/load.md is its manual
    models = dict.fromkeys(part for part in parts(model) if part.__module__ != elsewhere)
    return [(field.alias or name, field) for part in models for name, field in part.model_fields.items()]


def default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Part):
        return "see below"
    if value is None or value in ({}, ()):
        return ""
    if isinstance(value, dict):
        return "`{ " + ", ".join(f'{key} = "{part}"' for key, part in value.items()) + " }`"
    if isinstance(value, bool | str):
        return f"`{str(value).lower()}`" if isinstance(value, bool) else f'`"{value}"`'
    return f"`{value:_}`" if isinstance(value, int) and value > 9999 else f"`{value:g}`"


@pytest.mark.parametrize("model", MANUALS, ids=lambda model: model.__name__)
def test_every_key_is_documented_with_its_default(model: type[Part]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \| ([^|]*?) ?\| [^|]+ \|$", MANUALS[model], re.MULTILINE)

    wanted = [(name, default(field)) for name, field in fields(model)]
    missing = [row for row in wanted if row not in rows]
    assert not missing
    assert len(rows) == len(wanted)


@pytest.mark.parametrize("model", MANUALS, ids=lambda model: model.__name__)
def test_every_example_is_valid(model: type[Part]) -> None:
    examples = re.findall(r"^```toml\n(.*?)^```$", MANUALS[model], re.MULTILINE | re.DOTALL)

    assert len(examples) > 8
    for example in examples:
        model.model_validate(BASES[model] | tomllib.loads(example))


def test_the_two_files_of_the_shop_fit_together(tmp_path: Path) -> None:
    for manual in MANUALS.values():
        for name, text in re.findall(r"^```toml\n# (shop-\S+)\n(.*?)^```$", manual, re.MULTILINE | re.DOTALL):
            (tmp_path / name).write_text(text, encoding="utf-8")

    shop = choose("shop-staging.toml", None, tmp_path)

    assert shop.release.version == "2.3.0"
    assert shop.release.sign_in_values() == {"client_secret"}
    assert shop.release.authorization("t0ken") == ("Authorization", "Bearer t0ken")


def test_every_component_is_documented() -> None:
    assert [name for name in COMPONENTS if f"`{name}`" not in MANUALS[Environment]] == []
