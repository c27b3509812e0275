"""What goes over the wire is what was asked for: httpx's habits of a browser stay out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from fixtures.wire import Trouble, Wire
from tests.probes.servers import application, response, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fixtures.wire import Reply

    Exchange = Callable[..., Reply]


@pytest.fixture
def exchange() -> Iterator[Exchange]:
    wire = Wire(ca_file=None, proxy=None, connections=2)

    def exchange(url: str, method: str = "GET", content: bytes | None = None) -> Reply:
        return wire.exchange(
            method,
            url,
            headers={"Accept": "*/*", "X-Tenant": "t"},
            content=content,
            repeatable=method == "GET",
            timeout_s=5,
            max_bytes=1000,
        )

    yield exchange
    wire.close()


@pytest.mark.parametrize(
    "target",
    ["/a/../b", "/a/./b//c", "/%2e%2e/b", "/a?x=%20&y=+&x=1", "/a?", "", "?x=1", "/~a;b=1,2:@!$&'()*"],
)
def test_a_target_arrives_as_it_was_written(exchange: Exchange, target: str) -> None:
    with serving(
        application(lambda _method, target, _headers, _body: response(200, target.encode()))
    ) as server:
        assert exchange(server.url + target).body.decode() == (
            target if target.startswith("/") else f"/{target}"
        )


def test_headers_are_ours_and_what_http_needs(exchange: Exchange) -> None:
    sent: list[dict[str, str]] = []

    def answer(_method: str, _target: str, headers: dict[str, str], _body: bytes) -> bytes:
        sent.append(headers)
        return response(200)

    with serving(application(answer)) as server:
        exchange(server.url)
        exchange(server.url, "POST", b"abc")
        host = {"host": server.url.partition("//")[2]}
    assert sent[0] == {**host, "accept": "*/*", "x-tenant": "t"}
    assert sent[1] == {**host, "accept": "*/*", "x-tenant": "t", "content-length": "3"}


def test_cookies_are_not_kept(exchange: Exchange) -> None:
    with serving(
        application(
            lambda _method, _target, headers, _body: response(
                200, headers.get("cookie", "none").encode(), {"Set-Cookie": "a=1; Path=/"}
            )
        )
    ) as server:
        assert [exchange(server.url).body for _ in range(2)] == [b"none", b"none"]


def test_a_redirect_that_leads_nowhere_is_an_answer(exchange: Exchange) -> None:
    broken = response(302, b"", {"Location": "https://[broken"})
    with serving(application(lambda _method, _target, _headers, _body: broken)) as server:
        reply = exchange(server.url)
    assert (reply.status, ("Location", "https://[broken") in reply.headers) == (302, True)


def test_an_address_that_cannot_be_asked_is_our_own_trouble(exchange: Exchange) -> None:
    with pytest.raises(Trouble, match="cannot be asked") as caught:
        exchange("http://127.0.0.1:1/" + "x" * 70_000)
    assert caught.value.ours
