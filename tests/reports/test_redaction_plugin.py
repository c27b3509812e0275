"""A canary in every channel of a run, with and without workers: it must be seen in none."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
CANARY = "c@nary/0f+secret&word"
TOKEN = "opaque-token-met-at-run-time"  # noqa: S105 - a canary
VAULT = f"""
import pytest
from fixtures.vault import VAULT

class Vault:
    def known(self):
        return frozenset([{CANARY!r}, {TOKEN!r}])

@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    config.stash[VAULT] = Vault()
"""
CHECKS = f"""
import base64, logging, sys, warnings
import pytest
import pytest_html

CANARY, TOKEN = {CANARY!r}, {TOKEN!r}
log = logging.getLogger("some.child.logger")

def test_compares():
    assert ["x" * 300 + CANARY] == [TOKEN]

def test_cuts_it_in_half():
    def ask(body):
        raise ValueError("refused")
    for start in range(100, 120):
        body = "b" * start + CANARY + "c" * 200
    ask("b" * 110 + CANARY + "c" * 220)

@pytest.mark.parametrize("shift", range(105, 125))
def test_cuts_it_anywhere(shift):
    def ask(body):
        raise ValueError("refused")
    ask("b" * shift + CANARY + "c" * 220)

def test_raises():
    try:
        raise ValueError("cause " + CANARY)
    except ValueError as error:
        raise RuntimeError(base64.b64encode(("admin:" + CANARY).encode()).decode()) from error

def test_prints():
    print("out", CANARY)
    print("err", TOKEN, file=sys.stderr)
    assert False

def test_prints_and_passes():
    print("passing", CANARY)

def test_logs():
    log.warning("with %s", {{"token": TOKEN}})
    try:
        raise KeyError(CANARY)
    except KeyError:
        log.exception("went wrong")
    assert False

def test_warns():
    warnings.warn("about " + CANARY)

def test_skips():
    pytest.skip("because " + CANARY)

def test_expects_to_fail():
    pytest.xfail("because " + CANARY)

@pytest.fixture
def broken():
    raise OSError("fixture " + CANARY)

def test_never_starts(broken):
    pass

@pytest.fixture
def ends_badly():
    yield
    raise OSError("tear-down " + TOKEN)

def test_ends(ends_badly):
    pass

def test_records(record_property, record_testsuite_property, extras):
    record_property("password", CANARY)
    record_property(CANARY, 1)
    record_testsuite_property("suite", CANARY)
    extras.append(pytest_html.extras.html("<p>" + CANARY))
    extras.append(pytest_html.extras.text("text " + CANARY, name=CANARY))
    extras.append(pytest_html.extras.json({{"token": TOKEN}}))
    extras.append(pytest_html.extras.url("https://x.example/?q=" + CANARY))
    assert False

def test_carries_a_record():
    assert False, "record"
"""
CONFTEST = f"""
import pytest
from reports.redaction_plugin import redactor

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.gonogo = {{"seen": ["it said " + {CANARY!r}], "measured": 1.5}}
    return report

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    print("record:", report.gonogo)

def pytest_report_header(config):
    return "header " + {CANARY!r}

def pytest_terminal_summary(terminalreporter):
    terminalreporter.line("summary " + {CANARY!r})

@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session):
    result = yield
    if not hasattr(session.config, "workerinput"):
        for path in session.config.rootpath.glob("out/*"):
            redactor(session.config).file(path)
    return result
"""
BROKEN = f"""
print("while collecting", {CANARY!r})
raise ImportError("cannot import " + {CANARY!r})
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeini(f"""
        [pytest]
        addopts = --import-mode=importlib --disable-plugin-autoload -p xdist -p pytest_metadata.plugin
            -p pytest_html.fixtures -p pytest_html.plugin -p pytest_timeout
            -p hidden -p reports.redaction_plugin -p reports.familiar
            --junitxml=out/junit.xml --html=out/tests.html --self-contained-html
        pythonpath = . {ROOT}
        log_file = out/log.txt
        log_file_level = DEBUG
        junit_logging = all
        verbosity_assertions = 2
    """)
    pytester.makepyfile(hidden=VAULT, test_checks=CHECKS, test_broken=BROKEN)
    pytester.makeconftest(CONFTEST)
    return pytester


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    "options",
    [
        ("-v", "-rA"),
        ("-vv", "--showlocals", "--tb=long", "--color=yes"),
        ("--showlocals", "-rA"),
        ("-s", "--log-cli-level=DEBUG", "--tb=short"),
        ("--tb=native", "-x"),
        ("--tb=line", "--full-trace"),
    ],
    ids="".join,
)
def test_the_canary_is_nowhere(
    project: pytest.Pytester, options: tuple[str, ...], workers: tuple[str, ...]
) -> None:
    result = project.runpytest_subprocess("--continue-on-collection-errors", *options, *workers)

    channels = {path.name: path.read_text(encoding="utf-8") for path in project.path.glob("out/*")}
    channels |= {"stdout": result.stdout.str(), "stderr": result.stderr.str()}
    assert {"junit.xml", "tests.html", "log.txt"} <= channels.keys()
    for name, text in channels.items():
        for secret in (CANARY, TOKEN):
            for spelling in (
                secret,
                quote(secret, safe=""),
                base64.b64encode(secret.encode()).decode()[:12],
                base64.b64encode(f"admin:{secret}".encode()).decode()[8:],
                secret[:7],
                secret[-7:],
            ):
                assert spelling not in text, f"{spelling} in {name}"
    assert "«redacted»" in channels["stdout"]
    assert "«redacted»" in channels["junit.xml"]


def test_the_canary_would_be_seen(project: pytest.Pytester) -> None:
    """Without the vault's knowledge it is in every channel: the test above can fail."""
    project.makepyfile(hidden="")

    result = project.runpytest_subprocess("--continue-on-collection-errors", "-rA", "-v")

    channels = {path.name: path.read_text(encoding="utf-8") for path in project.path.glob("out/*")}
    for name, text in {**channels, "stdout": result.stdout.str()}.items():
        assert TOKEN in text, name


def test_what_holds_no_secret_keeps_its_form(project: pytest.Pytester) -> None:
    """Only what held a secret is flattened to a text; a report in colours stays one."""
    project.makepyfile(test_harmless="def test_it():\n    number = 41\n    assert number == 42")

    result = project.runpytest_subprocess("--color=yes", "test_harmless.py")

    result.stdout.fnmatch_lines(["*\x1b[*assert*41*==*42*"])


def test_without_a_vault_what_looks_like_a_secret_is_still_redacted(project: pytest.Pytester) -> None:
    project.makepyfile(hidden="", test_it="def test_it():\n    assert not 'Authorization: Bearer abc123def'")

    result = project.runpytest_subprocess("test_it.py")

    assert "abc123def" not in result.stdout.str()
