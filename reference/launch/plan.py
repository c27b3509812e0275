"""What is going to be started: the one value that a fault of the launch may change."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference.launch.certificates import Word

ENVIRONMENT = "local"
VERSION = "1.0.0"
COMMIT = "5e55101280a6c1f4d2b7e93a8c0f6d1e2b3a4c5d"
PREVIOUS = "0.9.0"
PREVIOUS_COMMIT = "0c41d7e8b5a2963f1e70d8c4b3a29f6e5d1c0b7a"
ORIGINS = ("https://www.production.local", "https://api.production.local")


def application_variables() -> dict[str, str]:
    """Return the application's environment variables that are known before anything runs."""
    return {
        "ENVIRONMENT": ENVIRONMENT,
        "RELEASE_VERSION": VERSION,
        "RELEASE_COMMIT": COMMIT,
        "CORS_ORIGINS": ",".join(ORIGINS),
        "JWT_SECRET": secrets.token_hex(32),
        "BOARD_API_KEY": secrets.token_hex(32),
        "LOG_LEVEL": "INFO",
        # glibc gives the 16 MB of a password's hash back at once, and memory says what the program keeps.
        "MALLOC_MMAP_THRESHOLD_": "1048576",
    }


@dataclass(frozen=True)
class Plan:
    """A launch, before it happens.

    Attributes:
        variables: environment variables of the application.
        certificate_names: whom the proxy's certificate is for.
        certificate_days: first and last day of its validity, counted from now.
        stapled: what its authority says of it.
        stopped: components that are stopped again once everything is ready.
        paused: components that are there and never get to run.
        faults: names of the faults that the application itself has.
        kept: names of keys and passwords that were not changed before the release.
        changed_days_ago: when others were changed, where that differs.
        sql: what a superuser does to the database before the application starts.
        page_edits: file, text and its replacement, in the pages.
        missing_pages: files that are not there.
        more_pages: files that are there besides, with their text.
        api_lines: more lines of the proxy's configuration for the API.
        proxy_edits: file, text and its replacement, in the proxy's configuration.
        attestation_edits: item, text and its replacement, in the attestations before they are signed.
    """

    variables: dict[str, str] = field(default_factory=application_variables, repr=False)
    certificate_names: tuple[str, ...] = ("localhost", "127.0.0.1")
    certificate_days: tuple[int, int] = (-1, 90)
    stapled: Word = "good"
    stopped: tuple[str, ...] = ()
    paused: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    changed_days_ago: dict[str, int] = field(default_factory=dict)
    sql: tuple[str, ...] = field(default=(), repr=False)
    page_edits: tuple[tuple[str, str, str], ...] = ()
    missing_pages: tuple[str, ...] = ()
    more_pages: tuple[tuple[str, str], ...] = ()
    api_lines: tuple[str, ...] = ()
    proxy_edits: tuple[tuple[str, str, str], ...] = ()
    attestation_edits: tuple[tuple[str, str, str], ...] = ()
