"""A connection of one simulated user: request bytes out, one judged answer back. Runs under gevent only."""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from gevent import socket
from gevent.ssl import SSLContext, create_default_context

from load.http1 import Answer, Malformed, read_answer

_RECEIVE_BYTES = 65_536


class NoUsableAnswer(Exception):
    """The target gave no whole answer; the text says what it did, in a few words that can be counted."""


@dataclass(frozen=True)
class Peer:
    """Where requests go.

    Attributes:
        authority: for the Host header.
        tls: ``None`` for plain HTTP.
    """

    host: str
    port: int
    authority: str
    tls: SSLContext | None
    timeout_s: float
    max_bytes: int

    @classmethod
    def of(cls, base_url: str, ca_file: str | None, timeout_s: float, max_bytes: int) -> Peer:
        """Read the address and load the certificate authority."""
        parts = urlsplit(base_url)
        secure = parts.scheme == "https"
        return cls(
            host=parts.hostname or "",
            port=parts.port or (443 if secure else 80),
            authority=parts.netloc,
            tls=create_default_context(cafile=ca_file) if secure else None,
            timeout_s=timeout_s,
            max_bytes=max_bytes,
        )


class Connection:
    """Kept open between requests, as a browser's. Not for two greenlets at once."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._socket: socket.socket | None = None
        self._deadline = 0.0
        self._heard = False

    def exchange(self, method: str, raw: bytes) -> Answer:
        """Send a request and return the whole answer, within the peer's timeout in all.

        A kept connection that the target closed between two requests is opened again once, where the
        method allows to ask twice (RFC 9110, 9.2.2).

        Raises:
            NoUsableAnswer: refused, reset, too late, or broken.
        """
        kept = self._socket is not None
        self._deadline = time.perf_counter() + self._peer.timeout_s
        try:
            return self._exchange(method, raw)
        except (Malformed, ConnectionError) as error:
            self.close()
            if not (kept and not self._heard and method in {"GET", "HEAD", "OPTIONS"}):
                raise NoUsableAnswer(_words(error)) from None
        except OSError as error:
            self.close()
            raise NoUsableAnswer(_words(error)) from None
        except (
            BaseException
        ):  # the greenlet is being killed: the rest of an answer must not meet the next request
            self.close()
            raise
        try:
            return self._exchange(method, raw)
        except (Malformed, OSError) as error:
            self.close()
            raise NoUsableAnswer(_words(error)) from None

    def close(self) -> None:
        """Close it; the next exchange opens another."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _exchange(self, method: str, raw: bytes) -> Answer:
        self._heard = False
        if self._socket is None:
            self._socket = self._open()
        self._socket.settimeout(self._left())
        self._socket.sendall(raw)
        answer = read_answer(self._receive, method, self._peer.max_bytes)
        if not answer.keep:
            self.close()
        return answer

    def _open(self) -> socket.socket:
        peer = self._peer
        plain = socket.create_connection((peer.host, peer.port), timeout=self._left())
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if peer.tls is None:
            return plain
        try:
            return peer.tls.wrap_socket(plain, server_hostname=peer.host)
        except BaseException:
            plain.close()
            raise

    def _receive(self) -> bytes:
        assert self._socket is not None
        if self._heard:
            self._socket.settimeout(self._left())
        data: bytes = self._socket.recv(_RECEIVE_BYTES)
        self._heard = self._heard or bool(data)
        return data

    def _left(self) -> float:
        left = self._deadline - time.perf_counter()
        if left <= 0:
            raise TimeoutError
        return left


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "no whole answer in time"),
    (ConnectionRefusedError, "refused the connection"),
    (ConnectionResetError, "reset the connection"),
    (BrokenPipeError, "reset the connection"),
)


def _words(error: Exception) -> str:
    """Return a few words that do not differ from one request to the next."""
    if isinstance(error, Malformed):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    told = getattr(error, "strerror", None) or type(error).__name__
    return next((words for kind, words in _WORDS if isinstance(error, kind)), told)
