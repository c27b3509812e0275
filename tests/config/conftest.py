from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from fixtures import tomlfile

if TYPE_CHECKING:
    from pathlib import Path

    from fixtures.tomlfile import Part


class Refused(Protocol):
    """Writes a file, loads it, and returns the message with which it is refused."""

    def __call__(self, text: str, model: type[Part]) -> str: ...


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Refused:
    """Return the message about a file ``shop.toml`` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def message(text: str, model: type[Part]) -> str:
        path = tmp_path / "shop.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(tomlfile.ConfigError) as caught:
            tomlfile.load(path, model)
        return str(caught.value)

    return message
