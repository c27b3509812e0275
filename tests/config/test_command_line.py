"""``--env`` and ``--release`` on a command line, with the plugin alone."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT = Path(__file__).parents[2]

ENVIRONMENT = """\
name = "shop"
release = "shop-release.toml"
identity = { unproven = "an example" }
"""

RELEASE = 'version = "1"\nhealth = { path = "/", text = "ok" }\n'

CHECK = """\
def test_where(environment, release, limits):
    assert (environment.name, release.version, limits) == ("shop", "1", environment.limits)
"""


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run pytest in a small project of its own."""
    for name, text in {
        "pytest.ini": "[pytest]\n",
        "checks/test_where.py": CHECK,
        "tests/test_own.py": "def test_own():\n    import sys\n    assert 'pydantic' not in sys.modules\n",
        "files/shop.toml": ENVIRONMENT,
        "files/shop-release.toml": RELEASE,
        "files/other-release.toml": RELEASE.replace('"1"', '"2"'),
        "files/broken.toml": ENVIRONMENT + 'writes = "maybe"\n',
    }.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def pytest_run(*arguments: str, folder: str = ".") -> subprocess.CompletedProcess[str]:
        plugins = ("-p", "xdist.plugin", "-p", "fixtures.options", "-p", "no:cacheprovider")
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--disable-plugin-autoload", *plugins, *arguments],
            cwd=tmp_path / folder,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return pytest_run


def test_a_path_is_relative_to_where_pytest_is_called(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    done = run("../checks", "--env=shop.toml", folder="files")

    assert done.returncode == 0, done.stdout
    assert "environment: shop (shop.toml), target: deployed, writes: never" in done.stdout
    assert "release: 1 (shop-release.toml)" in done.stdout


def test_xdist_workers_read_the_same_files(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("checks", "--env=files/shop.toml", "-n2")

    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout


def test_another_release_on_the_command_line(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("checks", "--env=files/shop.toml", "--release=files/other-release.toml")

    assert done.returncode == 1
    assert "release: 2 (files/other-release.toml)" in done.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("checks",),
        ("checks", "tests"),
        ("checks", "-n2"),
        ("checks", "--collect-only"),
        ("tests", "--release=1.0.0"),
        (),
    ],
)
def test_without_an_environment_nothing_runs(
    arguments: tuple[str, ...], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run(*arguments)

    assert done.returncode == 4
    assert done.stderr == (
        "ERROR: no environment: --env says where to verify, and has no default\n"
        "    allowed: --env with one of local, prod, staging, or a path to a TOML file "
        "(docs/environment-file.md)\n"
        "    to try it out: pytest -m smoke --env=local\n\n"
    )
    assert not done.stdout


def test_the_projects_own_tests_need_none_and_pay_for_none(
    run: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    for arguments, folder in (
        (("tests",), "."),
        (("tests/test_own.py::test_own", "-n1"), "."),
        ((), "tests"),
    ):
        done = run(*arguments, folder=folder)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("more", [(), ("-n2",), ("--collect-only",)])
def test_a_mistake_is_a_usage_error_without_a_traceback(
    more: tuple[str, ...], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = run("checks", "--env=files/broken.toml", *more)

    assert done.returncode == 4
    assert done.stderr == (
        "ERROR: files/broken.toml: 1 mistake\n"
        '  writes: found the string "maybe"\n'
        '    allowed: "never", "own-records" or "anything"\n\n'
    )
    assert "Traceback" not in done.stdout


def test_an_unknown_name_lists_what_there_is(run: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = run("checks", "--env=stagin")

    assert done.returncode == 4
    assert '  there is no environment "stagin"\n' in done.stderr
    assert "    allowed: --env with one of local, prod, staging, or a path to a TOML file\n" in done.stderr
    assert "    did you mean: staging\n" in done.stderr


def test_an_unknown_release_of_an_environment_is_that_files_mistake(
    run: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    (tmp_path / "files" / "old.toml").write_text(
        ENVIRONMENT.replace("shop-release.toml", "1.0"), encoding="utf-8"
    )

    done = run("checks", "--env=files/old.toml")

    assert done.returncode == 4
    assert done.stderr.startswith('ERROR: files/old.toml: 1 mistake\n  release: there is no release "1.0"\n')
    assert "did you mean: 1.0.0" in done.stderr


@pytest.mark.parametrize("argument", ["--help", "--version", "--markers", "--fixtures"])
def test_information_needs_no_environment(
    argument: str, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    assert run("checks", argument).returncode == 0
