"""What somebody would state about the reference release: examples, signed with a key made for the run.

Signing is real, the signer is not: nobody stands behind these statements, and each of them says so.
"""

from __future__ import annotations

import subprocess
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from reference.launch.plan import COMMIT, ENVIRONMENT, VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SIGNER, ROLE = "security-lead@example.org", "Security Lead"
NAMESPACE = "gonogo-attestation"
HOLDS_DAYS = 30
EXAMPLE = "Example attestation of the embedded reference release, signed by a key made for this run:"
SIGN_WITHIN_S = 20


@dataclass(frozen=True)
class Claim:
    """One statement.

    Attributes:
        item: the checklist item that it is about.
        says: what is stated.
        link: where the evidence would be.
        in_days: facts that are dates, counted from today.
    """

    item: str
    says: str
    link: str
    in_days: tuple[tuple[str, int], ...] = ()


CLAIMS = (
    Claim(
        "SEC-POST-5",
        "a penetration test of this release is booked.",
        "https://security.example.org/penetration-tests/next",
        in_days=(("scheduled", 21),),
    ),
)


@dataclass(frozen=True)
class Place:
    """Where statements and keys are.

    Attributes:
        folder: the statements and their signatures; empty where there is no ssh-keygen.
        allowed_signers: whose key is whose.
    """

    folder: Path
    allowed_signers: Path


def place(directory: Path) -> Place:
    """Return where a release has its attestations."""
    return Place(directory / "attestations", directory / "allowed_signers")


@contextmanager
def beside(where: Place, edits: Iterable[tuple[str, str, str]]) -> Iterator[None]:
    """Make the statements, in 20 ms, while other things are started; nobody goes on before they are made."""
    making = threading.Thread(target=make, args=(where, edits))
    making.start()
    try:
        yield
    finally:
        making.join()


def make(where: Place, edits: Iterable[tuple[str, str, str]]) -> None:
    """Write and sign the statements; without ssh-keygen there are none, as without a signer.

    Args:
        where: what is filled.
        edits: item, text and its replacement, before the signing.
    """
    where.folder.mkdir()
    key = where.folder / "key"
    try:
        _ssh_keygen("-q", "-t", "ed25519", "-N", "", "-C", SIGNER, "-f", str(key))
    except FileNotFoundError:
        return
    public = key.with_suffix(".pub")
    where.allowed_signers.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {public.read_text()}')
    public.unlink()
    files = [where.folder / f"{claim.item}.toml" for claim in CLAIMS]
    for claim, file in zip(CLAIMS, files, strict=True):
        text = written(claim, datetime.now(UTC).date())
        for item, old, new in edits:
            text = text.replace(old, new) if item == claim.item else text
        file.write_text(text)
    _ssh_keygen("-q", "-Y", "sign", "-n", NAMESPACE, "-f", str(key), *map(str, files))
    key.unlink()  # nobody signs anything else with it


def written(claim: Claim, today: date) -> str:
    """Return a statement as ``docs/attestations.md`` has it."""
    facts = [f"{name} = {today + timedelta(days=days)}" for name, days in claim.in_days]
    return "\n".join(
        [
            f'item = "{claim.item}"',
            f'environment = "{ENVIRONMENT}"',
            f'release = "{VERSION}"',
            f'commit = "{COMMIT}"',
            f'signer = "{SIGNER}"',
            f'role = "{ROLE}"',
            f"made = {today}",
            f"expires = {today + timedelta(days=HOLDS_DAYS)}",
            f'statement = "{EXAMPLE} {claim.says}"',
            f'evidence = [{{ link = "{claim.link}" }}]',
            *(["", "[facts]", *facts] if facts else []),
            "",
        ]
    )


def _ssh_keygen(*arguments: str) -> None:
    subprocess.run(  # noqa: S603  its arguments are ours
        ["ssh-keygen", *arguments],  # noqa: S607  the one that the path has
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=SIGN_WITHIN_S,
    )
