"""What the suite itself costs: start-up, smoke beside its target's answers, memory, imports.

    python tests/benchmarks/smoke.py [REPETITIONS] [--full]

One reference release runs for all of it. The commands take turns, so that a busy machine disturbs all
of them alike; figures are medians, and what matters is the ratios. The output is the section "Smoke"
of docs/performance.md; ``--full`` lists every module of the suite, not only the slow ones.

"Waiting" is the sum of ``response_time_ms`` in the application's access log over the run. That is less
than what the suite waits for: connections, TLS, the proxy and the database's answers to the suite count as
the suite's own, so that the overhead is an upper bound. The suite asks one after the other in smoke, so
the sum holds nothing twice.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from fixtures.embedded import launch  # noqa: E402 - the path has to be set first

REPETITIONS = 7
TOP = 25
GOAL = 2.0
"""Overhead of smoke, as a multiple of an empty run with the same flags."""

PYTEST = [sys.executable, "-m", "pytest"]
OWN = re.compile(r"(conftest|checks|fixtures|reports|smoke|load|test_\w+)(\.|$)")
PLUGINS = re.compile(r"(xdist|pytest_html|pytest_metadata|pytest_timeout)(\.\w+)?$")


@dataclass(frozen=True)
class Command:
    """A command line that is measured.

    Attributes:
        name: what the table calls it.
        line: the arguments.
        folder: where it runs.
        exits: the status that it has to end with.
        cached: Python may keep its bytecode, as it does unless somebody forbids it.
    """

    name: str
    line: list[str]
    folder: Path
    exits: int
    cached: bool = True


@dataclass(frozen=True)
class Sample:
    """One run of a command."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    waiting_s: float
    requests: int


def commands(folder: Path, environment: Path) -> list[Command]:
    """Return everything that is compared; ``folder`` gets an empty test file beside the suite's settings."""
    (folder / "test_nothing.py").touch()
    bare = folder / "bare"
    bare.mkdir()
    shutil.copy(folder / "test_nothing.py", bare)
    shutil.copy(ROOT / "pyproject.toml", folder)
    env = f"--env={environment}"
    nothing = [*PYTEST, "-m", "smoke and gate", env]  # no check has two phases
    smoke = [*PYTEST, "-m", "smoke", env]
    return [
        Command(
            "bare pytest, empty file",
            [*PYTEST, "-c", os.devnull, "--rootdir", ".", "--disable-plugin-autoload", "test_nothing.py"],
            bare,
            5,
        ),
        Command("trimmed plugins and flags, empty file", [*PYTEST, "test_nothing.py"], folder, 5),
        Command("empty suite run (`-m 'smoke and gate' --env=FILE`)", nothing, ROOT, 5),
        Command("`pytest -m smoke --env=FILE`", smoke, ROOT, 0),
        Command("`pytest -m smoke --env=FILE -n 2`", [*smoke, "-n", "2"], ROOT, 0),
        Command("empty suite run, no bytecode cache", nothing, ROOT, 5, cached=False),
        Command("smoke, no bytecode cache", smoke, ROOT, 0, cached=False),
    ]


def measure(command: Command, bytecode: Path, access_log: Path) -> Sample:
    """Run a command once."""
    seen = access_log.stat().st_size
    with tempfile.TemporaryFile() as output:
        begun = time.perf_counter()
        process = subprocess.Popen(
            command.line, cwd=command.folder, env=_variables(command, bytecode), stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != command.exits:
            output.seek(0)
            sys.exit(f"{command.name}: exit {process.returncode}\n{output.read().decode()[-3000:]}")
    with access_log.open("rb") as log:
        log.seek(seen)
        answered = [json.loads(line)["response_time_ms"] for line in log]
    scale = 1e6 if sys.platform == "darwin" else 1e3  # ru_maxrss is in bytes there, in KiB elsewhere
    return Sample(
        wall_s,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / scale,
        sum(answered) / 1000,
        len(answered),
    )


def _variables(command: Command, bytecode: Path) -> dict[str, str]:
    """Return the variables of a command: a bytecode cache of its own, warm after the first turn, or none."""
    rest = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))}
    return rest | (
        {"PYTHONPYCACHEPREFIX": str(bytecode)} if command.cached else {"PYTHONDONTWRITEBYTECODE": "1"}
    )


def table(all_commands: list[Command], samples: dict[str, list[Sample]]) -> None:
    """Print medians, and ratios to the runs that select nothing."""

    def median(name: str, value: str) -> float:
        return float(statistics.median(getattr(sample, value) for sample in samples[name]))

    def overheads(name: str) -> list[float]:
        return [sample.wall_s - sample.waiting_s for sample in samples[name]]

    trimmed, empty, smoke, uncached_empty, uncached = (all_commands[i].name for i in (1, 2, 3, 5, 6))
    say("| run | wall s | fastest s | CPU s | answers | waiting s | overhead s | peak MB |")
    say("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for command in all_commands:
        name = command.name
        serial = "-n" not in command.line  # two workers wait at the same time
        waiting = f"{median(name, 'waiting_s'):.2f}" if serial else ""
        own = f"{statistics.median(overheads(name)):.2f}" if serial else ""
        fastest = min(sample.wall_s for sample in samples[name])
        say(
            f"| {name} | {median(name, 'wall_s'):.2f} | {fastest:.2f} | {median(name, 'cpu_s'):.2f} "
            f"| {median(name, 'requests'):.0f} | {waiting} | {own} | {median(name, 'peak_mb'):.0f} |"
        )
    say()
    say("| ratio of overheads | medians | fastest turns | CPU time |")
    say("| --- | ---: | ---: | ---: |")
    for what, of, to in (
        (f"smoke / empty suite run (goal: at most {GOAL:g})", smoke, empty),
        ("smoke / trimmed plugins and flags, empty file", smoke, trimmed),
        ("smoke / empty suite run, both without a bytecode cache", uncached, uncached_empty),
    ):
        medians = statistics.median(overheads(of)) / statistics.median(overheads(to))
        fastest_turns = min(overheads(of)) / min(overheads(to))
        cpu = median(of, "cpu_s") / median(to, "cpu_s")
        say(f"| {what} | {medians:.2f} | {fastest_turns:.2f} | {cpu:.2f} |")


def imports(command: Command, bytecode: Path, *, everything: bool) -> None:
    """Print what each module costs to import, itself and with all that it is the first to import."""
    line = [command.line[0], "-X", "importtime", *command.line[1:], "-s"]  # -s: the list goes to stderr
    done = subprocess.run(
        line,
        cwd=command.folder,
        env=_variables(command, bytecode),
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^import time: +(\d+) \| +(\d+) \|( +)(\S+)$", done.stderr, re.MULTILINE)
    modules = {name: (int(own) / 1000, int(whole) / 1000) for own, whole, _, name in found}
    slowest = sorted(modules, key=lambda name: -modules[name][0])[:TOP]
    ours = [name for name in sorted(modules) if OWN.match(name) or PLUGINS.match(name)]
    brief = [name for name in ours if everything or modules[name][1] >= 1]
    for title, names in (
        (f"The {TOP} modules that cost most themselves, of {len(modules)}", slowest),
        ("Plugins and modules of the suite" + ("" if everything else ", from 1 ms"), brief),
    ):
        say(f"\n{title}:\n")
        say("| module | itself ms | with what it imports ms |")
        say("| --- | ---: | ---: |")
        for name in names:
            say(f"| {name} | {modules[name][0]:.1f} | {modules[name][1]:.1f} |")


def say(text: str = "") -> None:
    """Print one line."""
    print(text, flush=True)  # noqa: T201 - its purpose


def main() -> None:
    """Measure and print."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdecimal()]
    repetitions = numbers[0] if numbers else REPETITIONS
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        bytecode = folder / "bytecode"
        target = launch(folder)
        try:
            access_log = Path(target.values["log_dir"]) / "access.log"
            measured = commands(folder, Path(target.values["environment_file"]))
            samples: dict[str, list[Sample]] = {command.name: [] for command in measured}
            for turn in range(repetitions + 1):
                for command in measured:
                    sample = measure(command, bytecode, access_log)
                    if turn:  # the first one fills the caches
                        samples[command.name].append(sample)
            say("    " + " ".join(["python", "tests/benchmarks/smoke.py", *sys.argv[1:]]))
            load_1, _, _ = os.getloadavg()
            say(
                f"\nMedians of {repetitions} turns on {os.cpu_count()} cores ({platform.machine()}), "
                f"Python {platform.python_version()}, load average {load_1:.1f} at the end.\n"
            )
            table(measured, samples)
            imports(measured[3], bytecode, everything="--full" in sys.argv)
        finally:
            target.stop()


if __name__ == "__main__":
    main()
