"""The suite's plugins, from verdict to target: pytest configures the last of them first."""

import gc

import pytest

from reports.guard import refuse_weakened

pytest_plugins = [
    "reports.redaction_plugin",
    "reports.familiar",
    "reports.session",
    "reports.selection",
    "reports.recorder",
    "checks.plugin",
    "load.plugin",
    "fixtures.default_accounts",
    "fixtures.api_keys",
    "fixtures.issued",
    "fixtures.fixation",
    "fixtures.forgery",
    "fixtures.database_sign_in",
    "fixtures.console",
    "fixtures.audit",
    "fixtures.security_log",
    "fixtures.aws_protection",
    "fixtures.intrusion",
    "fixtures.edge",
    "fixtures.waf",
    "fixtures.attestations",
    "fixtures.burst",
    "fixtures.attempts",
    "fixtures.leaks",
    "fixtures.exposure",
    "fixtures.headers",
    "fixtures.tls",
    "fixtures.browser",
    "fixtures.bundle",
    "fixtures.paths",
    "fixtures.baseline",
    "fixtures.memory",
    "fixtures.connections",
    "fixtures.quick",
    "fixtures.cors",
    "fixtures.registration",
    "fixtures.privacy",
    "fixtures.undeclared",
    "fixtures.detours",
    "fixtures.role_matrix",
    "fixtures.access",
    "fixtures.instants",
    "fixtures.sweep",
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


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run where no verdict could come of it."""
    if not hasattr(config, "workerinput"):
        refuse_weakened(config)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Take what start-up has made out of the reach of pytest's garbage collections at the end of a run.

    They look for what the checks have left open. Modules and models leave nothing open, and there are ten
    times more of them: 0.1 s of a smoke run.
    """
    gc.freeze()
