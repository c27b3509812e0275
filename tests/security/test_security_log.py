"""Stores of security events, rows of audit tables, and what is read out of them."""

from __future__ import annotations

import shlex
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest

from fixtures import log_store
from fixtures.audit import mentions
from fixtures.environment import Environment
from fixtures.http import Line
from fixtures.observation import Absent, CannotObserve
from fixtures.release import Release
from fixtures.run import Run
from fixtures.secrets import Vault
from fixtures.security_log import SecurityTrail, Trace, line_of
from fixtures.tomlfile import ConfigError, load
from tests.probes.servers import application, response, serving

if TYPE_CHECKING:
    from pathlib import Path

RELEASE = Release.model_validate(
    {
        "version": "1",
        "roles": ["clerk"],
        "health": {"path": "/health", "text": "ok"},
        "sign_in": {
            "path": "/session",
            "body": {"user": "{username}", "password": "{password}"},
            "encoding": "form",
            "cookie": "sid",
            "role": "clerk",
        },
    }
)


class Anybody:
    def require(self) -> None: ...


@pytest.fixture
def run(tmp_path: Path) -> Run:
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    return Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))


def described(url: str, **parts: Any) -> Environment:
    return Environment.model_validate(
        {
            "name": "tried",
            "release": "1",
            "identity": {"unproven": "a test"},
            "api": {"url": url},
            "limits": {"request_timeout_s": 2},
            "roles": {"clerk": {"username": "clerk@shop.example", "password": "env:UNSET"}},
            **parts,
        }
    )


def trail(run: Run, environment: Environment) -> SecurityTrail:
    vault = Vault(None, str)
    place = environment.api
    assert place is not None
    line = Line("api", place=place, environment=environment, headers={}, run=run, vault=vault)
    access = cast("Any", SimpleNamespace(spare_role=lambda: "clerk"))
    return SecurityTrail(
        line=line, access=access, environment=environment, release=RELEASE, run=run, vault=vault,
        identity=cast("Any", Anybody()),
    )  # fmt: skip


def refusing(log: Path, record: str) -> Any:
    """Return a sign-in that refuses everybody, and writes that down as told."""

    def answer(_: str, __: str, ___: dict[str, str], body: bytes) -> bytes:
        sent = {key: values[0] for key, values in parse_qs(body.decode()).items()}
        with log.open("a") as opened:
            opened.write(record.format(**sent))
        return response(401, b"no")

    return application(answer)


# ---------------------------------------------------------------- a failed sign-in


@pytest.mark.parametrize(
    ("record", "found", "password"),
    [
        ("refused {user}\n", True, False),
        ("refused somebody\n", False, False),
        ("refused {user} with {password}\n", True, True),
        ("refused somebody with {password}\n", False, True),
    ],
)
def test_trace_of_a_failed_sign_in(
    record: str, found: bool, password: bool, tmp_path: Path, run: Run
) -> None:
    log = tmp_path / "security.log"
    log.touch()
    with serving(refusing(log, record)) as server:
        declared = {"file": str(log), "within_s": 0.1}
        trace: Trace = trail(run, described(server.url, security_log=declared)).failed_sign_in()

    assert (bool(trace.record), bool(trace.password)) == (found, password)
    assert trace.mark.startswith(run.mark)
    assert not found or f"{trace.mark}@shop.example" in trace.record


def test_search_that_repeats_its_question_has_found_nothing(tmp_path: Path, run: Run) -> None:
    def echo(_: str, target: str, *__: object) -> bytes:
        asked = parse_qs(urlsplit(target).query)["q"][0]
        return response(200, f'{{"query": "{asked}", "hits": []}}'.encode())

    log = tmp_path / "security.log"
    with serving(refusing(log, "refused {user}\n")) as api, serving(application(echo)) as search:
        declared = {"url": f"{search.url}/search?q={{mark}}", "within_s": 0.1}
        trace = trail(run, described(api.url, security_log=declared)).failed_sign_in()

    assert not trace.record


def test_search_goes_with_its_headers_and_finds(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "security.log"
    log.touch()
    monkeypatch.setenv("STORE_KEY", "Bearer 0123456789")

    def search(_: str, target: str, headers: dict[str, str], __: bytes) -> bytes:
        asked = parse_qs(urlsplit(target).query)["query"][0]
        if headers.get("authorization") != "Bearer 0123456789" or not asked.startswith('{app="shop"} |= '):
            return response(401)
        mark = asked.partition("|= ")[2]
        return response(200, "".join(line for line in log.read_text() if mark in log.read_text()).encode())

    with serving(refusing(log, "refused {user}\n")) as api, serving(application(search)) as store:
        declared = {
            "url": f"{store.url}/loki?query=%7Bapp%3D%22shop%22%7D+%7C%3D+{{mark}}",
            "headers": {"Authorization": "env:STORE_KEY"},
            "within_s": 2,
        }
        trace = trail(run, described(api.url, security_log=declared)).failed_sign_in()

    assert trace.mark in trace.record
    assert "0123456789" not in str(trace)


def test_log_that_nobody_declares(run: Run) -> None:
    with pytest.raises(CannotObserve, match="declares no"):
        trail(run, described("http://127.0.0.1:1")).failed_sign_in()
    with pytest.raises(Absent, match="none at all"):
        trail(run, described("http://127.0.0.1:1", absent={"logs": "none at all"})).failed_sign_in()


@pytest.mark.parametrize(
    "declared",
    [
        'url = "https://logs.example/search?q=failed"',
        'command = "journalctl -u shop"',
        'file = "/var/log/a"\ncommand = "grep {mark} /var/log/b"',
        "within_s = 5",
    ],
)
def test_store_that_cannot_be_searched_is_a_mistake(declared: str, tmp_path: Path) -> None:
    file = tmp_path / "shop.toml"
    file.write_text(
        f'name = "shop"\nrelease = "1"\nidentity = {{ unproven = "a test" }}\n[security_log]\n{declared}\n'
    )

    with pytest.raises(ConfigError, match="security_log"):
        load(file, Environment)


# ---------------------------------------------------------------- stores


def test_files_are_read_after_they_were_rotated(tmp_path: Path) -> None:
    (tmp_path / "a.log.1").write_text("before\n")
    (tmp_path / "a.log").write_text("after\n")

    assert set(log_store.Files(f"{tmp_path}/a.log*").about("").split()) == {"before", "after"}


def test_only_the_end_of_a_big_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_store, "MOST_READ", 4)
    (tmp_path / "a.log").write_text("long ago\nnow\n")

    assert log_store.Files(str(tmp_path / "a.log")).about("") == "now\n"


def test_file_that_is_not_there_is_our_side(tmp_path: Path) -> None:
    with pytest.raises(CannotObserve, match="no such file"):
        log_store.Files(str(tmp_path / "none.log")).about("")


@pytest.mark.parametrize(
    ("program", "shows"),
    [
        ("print('found', sys.argv[1])", "found gonogo-1; rm -rf\n"),
        ("sys.exit(1)", ""),
    ],
)
def test_command_gets_the_mark_as_one_argument(program: str, shows: str) -> None:
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(f'import sys; {program}')} {{mark}}"

    assert log_store.Command(line).about("gonogo-1; rm -rf") == shows


@pytest.mark.parametrize("program", ["sys.exit(2)", "sys.exit('no right to read')"])
def test_command_that_fails_is_our_side(program: str) -> None:
    line = f"{shlex.quote(sys.executable)} -c {shlex.quote(f'import sys; {program}')} {{mark}}"

    with pytest.raises(CannotObserve, match="exit status"):
        log_store.Command(line).about("gonogo-1")


def test_line_is_shortened_around_what_was_looked_for() -> None:
    text = "first\n" + "x" * 5000 + " wanted " + "y" * 5000 + "\nlast"
    line = line_of(text, "wanted")

    assert "wanted" in line
    assert len(line) <= 500
    assert not line_of(text, "never")


# ---------------------------------------------------------------- audit rows


@pytest.mark.parametrize(
    ("row", "is_it"),
    [
        ({"record_id": 17}, True),
        ({"record_id": "17"}, True),
        ({"path": "/api/v1/bom/17"}, True),
        ({"what": "bom #17, created"}, True),
        ({"data": {"after": {"id": 17}}}, True),
        ({"data": {"notes": "gonogo-1 of a test"}}, True),
        ({"record_id": 117}, False),
        ({"record_id": 1.7, "at": "2026-11-17T17:17:17+00:00"}, False),
        ({"is_admin": True, "note": None}, False),
    ],
)
def test_row_about_a_record(row: object, is_it: bool) -> None:
    assert mentions(row, "17", "gonogo-1") is is_it
