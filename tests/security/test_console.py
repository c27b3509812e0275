"""Consoles of all kinds, and what only looks like one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.console import Console
from fixtures.console_signs import asks, sign_of
from fixtures.environment import Environment
from fixtures.observation import Absent, CannotObserve
from fixtures.plain_socket import Said
from fixtures.run import Run
from fixtures.secrets import Vault
from tests.probes.servers import application, free_port, response, serving

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ADMINER = '<title>Login - Adminer</title><form><input type="password" name="auth[password]"></form>'
PGADMIN = "<title>pgAdmin 4</title><script>window.renderSecurityPage('login_user', {})</script>"
SHELL = "<title>Shop</title><div id=root></div>"


class Anybody:
    def require(self) -> None: ...


def console(tmp_path: Path, url: str, **parts: Any) -> Console:
    environment = Environment.model_validate(
        {
            "name": "tried",
            "release": "1",
            "identity": {"unproven": "a test"},
            "api": {"url": url},
            "limits": {"request_timeout_s": 2},
            **parts,
        }
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    run = Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))
    return Console(environment, run=run, vault=Vault(None, str), identity=Anybody())  # type: ignore[arg-type]  # proves nothing


def said(text: str = "", status: int = 200, url: str = "https://db.example/x", **headers: str) -> Said:
    return Said(url, status, tuple((key.replace("_", "-"), value) for key, value in headers.items()), text)


# ---------------------------------------------------------------- the door


@pytest.mark.parametrize(
    ("answer", "how"),
    [
        (said(status=401, www_authenticate='Basic realm="Operators"'), "answers 401, realm 'Operators'"),
        (said(status=403), "answers 403"),
        (said(ADMINER), "a page with a field for a password"),
        (said("<INPUT required TYPE=password>"), "a page with a field for a password"),
        (said(PGADMIN), "pgAdmin's sign-in page"),
        (said(SHELL, url="https://db.example/login?next=/browser/"), "leads to /login"),
        (said(status=302, location="https://login.example/oauth2/authorize"), "leads to login.example"),
        (said("<p>Use the tunnel</p>"), "a page with 'Use the tunnel'"),
        (said(SHELL), ""),
        (said("<title>pgAdmin 4</title><table>Servers</table>"), ""),
        (said("<input type=text name=query>"), ""),
        (said(status=302, location="https://elsewhere.example/"), ""),
    ],
)
def test_how_a_console_asks_to_sign_in(answer: Said, how: str) -> None:
    assert asks(answer, "https://db.example/x", "Use the tunnel") == how


def test_redirect_to_the_sign_in_is_followed(tmp_path: Path) -> None:
    def answer(_: str, target: str, *__: object) -> bytes:
        if target == "/":
            return response(302, headers={"Location": "/browser/"})
        if target == "/browser/":
            return response(302, headers={"Location": "/login?next=/browser/"})
        return response(200, PGADMIN.encode())

    with serving(application(answer)) as server:
        door = console(tmp_path, server.url, console={"url": server.url}).door()

    assert (door.url, door.asks) == (f"{server.url}/login?next=/browser/", "pgAdmin's sign-in page")


@pytest.mark.parametrize("answer", [response(404), response(502), None])
def test_what_is_no_console_says_nothing_about_it(answer: bytes | None, tmp_path: Path) -> None:
    with serving(application(lambda *_: answer)) as server:
        url = server.url if answer else f"http://127.0.0.1:{free_port()}"
        with pytest.raises(CannotObserve):
            console(tmp_path, server.url, console={"url": url}).door()


def test_console_that_is_not_declared(tmp_path: Path) -> None:
    probe = console(tmp_path, "http://127.0.0.1:1")
    with pytest.raises(CannotObserve, match="declares no"):
        probe.door()


def test_console_that_there_is_not(tmp_path: Path) -> None:
    probe = console(tmp_path, "http://127.0.0.1:1", absent={"database_console": "psql over a tunnel"})
    with pytest.raises(Absent, match="psql over a tunnel"):
        probe.door()


# ---------------------------------------------------------------- in public


@pytest.mark.parametrize(
    ("answer", "sign"),
    [
        (said(ADMINER), "Adminer"),
        (said(PGADMIN), "pgAdmin 4"),
        (said(status=302, set_cookie="pga4_session=1; HttpOnly"), "pga4_session"),
        (said(status=401, www_authenticate='Basic realm="Operators"'), "Operators"),
        (said("<title>Stock desk</title>"), "Stock desk"),
        (said("<title>Stock desk, how to use it</title>"), ""),
        (said(status=401, www_authenticate='Basic realm="Shop"'), ""),
        (said("Cannot GET /pgadmin/", status=404, url="https://shop.example/pgadmin/"), ""),
        (said("no page /pgadmin/ here", status=200, url="https://shop.example/pgadmin/"), ""),
        (said("your request for pgAdmin was blocked", status=403), ""),
        (said(SHELL), ""),
    ],
)
def test_sign_of_a_console(answer: Said, sign: str) -> None:
    assert sign_of(answer, ("Stock desk", "Operators")) == sign


def test_page_that_is_everywhere_is_no_sign() -> None:
    help_page = said("<title>Stock desk</title> We do not use phpMyAdmin")

    assert not sign_of(help_page, ("Stock desk",), help_page)


def beside(path: str, body: str) -> Callable[..., bytes]:
    """Return an application with one path more than its page, which it serves everywhere else."""

    def answer(_: str, target: str, *__: object) -> bytes:
        return response(200, (body if target == path else SHELL).encode(), {"Content-Type": "text/html"})

    return answer


def test_console_beside_the_api_is_found(tmp_path: Path) -> None:
    with serving(application(beside("/adminer.php", ADMINER))) as server:
        published = console(tmp_path, f"{server.url}/api/v2").published()

    assert [(each.url, each.sign) for each in published.found] == [(f"{server.url}/adminer.php", "Adminer")]


def test_application_of_one_page_is_no_console(tmp_path: Path) -> None:
    absent = {"database_console": "psql over a tunnel"}
    with serving(application(beside("/nowhere", ""))) as server:
        published = console(tmp_path, server.url, absent=absent).published()

    assert (published.asked, published.found) == (9, ())


def test_further_addresses_are_tried_whatever_listens_there(tmp_path: Path) -> None:
    with (
        serving(application(beside("/nowhere", ""))) as api,
        serving(application(beside("/", PGADMIN))) as open_,
        serving(application(beside("/", "<title>Build server</title>"))) as other,
        serving(lambda _, connection: connection.sendall(b"220 mail\r\n")) as mail,
    ):
        public = [open_.url, other.url, mail.url, f"http://127.0.0.1:{free_port()}"]
        inside = {"url": f"http://127.0.0.1:{free_port()}", "public": public}
        published = console(tmp_path, api.url, console=inside).published()

    assert [each.url for each in published.found] == [open_.url]
