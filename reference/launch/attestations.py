"""What somebody would state about the reference release: examples, signed with a key made for the run.

Signing is real, the signer is not: nobody stands behind these statements, and each of them says so.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from reference.launch.plan import COMMIT, ENVIRONMENT, VERSION
from reference.launch.processes import python_variables

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reference.launch.processes import Processes

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


def make(processes: Processes, where: Place, edits: Iterable[tuple[str, str, str]]) -> None:
    """Write and sign the statements; without ssh-keygen there are none, as without a signer.

    Args:
        processes: to which ssh-keygen belongs while it runs.
        where: what is filled.
        edits: item, text and its replacement, before the signing.
    """
    where.folder.mkdir()
    key = where.folder / "key"
    program = shutil.which("ssh-keygen")
    if program is None:
        return

    def ssh_keygen(*arguments: str | Path) -> None:
        run = processes.start("ssh-keygen", [program, "-q", *arguments], environ=python_variables())
        processes.finish(run, SIGN_WITHIN_S)

    ssh_keygen("-t", "ed25519", "-N", "", "-C", SIGNER, "-f", key)
    public = key.with_suffix(".pub")
    where.allowed_signers.write_text(f'{SIGNER} namespaces="{NAMESPACE}" {public.read_text()}')
    public.unlink()
    files = [where.folder / f"{claim.item}.toml" for claim in CLAIMS]
    for claim, file in zip(CLAIMS, files, strict=True):
        text = written(claim, datetime.now(UTC).date())
        for item, old, new in edits:
            text = text.replace(old, new) if item == claim.item else text
        file.write_text(text)
    ssh_keygen("-Y", "sign", "-n", NAMESPACE, "-f", key, *files)
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
