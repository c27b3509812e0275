"""What is going to be started: the one value that a fault of the launch may change."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

ENVIRONMENT = "local"
VERSION = "1.0.0"
COMMIT = "5e55101280a6c1f4d2b7e93a8c0f6d1e2b3a4c5d"
PREVIOUS = "0.9.0"
ORIGINS = ("https://www.production.local", "https://api.production.local")


def application_variables() -> dict[str, str]:
    """Return the application's environment variables that are known before anything runs."""
    return {
        "ENVIRONMENT": ENVIRONMENT,
        "RELEASE_VERSION": VERSION,
        "RELEASE_COMMIT": COMMIT,
        "CORS_ORIGINS": ",".join(ORIGINS),
        "JWT_SECRET": secrets.token_hex(32),
        "LOG_LEVEL": "INFO",
    }


@dataclass(frozen=True)
class Plan:
    """A launch, before it happens.

    Attributes:
        variables: environment variables of the application.
        certificate_names: whom the proxy's certificate is for.
        certificate_days: first and last day of its validity, counted from now.
        stopped: components that are stopped again once everything is ready.
        faults: names of the faults that the application itself has.
    """

    variables: dict[str, str] = field(default_factory=application_variables, repr=False)
    certificate_names: tuple[str, ...] = ("localhost", "127.0.0.1")
    certificate_days: tuple[int, int] = (-1, 90)
    stopped: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
