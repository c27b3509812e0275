"""The suite's plugins, from verdict to target: pytest configures the last of them first."""

import pytest

pytest_plugins = [
    "reports.redaction_plugin",
    "reports.familiar",
    "reports.session",
    "reports.selection",
    "reports.recorder",
    "checks.plugin",
    "fixtures.records",
    "fixtures.database",
    "fixtures.http",
    "fixtures.sign_in",
    "fixtures.identity",
    "fixtures.endpoints",
    "fixtures.permissions",
    "fixtures.target",
    "fixtures.vault",
    "fixtures.run",
    "fixtures.options",
]


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run without one of them: a verdict needs them all."""
    blocked = [name for name in pytest_plugins if config.pluginmanager.is_blocked(name)]
    if blocked:
        raise pytest.UsageError(f"-p no:{blocked[0]}: the suite gives no verdict without this plugin")
