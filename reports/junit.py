"""``junit.xml`` of a run, by pytest's own writer, into the run's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from _pytest.junitxml import xml_key  # pytest gives its writer no public name

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


def enable(config: pytest.Config, path: Path) -> None:
    """Have pytest write to ``path``, unless ``--junit-xml`` names a place of the user's own.

    It is to be called in a ``pytest_configure`` that comes before pytest's own.
    """
    if not config.option.xmlpath:
        config.option.xmlpath = str(path)
        config.pluginmanager.register(_Quiet(config), "gonogo-junit")


class _Quiet:
    """Sends the writer away once it has written: it would announce a place that the file leaves."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self) -> Generator[None, object, object]:
        """Let it write, then unregister it."""
        result = yield
        writer = self._config.stash.get(xml_key, None)
        if writer is not None:
            del self._config.stash[xml_key]
            self._config.pluginmanager.unregister(writer)
        return result
