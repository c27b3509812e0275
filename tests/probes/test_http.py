"""One request against servers that misbehave: an answer, or one clear reason within the deadline."""

from __future__ import annotations

import shlex
import socket
import subprocess
import time
from typing import TYPE_CHECKING, Any

import pytest

from fixtures.http import Content, HttpProbe, Line, Request, SecretHeader
from fixtures.observation import CannotObserve, NoAnswer
from fixtures.run import Raised
from tests.probes.servers import (
    Authority,
    Server,
    application,
    free_port,
    json_response,
    read_request,
    reset,
    response,
    serving,
    silent,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.probes.conftest import Ask

TIMEOUT_S = 0.4
"""What the tests' environment allows a request."""


def hangs(server: Server, connection: socket.socket) -> None:
    read_request(connection)
    server.stopped.wait(30)


def resets(_server: Server, connection: socket.socket) -> None:
    read_request(connection)
    reset(connection)


def closes(_server: Server, connection: socket.socket) -> None:
    read_request(connection)


def _sends(*pieces: bytes, every_s: float = 0.0) -> Callable[[Server, socket.socket], None]:
    def handle(server: Server, connection: socket.socket) -> None:
        read_request(connection)
        for piece in pieces:
            connection.sendall(piece)
            if every_s and server.stopped.wait(every_s):
                return

    return handle


HEADER = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
drips_header = _sends(*(bytes([byte]) for byte in HEADER), every_s=0.05)
drips_body = _sends(HEADER, *[b"x"] * 1000, every_s=0.05)
stalls = _sends(HEADER, b"some", b"", every_s=20)
truncates = _sends(HEADER, b"x" * 10)
truncates_chunks = _sends(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"5\r\nabc")
breaks_header = _sends(b"HTTP/1.1 200 OK\r\nContent-Le")
speaks_ssh = _sends(b"SSH-2.0-OpenSSH_9.2\r\n")
speaks_ssh_and_waits = _sends(b"SSH-2.0-OpenSSH_9.2\r\n", b"", every_s=20)
endless_header = _sends(b"HTTP/1.1 200 OK\r\n", *[b"X-Long: " + b"x" * 10_000 + b"\r\n"] * 20)


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        pytest.param(resets, "reset the connection without an answer", id="resets"),
        pytest.param(closes, "closed the connection without an answer", id="closes"),
        pytest.param(hangs, "did not answer within 0.4 s", id="hangs"),
        pytest.param(drips_header, "did not finish its answer", id="drips its header"),
        pytest.param(drips_body, "did not finish its answer", id="drips its body"),
        pytest.param(stalls, "did not finish its answer (41 bytes came) within 0.4 s", id="stalls"),
        pytest.param(truncates, "truncated its answer (10 bytes of 1000 came)", id="truncates"),
        pytest.param(truncates_chunks, "truncated its answer", id="truncates chunks"),
        pytest.param(breaks_header, "broke off its answer within the header", id="breaks its header"),
        pytest.param(
            speaks_ssh, "does not speak HTTP: it sent 'SSH-2.0-OpenSSH_9.2'", id="speaks another protocol"
        ),
        pytest.param(speaks_ssh_and_waits, "does not speak HTTP: it sent 'SSH-2", id="speaks it and waits"),
        pytest.param(endless_header, "does not speak proper HTTP", id="endless header"),
    ],
)
def test_target_that_does_not_answer_properly_is_named_with_its_reason(
    handle: Callable[[Server, socket.socket], None], reason: str, ask: Ask
) -> None:
    with serving(handle) as server:
        began = time.monotonic()
        with pytest.raises(NoAnswer) as raised:
            ask(server, "/some/path")

    assert raised.value.component == "api"
    assert raised.value.address == f"{server.url}/some/path"
    assert reason in raised.value.reason
    assert time.monotonic() - began < TIMEOUT_S + 2  # it ended long before the server would have


def test_refused_connection_names_the_origin(ask: Ask) -> None:
    port = free_port()

    with pytest.raises(NoAnswer) as raised:
        ask(f"http://127.0.0.1:{port}", "/some/path")

    assert str(raised.value) == f"api at http://127.0.0.1:{port} refused the connection"


def test_server_that_accepts_no_connection(ask: Ask) -> None:
    with silent() as port, pytest.raises(NoAnswer, match=r"did not accept a connection within 0\.4 s"):
        ask(f"http://127.0.0.1:{port}")


def test_name_that_does_not_resolve_is_our_matter(ask: Ask) -> None:
    with pytest.raises(CannotObserve, match=r"the name nowhere.invalid d"):
        ask("https://nowhere.invalid", limits={"request_timeout_s": 10})


def test_slow_resolver_does_not_outlast_the_deadline(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    released: list[bool] = []

    def resolve(*_arguments: Any, **_options: Any) -> Any:
        while not released:
            time.sleep(0.02)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr("socket.getaddrinfo", resolve)
    try:
        with pytest.raises(CannotObserve, match=r"did not resolve within 0.4 s"):
            ask("https://slow.invalid")
    finally:
        released.append(True)


def test_second_address_is_tried_and_a_refusal_is_told_rather_than_a_missing_route(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("255.255.255.255", 9))

    with serving(application(lambda *_: response(200))) as server:
        good = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [unreachable, good])
        assert ask("http://both.example").status == 200

    refused = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", free_port()))
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [refused, unreachable])
    with pytest.raises(NoAnswer, match="refused the connection"):
        ask("http://both.example")

    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: [unreachable])
    with pytest.raises(CannotObserve, match="cannot be reached from here"):
        ask("http://both.example")


# ---------------------------------------------------------------- TLS


def test_valid_certificate(ask: Ask, authority: Authority, tmp_path: Path) -> None:
    with serving(
        application(lambda *_: response(200, b"ok")), authority.context(tmp_path, "127.0.0.1")
    ) as server:
        answer = ask(server, api={"ca_file": str(authority.file)})

    assert (answer.status, answer.body) == (200, b"ok")
    assert f"--cacert {authority.file}" in answer.curl


@pytest.mark.parametrize(
    ("host", "days", "reason"),
    [
        ("other.example", 30, "shows a certificate for other.example, not for 127.0.0.1"),
        ("127.0.0.2", 30, "shows a certificate for 127.0.0.2, not for 127.0.0.1"),
        ("127.0.0.1", -2, "shows a certificate that expired on 20"),
    ],
)
def test_wrong_certificate_says_what_is_wrong_with_it(
    host: str, days: int, reason: str, ask: Ask, authority: Authority, tmp_path: Path
) -> None:
    with (
        serving(hangs, authority.context(tmp_path, host, days=days)) as server,
        pytest.raises(NoAnswer) as raised,
    ):
        ask(server, "/path", api={"ca_file": str(authority.file)}, limits={"request_timeout_s": 5})

    assert reason in raised.value.reason
    assert raised.value.address == server.url


def test_unknown_authority_is_not_trusted(ask: Ask, authority: Authority, tmp_path: Path) -> None:
    with (
        serving(hangs, authority.context(tmp_path, "127.0.0.1")) as server,
        pytest.raises(
            NoAnswer,
            match=r"cannot be trusted \(.+\); if the authority is your own, name its file in ca_file",
        ),
    ):
        ask(server, limits={"request_timeout_s": 5})


def test_plain_http_where_tls_is_expected(ask: Ask) -> None:
    def handle(_server: Server, connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(response(400, b"plain HTTP"))

    with serving(handle) as server, pytest.raises(NoAnswer, match="does not speak TLS on this port"):
        ask(f"https://127.0.0.1:{server.port}", limits={"request_timeout_s": 5})


def test_handshake_that_hangs(ask: Ask) -> None:
    def handle(server: Server, _connection: socket.socket) -> None:
        server.stopped.wait(30)

    with (
        serving(handle) as server,
        pytest.raises(NoAnswer, match=r"did not finish the TLS handshake within 0.4 s"),
    ):
        ask(f"https://127.0.0.1:{server.port}")


def test_ca_file_that_cannot_be_read_is_our_matter(ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(CannotObserve, match=r"ca_file .* cannot be read"):
        ask("https://127.0.0.1:1", api={"ca_file": str(tmp_path / "missing.pem")})


# ---------------------------------------------------------------- answers


def test_answer_is_a_fact_however_bad_it_is(ask: Ask) -> None:
    with serving(application(lambda *_: response(503, b"busy", {"X-A": "1", "x-b": "2"}))) as server:
        answer = ask(server, "/path")

    assert (answer.status, answer.text, answer.header("X-B"), answer.header("x-a")) == (503, "busy", "2", "1")
    assert answer.header("x-c") is None
    assert answer.complete
    assert 0 < answer.elapsed_ms < TIMEOUT_S * 1000
    assert "busy" not in repr(answer)


def test_redirect_is_an_answer_and_is_not_followed(ask: Ask) -> None:
    paths: list[str] = []

    def loop(_method: str, path: str, *_: object) -> bytes:
        paths.append(path)
        return response(302, headers={"Location": "/again"})

    with serving(application(loop)) as server:
        answer = ask(server, "/first")

    assert answer.status == 302
    assert answer.redirects_to == f"{server.url}/again"
    assert paths == ["/first"]


def test_body_above_the_cap_is_cut_and_says_so(ask: Ask) -> None:
    with serving(_sends(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x" * 100_000)) as server:
        answer = ask(server, limits={"response_max_bytes": 1024})

    assert len(answer.body) == 1024
    assert not answer.complete


def test_too_many_requests_are_our_matter(ask: Ask) -> None:
    with (
        serving(application(lambda *_: response(429, headers={"Retry-After": "60"}))) as server,
        pytest.raises(CannotObserve, match="answered 429"),
    ):
        ask(server)


def test_headers_of_every_request(line_to: Callable[..., Line], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERIFICATION_KEY", "canary-verification")
    seen: list[dict[str, str]] = []

    def answer(_method: str, _path: str, headers: dict[str, str], _body: bytes) -> bytes:
        seen.append(headers)
        return response(200)

    rate = {"verification": {"header": "X-Verify", "value": "env:VERIFICATION_KEY"}}
    with serving(application(answer)) as server:
        answered = line_to(server, rate=rate).exchange(Request("GET", "/"))

    assert seen[0]["x-verify"] == "canary-verification"
    assert seen[0]["user-agent"] == "gonogo (gonogo-20261122T191500Z-3fa9)"
    assert seen[0]["x-tenant"] == "t"
    assert '-H "X-Verify: $VERIFICATION"' in answered.curl
    assert "canary" not in answered.curl


def test_path_and_query_are_written_as_http_wants_them(line_to: Callable[..., Line]) -> None:
    seen: list[str] = []

    def answer(_method: str, target: str, *_: object) -> bytes:
        seen.append(target)
        return response(200)

    with serving(application(answer)) as server:
        line_to(server).exchange(Request("GET", "/übung/a b/%2Fc", {"active": True, "q": "ü&x", "n": 5}))

    assert seen == ["/%C3%BCbung/a%20b/%2Fc?active=true&q=%C3%BC%26x&n=5"]


def test_token_that_no_header_can_carry_is_not_sent_and_not_quoted(
    line_to: Callable[..., Line],
) -> None:
    secret = SecretHeader("Authorization", "two\r\nlines", "")
    with (
        serving(hangs) as server,
        pytest.raises(CannotObserve, match="characters that HTTP forbids") as raised,
    ):
        line_to(server).exchange(Request("GET", "/", secrets=(secret,)))

    assert secret.value not in str(raised.value)


# ---------------------------------------------------------------- connections


def test_connection_is_kept_for_reading_and_new_for_writing(line_to: Callable[..., Line]) -> None:
    with serving(application(lambda *_: response(200))) as server:
        line = line_to(server)
        for _ in range(3):
            line.exchange(Request("GET", "/"))
        assert server.connections == 1
        for _ in range(2):
            line.exchange(Request("POST", "/", content=Content.json({})))
        assert server.connections == 3


@pytest.mark.parametrize("farewell", [reset, socket.socket.close], ids=["reset", "closed"])
@pytest.mark.parametrize("late", [False, True], ids=["before", "as the request arrives"])
def test_connection_that_the_server_has_ended_meanwhile_is_no_failure(
    farewell: Callable[[socket.socket], None], late: bool, line_to: Callable[..., Line]
) -> None:
    """A server may end an idle connection at any moment, also while the next request is on its way."""

    def handle(server: Server, connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(response(200, b"%d" % server.connections))
        if late and server.connections == 1:
            read_request(connection)
        farewell(connection)

    with serving(handle) as server:
        line = line_to(server)
        assert line.exchange(Request("GET", "/")).body == b"1"
        if not late:
            time.sleep(0.05)
        assert line.exchange(Request("GET", "/")).body == b"2"


def test_nothing_else_is_tried_twice(line_to: Callable[..., Line]) -> None:
    with serving(closes) as server:
        with pytest.raises(NoAnswer):
            line_to(server).exchange(Request("GET", "/"))
        assert server.connections == 1


def test_early_answer_to_a_body_that_is_not_read(line_to: Callable[..., Line]) -> None:
    def handle(_server: Server, connection: socket.socket) -> None:
        connection.recv(1024)
        connection.sendall(response(413, b"too large", {"Connection": "close"}))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass

    with serving(handle) as server:
        content = Content(b"x" * 3_000_000, "text/plain", "x")
        assert line_to(server).exchange(Request("POST", "/", content=content)).status == 413


# ---------------------------------------------------------------- our own side


def test_timeout_is_ours_when_the_control_address_is_silent_too(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.http.CONTROL_TIMEOUT_S", 0.1)
    with (
        serving(hangs) as server,
        silent() as port,
        pytest.raises(CannotObserve, match=r"the control address .* is silent too"),
    ):
        ask(server, api={"control": f"http://127.0.0.1:{port}"})


@pytest.mark.parametrize("listens", [True, False])
def test_timeout_is_the_targets_when_the_control_address_answers(listens: bool, ask: Ask) -> None:
    """A refusal is an answer, too: it came over the network."""
    with serving(hangs) as server, serving(closes) as control:
        port = control.port if listens else free_port()
        with pytest.raises(NoAnswer, match="did not answer within"):
            ask(server, api={"control": f"http://127.0.0.1:{port}"})


def test_proxy_that_refuses_is_our_matter(ask: Ask) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"

    for url in ("http://target.example", "https://target.example"):
        with pytest.raises(CannotObserve, match=f"the proxy {proxy} refused the connection"):
            ask(url, api={"proxy": proxy})


@pytest.mark.parametrize(
    ("handle", "reason"),
    [
        (hangs, "did not answer within"),
        (resets, "reset the connection"),
        (application(lambda *_: response(407)), "407"),
        (application(lambda *_: response(502)), "502"),
    ],
)
def test_proxy_that_does_not_connect_us_is_our_matter(
    handle: Callable[[Server, socket.socket], None], reason: str, ask: Ask
) -> None:
    with serving(handle) as proxy, pytest.raises(CannotObserve) as raised:
        ask("https://target.example", api={"proxy": proxy.url})

    assert f"the proxy {proxy.url}" in raised.value.got
    assert reason in raised.value.got


def test_behind_a_proxy_the_target_speaks_for_itself(ask: Ask, authority: Authority, tmp_path: Path) -> None:
    """Once the tunnel stands and TLS begins, a fault is the target's again."""

    def tunnel(_server: Server, connection: socket.socket) -> None:
        request = read_request(connection)
        assert request is not None
        assert request[0] == "CONNECT"
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        context = authority.context(tmp_path, "target.example")
        with context.wrap_socket(connection, server_side=True) as inner:
            asked = read_request(inner)
            if asked and asked[1] == "/good":
                inner.sendall(response(200, b"through"))

    with serving(tunnel) as proxy:
        api = {"proxy": proxy.url, "ca_file": str(authority.file)}
        slow = {"request_timeout_s": 5}
        assert ask("https://target.example", "/good", api=api, limits=slow).body == b"through"
        with pytest.raises(NoAnswer, match="closed the connection without an answer"):
            ask("https://target.example", "/bad", api=api, limits=slow)
        with pytest.raises(NoAnswer, match="certificate"):
            ask("https://other.example", "/good", api=api, limits=slow)


# ---------------------------------------------------------------- by hand


def test_the_line_by_hand_sends_the_same_request_in_a_real_shell(line_to: Callable[..., Line]) -> None:
    """The guide's own example quotes its password so that no shell expands it."""
    seen: list[tuple[str, str, dict[str, str], bytes]] = []

    def answer(*request: Any) -> bytes:
        seen.append(request)
        return response(200)

    document = {"name": 'it\'s "quoted"', "password": "canary-password"}
    shown = {**document, "password": "@@PASSWORD@@"}
    request = Request(
        "POST",
        "/sign-in",
        {"q": "a b&c'd"},
        secrets=(SecretHeader("Authorization", "Bearer canary-token", "Bearer @@TOKEN@@"),),
        content=Content.json(document, shown),
    )
    with serving(application(answer)) as server:
        line = line_to(server).exchange(request).curl
        assert "canary" not in line
        subprocess.run(
            ["bash", "-c", line],
            check=True,
            env={"PATH": "/usr/bin:/bin", "PASSWORD": "canary-password", "TOKEN": "canary-token"},
        )

    (method, target, headers, body), by_hand = seen
    assert by_hand[:2] == (method, target)
    assert by_hand[3] == body
    assert by_hand[2]["authorization"] == headers["authorization"] == "Bearer canary-token"
    assert by_hand[2]["content-type"] == headers["content-type"] == "application/json"


def test_the_usual_line_reads_well(ask: Ask) -> None:
    with serving(application(lambda *_: response(200))) as server:
        line = ask(server, "/api/v1/health").curl

    assert line == f"curl --fail-with-body -sS '{server.url}/api/v1/health'"
    assert shlex.split(line)[-1] == f"{server.url}/api/v1/health"


# ---------------------------------------------------------------- the probe


def probe_of(line: Line, log: list[str]) -> HttpProbe:
    def permit(method: str, _url: str, *, own: bool) -> None:
        log.append(f"permit {method} {own}")

    return HttpProbe(
        line,
        before=lambda: log.append("identity"),
        authorise=lambda role: (
            SecretHeader("Authorization", f"Bearer token-of-{role}", "Bearer @@TOKEN@@"),
        ),
        permit=permit,  # type: ignore[arg-type]  # the gate's own tests are elsewhere
        open_path="/health",
    )


def test_the_gates_stand_before_every_request_but_health(line_to: Callable[..., Line]) -> None:
    with serving(application(lambda *_: response(200))) as server:
        log: list[str] = []
        probe = probe_of(line_to(server), log)
        probe.get("/health")
        assert log == []
        probe.get("/health", role="admin")
        probe.get("/orders")
        assert log == ["identity", "identity"]
        probe.send("DELETE", "/orders/1")
        assert log[2:] == ["identity", "permit DELETE False"]


def test_many_observations_run_at_once_and_keep_their_order(line_to: Callable[..., Line]) -> None:
    def answer(_method: str, path: str, *_: object) -> bytes:
        time.sleep(0.02)
        return json_response(200, path) if path != "/7" else b"nonsense\r\n\r\n"

    with serving(application(answer)) as server:
        probe = probe_of(line_to(server, concurrency=10), [])
        began = time.monotonic()
        facts = probe.observe_many(lambda path: probe.get(path).json(), [f"/{n}" for n in range(40)])
        elapsed_s = time.monotonic() - began

    assert isinstance(facts[7], Raised)
    assert [fact for n, fact in enumerate(facts) if n != 7] == [f"/{n}" for n in range(40) if n != 7]
    assert server.connections <= 11
    assert elapsed_s < 40 * 0.02  # one after the other takes longer
