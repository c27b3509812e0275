"""``python -m load --env=NAME PROFILE``: search for the capacity of an environment; settles no item."""

from __future__ import annotations

import argparse
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from fixtures import configuration
from fixtures.load_profile import Capacity
from fixtures.observation import CannotObserve
from fixtures.secrets import Vault
from fixtures.tomlfile import ConfigError
from load.capacity import explore, stepper, write
from load.plugin import task_of
from load.runner import Interrupted

if TYPE_CHECKING:
    from fixtures.load_profile import Load
    from fixtures.run import Run

_OUT = Path(__file__).resolve().parents[1] / "reports" / "out"


def main(arguments: list[str] | None = None) -> int:
    """Search and say what was found. Returns 0 with a rate, 1 without, 4 for a mistake in the question."""
    parser = argparse.ArgumentParser(prog="python -m load", description=__doc__)
    parser.add_argument("--env", required=True, help="environment: a name or a path")
    parser.add_argument("--release", help="release, instead of the environment's: a version or a path")
    parser.add_argument("profile", help="a profile of mode capacity")
    told = parser.parse_args(arguments)
    began = datetime.now(UTC)
    try:
        chosen = configuration.choose(told.env, told.release, Path.cwd())
        environment = chosen.environment
        load, profile = _capacity(environment.load, told.profile)
        folder = _OUT / environment.name / "capacity" / began.strftime("%Y%m%dT%H%M%SZ")
        with tempfile.TemporaryDirectory(prefix="gonogo-capacity-") as scratch:
            run = SimpleNamespace(scratch=Path(scratch), id=folder.name, mark=f"gonogo-{folder.name}-0000")
            vault = Vault(None, _no_embedded)
            environment = environment.model_copy(
                update={"load": load.model_copy(update={"profile": told.profile})}
            )
            task = task_of(environment, chosen.release, cast("Run", run), vault, capacity=True)
            assert load.budget is not None  # task_of has seen to it
            folder.mkdir(parents=True)
            knee = explore(profile, load.budget, stepper(task, profile, Path(scratch), _say))
            write(folder, knee, dict(task.about))
    except (ConfigError, CannotObserve) as error:
        sys.stderr.write(f"{error}\n")
        return 4
    except Interrupted:
        sys.stderr.write("interrupted: every generator has been stopped\n")
        return 2
    sys.stdout.write(f"{knee}\n{folder}\n")
    return 0 if knee.holds else 1


def _capacity(load: Load | None, name: str) -> tuple[Load, Capacity]:
    """Return the load table and its profile.

    Raises:
        CannotObserve: it is not a profile of mode capacity.
    """
    profile = load.profiles.get(name) if load else None
    if load is None or not isinstance(profile, Capacity):
        raise CannotObserve("searching for the capacity", f"{name} is no profile of mode capacity")
    return load, profile


def _say(line: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{line}")


def _no_embedded(name: str) -> str:
    raise CannotObserve(
        f"embedded:{name}", "known only within a run of pytest", remedy="use a deployed environment"
    )


if __name__ == "__main__":
    sys.exit(main())
