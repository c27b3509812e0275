"""One HTTP/1.1 answer off a socket, read with as little work as its framing allows (RFC 9112, section 6).

No client library is as quick in a generator that shares its core with every simulated user: the head is
searched, not parsed into objects. Knows nothing of gevent; ``receive`` does the waiting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_HEAD_BYTES = 65_536
_NO_BODY = frozenset({204, 304})


class Malformed(Exception):
    """What came back is not an HTTP/1.1 answer, or not the whole of it; the text says why in a few words."""


@dataclass(slots=True)
class Answer:
    """One whole answer.

    Attributes:
        content_type: media type, lower case, without parameters; empty when there is none.
        keep: the connection can be used again.
        head: status line and fields, as they came.
    """

    status: int
    content_type: str
    body: bytes
    keep: bool
    head: bytes = b""

    @property
    def cookies(self) -> dict[str, str]:
        """Return name and value of every cookie that is set."""
        fields = (line.split(b":", 1) for line in self.head.split(b"\r\n")[1:] if b":" in line)
        pairs = (
            value.strip().partition(b";")[0].partition(b"=")
            for name, value in fields
            if name.lower() == b"set-cookie"
        )
        return {name.decode("latin-1"): value.decode("latin-1") for name, _, value in pairs}


def read_answer(receive: Callable[[], bytes], method: str, max_bytes: int) -> Answer:
    """Read one answer, interim ones (1xx) skipped.

    Args:
        receive: returns the next bytes, none at the end of the connection.
        method: of the request: HEAD has no body, whatever its head says.
        max_bytes: the most that a body may have.

    Raises:
        Malformed: broken framing, an early end, or a body beyond ``max_bytes``.
    """
    data = receive()
    if not data:
        raise Malformed("closed without an answer")
    status, whole, rest = _read_head(data, receive)
    head = whole.lower()
    keep = b"\r\nconnection: close" not in head and not head.startswith(b"http/1.0")
    content_type = _field(head, b"content-type").partition(b";")[0].strip().decode("ascii", "replace")
    if method == "HEAD" or status in _NO_BODY:
        body, left = b"", rest
    elif b"chunked" in _field(head, b"transfer-encoding"):
        body, left = _chunked(rest, receive, max_bytes)
    elif length := _field(head, b"content-length"):
        body, left = _counted(length, rest, receive, max_bytes)
    else:
        body, left, keep = _until_closed(rest, receive, max_bytes), b"", False
    return Answer(status, content_type, body, keep and not left, whole)


def _read_head(data: bytes, receive: Callable[[], bytes]) -> tuple[int, bytes, bytes]:
    """Return status and head of the first answer that is not an interim one, and what has come after it."""
    while True:
        while (end := data.find(b"\r\n\r\n")) < 0:
            if len(data) > _MAX_HEAD_BYTES:
                raise Malformed("head without an end")
            data += _more(receive)
        status = _status(data)
        if status >= 200:  # noqa: PLR2004 - below it more is to come
            return status, data[:end], data[end + 4 :]
        data = data[end + 4 :] or _more(receive)


def _counted(length: bytes, rest: bytes, receive: Callable[[], bytes], max_bytes: int) -> tuple[bytes, bytes]:
    """Return the body and what follows it."""
    if not length.isdigit():
        raise Malformed("content-length is no number")
    wanted = int(length)
    if wanted > max_bytes:
        raise Malformed("body too large")
    if len(rest) < wanted:
        parts, got = [rest], len(rest)
        while got < wanted:
            parts.append(_more(receive))
            got += len(parts[-1])
        rest = b"".join(parts)
    return rest[:wanted], rest[wanted:]


def _status(head: bytes) -> int:
    if not head.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")) or not head[9:12].isdigit():
        raise Malformed("not HTTP/1.1")
    return int(head[9:12])


def _field(head: bytes, name: bytes) -> bytes:
    start = head.find(b"\r\n" + name + b":")
    if start < 0:
        return b""
    start += len(name) + 3
    end = head.find(b"\r\n", start)
    return head[start : end if end >= 0 else None].strip()


def _more(receive: Callable[[], bytes]) -> bytes:
    data = receive()
    if not data:
        raise Malformed("closed in the middle of an answer")
    return data


def _until_closed(data: bytes, receive: Callable[[], bytes], max_bytes: int) -> bytes:
    parts, got = [data], len(data)
    while got <= max_bytes and (part := receive()):
        parts.append(part)
        got += len(part)
    if got > max_bytes:
        raise Malformed("body too large")
    return b"".join(parts)


def _chunked(data: bytes, receive: Callable[[], bytes], max_bytes: int) -> tuple[bytes, bytes]:
    """Return the body and what follows it."""
    parts: list[bytes] = []
    got = at = 0
    while True:
        while (end := data.find(b"\r\n", at)) < 0:
            if len(data) - at > _MAX_HEAD_BYTES:
                raise Malformed("chunk without an end")
            data, at = data[at:] + _more(receive), 0
        try:
            size = int(data[at:end].partition(b";")[0], 16)
        except ValueError:
            raise Malformed("chunk without a size") from None
        at = end + 2
        if not size:
            return b"".join(parts), _after_trailers(data[at:], receive)
        got += size
        if size < 0 or got > max_bytes:
            raise Malformed("body too large")
        if len(data) < at + size + 2:
            data, at = data[at:], 0
            while len(data) < size + 2:
                data += _more(receive)
        if data[at + size : at + size + 2] != b"\r\n":
            raise Malformed("chunk longer than its size")
        parts.append(data[at : at + size])
        at += size + 2


def _after_trailers(data: bytes, receive: Callable[[], bytes]) -> bytes:
    while not data.startswith(b"\r\n") and b"\r\n\r\n" not in data:
        if len(data) > _MAX_HEAD_BYTES:
            raise Malformed("trailers without an end")
        data += _more(receive)
    return data[2:] if data.startswith(b"\r\n") else data.partition(b"\r\n\r\n")[2]
