"""``python -m checks.attest --env=prod SEC-POST-5``: a statement to be filled in and signed.

It is written where the environment file says that attestations are, and never over one that is there.
"""

from __future__ import annotations

import argparse
import difflib
import json
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from checks.checklist import load
from fixtures.attestation_file import sign_command
from fixtures.configuration import choose
from fixtures.tomlfile import ConfigError, display

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from checks.checklist import Item
    from fixtures.configuration import Configuration

HOLDS_DAYS = 90
USAGE = 2
FACTS = {"SEC-POST-5": "scheduled =           # the day of the test; or done = the day on which it was done"}
"""What items ask for besides a statement, by id."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m checks.attest", description="Begin an attestation.")
    parser.add_argument("--env", required=True, metavar="NAME|PATH", help="the environment, as for pytest")
    parser.add_argument("--release", metavar="VERSION|PATH", help="the release, as for pytest")
    parser.add_argument("item", metavar="ITEM", help="the id of the checklist item")
    options = parser.parse_args(arguments)
    checklist = load()
    if options.item not in checklist:
        near = difflib.get_close_matches(options.item, checklist, n=1, cutoff=0.0)[0]
        return refuse(f"the checklist has no item {options.item}; the nearest is {near}")
    try:
        configuration = choose(options.env, options.release, Path.cwd())
    except ConfigError as error:
        return refuse(str(error))
    declared = configuration.environment.attestations
    if declared is None or configuration.environment.target == "embedded":
        where = display(configuration.environment_file)
        return refuse(
            f"{where} names no folder of your own: set folder, allowed_signers and signers in [attestations]"
        )
    file = Path(declared.folder) / f"{options.item}.toml"
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(begun(checklist[options.item], configuration, datetime.now(UTC).date()))
    except FileExistsError:
        return refuse(f"{display(file)} is there already: change it and sign it again, or remove it first")
    except OSError as error:
        return refuse(f"{display(file)} cannot be written: {error.strerror}")
    phase = checklist[options.item].phase
    sys.stdout.write(
        f"{display(file)} is begun. Fill it in, then sign it with your SSH key:\n\n"
        f"    {sign_command(file)}\n\n"
        f"It counts from the next run on: pytest -m {phase} --env={shlex.quote(options.env)}\n"
    )
    return 0


def begun(item: Item, configuration: Configuration, today: date) -> str:
    """Return a statement in which only what a person knows is missing."""
    environment, release = configuration.environment, configuration.release
    signers = environment.attestations.signers if environment.attestations else {}
    able = [signer for signer, roles in signers.items() if item.owner in roles]
    others = f"  # or {', '.join(able[1:])}" if able[1:] else ""
    lines = [
        f"# {item.id}: {item.statement}",
        f"item = {_quoted(item.id)}",
        f"environment = {_quoted(environment.name)}",
        f"release = {_quoted(release.version)}",
        *((f"commit = {_quoted(release.commit)}",) if release.commit else ()),
        "",
        f"signer = {_quoted(able[0] if able else '')}{others}",
        f"role = {_quoted(item.owner)}",
        f"made = {today}",
        f"expires = {today + timedelta(days=HOLDS_DAYS)}  # the last day on which it holds, within 366 days",
        "",
        'statement = ""  # what you state, in one or two sentences',
        'evidence = [{ link = "" }]  # or { file = "beside-this-one.pdf", sha256 = "..." }, or several',
    ]
    if item.id in FACTS:
        lines += ["", "[facts]", FACTS[item.id]]
    return "\n".join([*lines, ""])


def refuse(problem: str) -> int:
    """Say what is wrong; return the exit status of a usage error."""
    sys.stderr.write(f"python -m checks.attest: {problem}\n")
    return USAGE


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
