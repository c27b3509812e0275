"""The transport, seen from servers that are broken in one way each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from fixtures.environment import Environment
from fixtures.observation import Absent, CannotObserve, NoAnswer, NotRequired
from fixtures.release import Release
from fixtures.run import Run
from fixtures.tls import Heard, Transport, weakness
from tests.probes.servers import Authority, application, free_port, response, serving

if TYPE_CHECKING:
    from pathlib import Path

from datetime import UTC, datetime

RELEASE = Release.model_validate({"version": "1", "health": {"path": "/health", "text": "ok"}})
REDIRECT = {"Location": "https://shop.example/health"}


class Anybody:
    def require(self) -> None: ...


def transport(tmp_path: Path, absent: dict[str, str] | None = None, /, **api: Any) -> Transport:
    environment = Environment.model_validate(
        {
            "name": "tried",
            "release": "1",
            "identity": {"unproven": "a test"},
            "api": api,
            "absent": absent or {},
            "limits": {"request_timeout_s": 2},
        }
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir(mode=0o700)
    run = Run("20261122T191500Z-3fa9", scratch, datetime(2026, 11, 22, 19, 15, tzinfo=UTC))
    return Transport(environment, RELEASE, run, Anybody())  # type: ignore[arg-type]  # proves nothing


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.make(tmp_path_factory.mktemp("authority"))


def answering(status: int, headers: dict[str, str] | None = None) -> Any:
    return application(lambda *_: response(status, b"ok", headers))


@pytest.mark.parametrize(
    ("suite", "bits", "why"),
    [
        ("TLS_AES_128_GCM_SHA256", None, ""),
        ("TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256", None, ""),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 2048, ""),
        ("TLS_DHE_RSA_WITH_AES_128_GCM_SHA256", 1024, "1024 bits"),
        ("TLS_RSA_WITH_AES_128_GCM_SHA256", None, "no forward secrecy"),
        ("TLS_ECDHE_RSA_WITH_3DES_EDE_CBC_SHA", None, "64-bit"),
        ("TLS_ECDHE_RSA_WITH_RC4_128_SHA", None, "broken"),
        ("TLS_ECDH_anon_WITH_AES_128_CBC_SHA", None, "no certificate"),
        ("TLS_ECDHE_ECDSA_WITH_NULL_SHA", None, "no encryption"),
    ],
)
def test_weakness(suite: str, bits: int | None, why: str) -> None:
    found = weakness(suite, bits)

    assert (why in found) if why else not found


@pytest.mark.parametrize(
    ("what", "status", "location", "served"),
    [
        ("refused", 0, "", False),
        ("silent", 0, "", False),
        ("answered", 200, "", True),
        ("answered", 401, "", True),
        ("answered", 403, "", False),
        ("answered", 404, "", False),
        ("answered", 502, "", True),
        ("answered", 301, "https://shop.example/", False),
        ("answered", 301, "http://shop.example/", True),
    ],
)
def test_served(what: Any, status: int, location: str, served: bool) -> None:
    assert Heard("http://shop.example/", what, status, location, (), "").is_served is served


def test_address_behind_the_proxy_is_found_whatever_its_certificate(
    tmp_path: Path, authority: Authority
) -> None:
    with serving(answering(200), authority.context(tmp_path, "other.example.org")) as behind:
        probe = transport(tmp_path, url="https://shop.example", direct=[behind.url])
        (heard,) = probe.around()

    assert heard.is_served


@pytest.mark.parametrize(
    ("status", "headers", "served"), [(200, None, True), (403, None, False), (301, REDIRECT, False)]
)
def test_address_behind_the_proxy(
    tmp_path: Path, status: int, headers: dict[str, str] | None, served: bool
) -> None:
    with serving(answering(status, headers)) as behind:
        (heard,) = transport(tmp_path, url="https://shop.example", direct=[behind.url]).around()

    assert (heard.status, heard.is_served) == (status, served)


def test_closed_address_behind_the_proxy(tmp_path: Path) -> None:
    closed = f"http://127.0.0.1:{free_port()}"
    (heard,) = transport(tmp_path, url="https://shop.example", direct=[closed]).around()

    assert heard.what == "refused"


def test_no_address_behind_the_proxy_is_declared(tmp_path: Path) -> None:
    with pytest.raises(NotRequired, match=r"not observed: .*api\.direct, or say in absent\.direct_address"):
        transport(tmp_path, url="https://shop.example").around()


def test_there_is_no_address_behind_the_proxy(tmp_path: Path) -> None:
    absent = {"direct_address": "the proxy and the service share one machine"}
    with pytest.raises(Absent, match="share one machine"):
        transport(tmp_path, absent, url="https://shop.example").around()


def test_nothing_is_said_through_a_forward_proxy(tmp_path: Path) -> None:
    probe = transport(
        tmp_path, url="https://shop.example", direct=["http://127.0.0.1:1"], proxy="http://127.0.0.1:2"
    )
    with pytest.raises(CannotObserve, match="only what the proxy lets through"):
        probe.around()


def test_address_without_tls(tmp_path: Path) -> None:
    with pytest.raises(NoAnswer, match="an address without TLS"):
        transport(tmp_path, url="http://shop.example").certificate("api")


def test_certificate_of_another_host_is_described(tmp_path: Path, authority: Authority) -> None:
    with serving(answering(200), authority.context(tmp_path, "other.example.org")) as server:
        shown = transport(tmp_path, url=server.url, ca_file=str(authority.file)).certificate("api")

    assert "mismatch" in shown.why_distrusted
    assert shown.names == ("other.example.org",)


def test_good_certificate(tmp_path: Path, authority: Authority) -> None:
    with serving(answering(200), authority.context(tmp_path, "127.0.0.1")) as server:
        shown = transport(tmp_path, url=server.url, ca_file=str(authority.file)).certificate("api")

    assert (shown.why_distrusted, shown.weakness) == ("", "")
    assert shown.days_left > 0


def test_plain_http_on_the_plain_and_on_the_tls_port(tmp_path: Path, authority: Authority) -> None:
    with (
        serving(answering(200), authority.context(tmp_path, "127.0.0.1")) as server,
        serving(answering(200)) as plain,
    ):
        probe = transport(tmp_path, url=server.url, plain_url=plain.url, ca_file=str(authority.file))
        on_plain, on_tls = probe.without_tls("api")

    assert on_plain.is_served
    assert not on_tls.is_served
