"""A small system that issues tokens and takes them, soundly or not, and everything needed to probe it."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from fixtures.access import Access
from fixtures.forgery import Forgery
from tests.probes.servers import application, json_response, serving
from tests.probes.shop import Shop, environment, released, world

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

KEY = "k" * 64
OPAQUE = "canary-opaque-0123456789"
PRIVATE = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
ENDPOINT = {"name": "me", "method": "GET", "path": "/me", "kind": "read", "role": "clerk"}


def pem_of(key: rsa.RSAPrivateKey) -> str:
    """Return a private key as a secret store holds it."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def sound(token: str) -> int:
    """Take what the shared key has signed."""
    return by(KEY, "HS256")(token)


def by(key: Any, *algorithms: str, require: Sequence[str] = ()) -> Callable[[str], int]:
    """Return a rule that takes tokens of some algorithms."""

    def verify(token: str) -> int:
        try:
            jwt.decode(token, key, list(algorithms), options={"require": list(require)})
        except jwt.InvalidTokenError:
            return 401
        return 200

    return verify


@dataclass
class Issuer:
    """The system.

    Attributes:
        takes: returns the status that a token is answered with.
        token: what a sign-in gives; without it a JSON Web Token.
        algorithm: by which it is signed.
        serves: documents by path.
        asked: how often each path was asked.
    """

    takes: Callable[[str], int] = sound
    token: str = ""
    algorithm: str = "HS256"
    serves: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def answer(self, method: str, path: str, headers: dict[str, str], _: bytes) -> bytes:
        self.asked.append(f"{method} {path}")
        if path == "/health":
            return json_response(200, {"status": "ok", "environment": "tried"})
        if path == "/login":
            return json_response(200, {"access_token": self.token or self.issued(), "token_type": "bearer"})
        if path != "/me":
            return json_response(200 if path in self.serves else 404, self.serves.get(path))
        status = self.takes(headers.get("authorization", "").removeprefix("Bearer "))
        return json_response(status, {"detail": "so"})

    def issued(self) -> str:
        claims = {"sub": "clerk", "iat": int(time.time()), "exp": int(time.time()) + 600}
        key = PRIVATE if self.algorithm == "RS256" else KEY
        return jwt.encode(claims, key, self.algorithm, {"kid": "one"})


@contextmanager
def forging(folder: Path, issuer: Issuer, *, format_: str = "jwt", **parts: Any) -> Iterator[Forgery]:
    """Serve the system, and yield what presents forged tokens to it."""
    with probing(folder, issuer, format_=format_, **parts) as (access, common):
        yield Forgery(access=access, **common)


@contextmanager
def probing(
    folder: Path,
    issuer: Issuer,
    *,
    format_: str = "jwt",
    sign_in: Mapping[str, object] | None = None,
    **parts: Any,
) -> Iterator[tuple[Access, dict[str, Any]]]:
    """Serve the system, and yield what asks to be let in, with the parts that other probes are made of."""
    described_sign_in = {
        "path": "/login",
        "body": {"username": "{username}", "password": "{password}"},
        "token": "access_token",
        "role": "clerk",
        "format": format_,
        **(sign_in or {}),
    }
    release = released(sign_in=described_sign_in, endpoints=[ENDPOINT], records={})
    limits = {"request_timeout_s": 5}
    with (
        serving(application(issuer.answer)) as server,
        world(folder, Shop(), url=server.url, release=release, limits=limits, **parts) as made,
    ):
        described = environment(server.url, limits=limits, **parts)
        common: dict[str, Any] = {
            "api": made.api,
            "environment": described,
            "release": release,
            "run": made.run,
            "vault": made.vault,
            "tokens": made.tokens,
        }
        access = Access(line=made.line, identity=made.identity, permission=made.permission, **common)
        yield access, common


def key_set() -> str:
    """Return the key set that such a system serves, as text."""
    return json.dumps(
        {"keys": [{**jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE.public_key(), as_dict=True), "kid": "one"}]}
    )
