"""The suite's plugins, from verdict to target: pytest configures the last of them first."""

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
