"""Stapled OCSP responses, made for the test: what they say, for how long, and who has signed them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fixtures.stapling import Stapled, judged

NOW = datetime(2026, 11, 22, 19, 15, tzinfo=UTC)
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def certificate(
    name: str, issuer: str, key: Key, signed_by: Key, *usages: x509.ObjectIdentifier
) -> x509.Certificate:
    def called(common: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])

    builder = (
        x509.CertificateBuilder()
        .subject_name(called(name))
        .issuer_name(called(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=90))
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.sign(signed_by, hashes.SHA256())


KEYS: dict[str, Key] = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("ca", "leaf", "delegate")}
KEYS["other"] = rsa.generate_private_key(65537, 2048)
CA = certificate("CA", "CA", KEYS["ca"], KEYS["ca"])
OTHER_CA = certificate("CA", "CA", KEYS["other"], KEYS["other"])
LEAF = certificate("shop.example", "CA", KEYS["leaf"], KEYS["ca"])
SECOND = certificate("shop.example", "CA", KEYS["leaf"], KEYS["ca"])
OF_OTHER = certificate("shop.example", "CA", KEYS["leaf"], KEYS["other"])
DELEGATE = certificate("answers", "CA", KEYS["delegate"], KEYS["ca"], ExtendedKeyUsageOID.OCSP_SIGNING)
NOBODY = certificate("answers", "CA", KEYS["delegate"], KEYS["ca"], ExtendedKeyUsageOID.SERVER_AUTH)


def response(
    *,
    about: x509.Certificate = LEAF,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    signer: x509.Certificate = CA,
    key: str = "ca",
) -> ocsp.OCSPResponse:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            about,
            CA,
            hashes.SHA1(),  # noqa: S303  it names the certificate
            status,
            NOW - timedelta(hours=2),
            NOW + timedelta(hours=10),
            NOW if revoked else None,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
    )
    if signer is not CA:
        builder = builder.certificates([signer])
    return builder.sign(KEYS[key], hashes.SHA256())


@pytest.mark.parametrize(
    ("given", "leaf", "says", "why"),
    [
        (response(), LEAF, "good", ""),
        (response(signer=DELEGATE, key="delegate"), LEAF, "good", ""),
        (response(about=OF_OTHER, signer=OTHER_CA, key="other"), OF_OTHER, "good", ""),
        (response(status=ocsp.OCSPCertStatus.REVOKED), LEAF, "revoked", ""),
        (response(status=ocsp.OCSPCertStatus.UNKNOWN), LEAF, "unknown", ""),
        (response(about=SECOND), LEAF, "good", "another certificate"),
        (response(signer=NOBODY, key="delegate"), LEAF, "good", "not signed by the certificate's authority"),
        (response(signer=OTHER_CA, key="other"), LEAF, "good", "not signed by the certificate's authority"),
        (
            ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER),
            LEAF,
            "try later",
            "",
        ),
        (None, LEAF, "nothing", ""),
    ],
)
def test_response(given: ocsp.OCSPResponse | None, leaf: x509.Certificate, says: str, why: str) -> None:
    said, distrusted, age_s, left_s = judged(given, leaf, [OTHER_CA, CA], NOW)

    assert said == says
    assert (why in distrusted) if why else not distrusted
    if says in {"good", "revoked", "unknown"}:
        assert (age_s, left_s) == (7200, 36_000)


def test_authority_that_is_not_known() -> None:
    _, distrusted, *_ = judged(response(), LEAF, [OTHER_CA], NOW)

    assert "is not known" in distrusted


@pytest.mark.parametrize(
    ("age_hours", "hours_left", "fresh"),
    [
        (2, 10, True),
        (200, -1, False),
        (239, None, True),
        (241, None, False),
        (-1, 10, False),
        (-0.05, 10, True),
    ],
)
def test_fresh(age_hours: float, hours_left: float | None, *, fresh: bool) -> None:
    assert Stapled("shop.example:443", "good", "", age_hours, hours_left, 1, "").is_fresh is fresh
