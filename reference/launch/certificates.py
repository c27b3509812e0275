"""A throw-away authority, the proxy's certificate from it, and its word that the certificate still holds."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

AUTHORITY_DAYS = 365
STAPLED_DAYS = 7
"""How long the authority's word holds."""

Word: TypeAlias = Literal["good", "revoked", "stale"]
"""What the authority says of the certificate: that it is good, that it is not, or something long ago."""


def issue(directory: Path, names: Sequence[str], valid_days: tuple[int, int], word: Word) -> None:
    """Write ``ca.pem``, ``server.pem``, ``server.key`` (0600) and ``server.ocsp`` into a folder.

    Args:
        directory: where to.
        names: DNS names and IP addresses that the certificate is for.
        valid_days: first and last day of its validity, counted from now.
        word: what the authority says of it in the OCSP response that the proxy staples.
    """
    now = datetime.now(UTC)
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Reference release, throw-away CA")])
    authority = (
        x509.CertificateBuilder()
        .subject_name(authority_name)
        .issuer_name(authority_name)
        .public_key(authority_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=AUTHORITY_DAYS))
        .not_valid_after(now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
        .issuer_name(authority_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=valid_days[0]))
        .not_valid_after(now + timedelta(days=valid_days[1]))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([general_name(name) for name in names]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        # The certificate promises that its server staples an OCSP response (RFC 7633).
        .add_extension(x509.TLSFeature([x509.TLSFeatureType.status_request]), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    response = said_of(certificate, authority, authority_key, word).public_bytes(serialization.Encoding.DER)
    (directory / "server.ocsp").write_bytes(response)
    (directory / "ca.pem").write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    (directory / "server.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "server.key").touch(mode=0o600)
    (directory / "server.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


def said_of(
    certificate: x509.Certificate, authority: x509.Certificate, key: ec.EllipticCurvePrivateKey, word: Word
) -> ocsp.OCSPResponse:
    """Return an authority's OCSP response about one of its certificates (RFC 6960)."""
    said = datetime.now(UTC) - timedelta(days=2 * STAPLED_DAYS if word == "stale" else 0, minutes=5)
    revoked = word == "revoked"
    return (
        ocsp.OCSPResponseBuilder()
        .add_response(
            certificate,
            authority,
            hashes.SHA1(),  # noqa: S303  it names the certificate, and RFC 5019 knows no other
            ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD,
            said,
            said + timedelta(days=STAPLED_DAYS),
            said if revoked else None,
            x509.ReasonFlags.key_compromise if revoked else None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, authority)
        .sign(key, hashes.SHA256())
    )


def general_name(name: str) -> x509.GeneralName:
    """Return a DNS name or an IP address as X.509 has it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    """Return what a key may be used for."""
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
