"""Small real servers that misbehave exactly as a test asks them to."""

from __future__ import annotations

import json
import select
import socket
import ssl
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPMethod
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Server:
    """A running server.

    Attributes:
        host: where it listens.
        port: where it listens.
        scheme: ``http`` or ``https``.
        connections: how many it has accepted.
        stopped: set when the test is over, for handlers that hang until then.
    """

    port: int
    scheme: str
    host: str = "127.0.0.1"
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


@contextmanager
def serving(
    handle: Callable[[Server, socket.socket], None], tls: ssl.SSLContext | None = None
) -> Iterator[Server]:
    """Serve on a free port; ``handle`` gets each connection, in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(listener.getsockname()[1], "https" if tls else "http")
    threads: list[threading.Thread] = []

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                server.connections += 1
                threads.append(threading.Thread(target=talk, args=(connection,), daemon=True))
                threads[-1].start()

    def talk(connection: socket.socket) -> None:
        with suppress(OSError):
            spoken = tls.wrap_socket(connection, server_side=True) if tls else connection
            with spoken:
                handle(server, spoken)
        connection.close()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        server.stopped.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()
        for thread in threads:
            thread.join(5)


@contextmanager
def silent() -> Iterator[int]:
    """Yield a port that accepts no connection: others fill its queue."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as others:
        for _ in range(8):
            other = others.enter_context(socket.socket())
            other.settimeout(0)
            other.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def read_request(connection: socket.socket) -> tuple[str, str, dict[str, str], bytes] | None:
    """Return method, target, headers (lower case) and body of one request, or ``None`` at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        more = connection.recv(65536)
        if not more:
            return None
        body += more
    return method, target, headers, body


def reset(connection: socket.socket) -> None:
    """Close a connection with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


def response(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
    """Return a whole response."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def json_response(status: int, document: Any, headers: dict[str, str] | None = None) -> bytes:
    """Return a whole response with a JSON body."""
    return response(
        status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})}
    )


def application(answer: Callable[[str, str, dict[str, str], bytes], bytes | None]) -> Any:
    """Return a handler that keeps connections open; an answer of ``None`` hangs until the test is over.

    What is answered to HEAD is sent without its body, and a method that HTTP does not have is answered 501.
    """

    def handle(server: Server, connection: socket.socket) -> None:
        while not server.stopped.is_set():
            if not select.select([connection], [], [], 0.05)[0]:
                continue
            request = read_request(connection)
            if request is None:
                return
            is_known = request[0] in HTTPMethod.__members__
            answered = answer(*request) if is_known else response(501)
            if answered is None:
                server.stopped.wait(30)
                return
            head, end, _ = answered.partition(b"\r\n\r\n")
            connection.sendall(head + end if request[0] == "HEAD" else answered)

    return handle


# ---------------------------------------------------------------- certificates


@dataclass(frozen=True)
class Authority:
    """An authority of the tests' own, and the PEM file by which it is trusted."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    file: Path

    @classmethod
    def make(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the tests")])
        certificate = (
            _builder(name, name, key, days=30)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        file = folder / "authority.pem"
        file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(key, certificate, file)

    def context(self, folder: Path, *hosts: str, days: int = 30) -> ssl.SSLContext:
        """Return a server's context with a certificate for some hosts, expired if ``days`` is negative."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
        names = [
            x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host) for host in hosts
        ]
        certificate = (
            _builder(name, self.certificate.subject, key, days=days)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        file = folder / f"{hosts[0]}.{days}.pem"
        file.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _builder(
    name: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, *, days: int
) -> x509.CertificateBuilder:
    ends = datetime.now(UTC) + timedelta(days=days)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=60))
        .not_valid_after(ends)
    )
