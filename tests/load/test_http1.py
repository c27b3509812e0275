from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from load.http1 import Answer, Malformed, read_answer

if TYPE_CHECKING:
    from collections.abc import Callable

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Type: Application/JSON; charset=utf-8\r\nContent-Length: 4\r\n\r\n{ }\n"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"4\r\nWiki\r\n5;name=value\r\npedia\r\n0\r\nTrailer: yes\r\n\r\n"
)
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"
SAMPLES = {
    "plain": (PLAIN, Answer(200, "application/json", b"{ }\n", keep=True)),
    "chunked": (CHUNKED, Answer(200, "", b"Wikipedia", keep=True)),
    "chunked without trailers": (
        CHUNKED.replace(b"Trailer: yes\r\n", b""),
        Answer(200, "", b"Wikipedia", keep=True),
    ),
    "interim": (INTERIM, Answer(204, "", b"", keep=True)),
    "empty": (b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", Answer(500, "", b"", keep=True)),
    "to be closed": (
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
        Answer(200, "", b"x", keep=False),
    ),
    "old": (b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", Answer(200, "", b"x", keep=False)),
    "until the end": (b"HTTP/1.1 200 OK\r\n\r\nall of it", Answer(200, "", b"all of it", keep=False)),
}


def pieces(data: bytes, size: int) -> Callable[[], bytes]:
    waiting = [data[at : at + size] for at in range(0, len(data), size)]
    return lambda: waiting.pop(0) if waiting else b""


@pytest.mark.parametrize("size", [1, 2, 3, 7, 4096])
@pytest.mark.parametrize("name", SAMPLES)
def test_an_answer_is_read_however_it_is_cut(name: str, size: int) -> None:
    data, expected = SAMPLES[name]

    answer = read_answer(pieces(data, size), "GET", 1000)

    assert (answer.status, answer.content_type, answer.body, answer.keep) == (
        expected.status,
        expected.content_type,
        expected.body,
        expected.keep,
    )


def test_an_answer_to_head_has_no_body() -> None:
    assert read_answer(pieces(PLAIN[:-4], 4096), "HEAD", 1000).body == b""


def test_bytes_beyond_an_answer_end_the_use_of_the_connection() -> None:
    assert not read_answer(pieces(PLAIN + b"more", 4096), "GET", 1000).keep


def test_cookies_keep_their_case() -> None:
    head = (
        b"HTTP/1.1 200 OK\r\nSet-Cookie: Session=AbC; Path=/\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n"
    )

    assert read_answer(pieces(head, 4096), "GET", 1000).cookies == {"Session": "AbC", "b": "2"}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "closed without an answer"),
        (PLAIN[:20], "closed in the middle"),
        (PLAIN[:-1], "closed in the middle"),
        (CHUNKED[:-30], "closed in the middle"),
        (CHUNKED[:-2], "closed in the middle"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 twohundred\r\n\r\n", "not HTTP/1.1"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "no number"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "too large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001, "too large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFF\r\n", "too large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "without a size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc", "too large"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n", "longer than its size"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000, "head without an end"),
    ],
)
def test_what_is_broken_is_named(data: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        read_answer(pieces(data, 4096), "GET", 1000)
