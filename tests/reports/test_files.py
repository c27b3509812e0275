from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reports.files import begin, discard, publish, safe_name

ROOT = Path(__file__).parents[2]


def _keep(_path: Path) -> None:
    """Redact nothing."""


def _visible(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_run_is_found_where_it_belongs_and_as_the_latest(tmp_path: Path) -> None:
    folder = begin(tmp_path, "local", "1.0.0", "20261122T191500Z-3fa9")
    (folder.draft / "verdict.json").write_text("{}")
    (folder.draft / "evidence").mkdir()
    (folder.draft / "evidence" / "body.txt").write_text("body")

    place = publish(folder, _keep)

    assert place == tmp_path / "local" / "1.0.0" / "20261122T191500Z-3fa9"
    assert (place.parent / "latest" / "evidence" / "body.txt").read_text() == "body"
    assert (place.parent / "latest").readlink() == Path(place.name)


def test_nothing_is_visible_before_it_is_whole(tmp_path: Path) -> None:
    folder = begin(tmp_path, "local", "1.0.0", "one")
    (folder.draft / "verdict.json").write_text("{}")
    seen: list[list[str]] = []

    publish(folder, lambda _path: seen.append(_visible(folder.final.parent)))

    assert seen == [[]]
    assert _visible(folder.final.parent) == ["latest", "one"]


def test_every_file_is_redacted_before_it_is_visible(tmp_path: Path) -> None:
    folder = begin(tmp_path, "local", "1.0.0", "one")
    (folder.draft / "deep").mkdir()
    for name in ("junit.xml", "deep/body.txt"):
        (folder.draft / name).write_text("hunter2")

    def redact(path: Path) -> None:
        path.write_text("redacted")

    place = publish(folder, redact)

    assert {path.read_text() for path in place.rglob("*.*")} == {"redacted"}


def test_a_failure_on_the_way_leaves_the_latest_as_it_was(tmp_path: Path) -> None:
    publish(begin(tmp_path, "local", "1.0.0", "one"), _keep)
    folder = begin(tmp_path, "local", "1.0.0", "two")
    (folder.draft / "verdict.json").write_text("{}")

    def disk_full(_path: Path) -> None:
        raise OSError("no space left on device")

    with pytest.raises(OSError, match="no space"):
        publish(folder, disk_full)

    assert _visible(folder.final.parent) == ["latest", "one"]
    assert (folder.final.parent / "latest").readlink() == Path("one")


def test_the_latest_moves_on(tmp_path: Path) -> None:
    for run in ("one", "two"):
        publish(begin(tmp_path, "local", "1.0.0", run), _keep)

    assert (tmp_path / "local" / "1.0.0" / "latest").readlink() == Path("two")


def test_a_discarded_draft_leaves_nothing(tmp_path: Path) -> None:
    folder = begin(tmp_path, "local", "1.0.0", "one")
    discard(folder)

    assert list(folder.final.parent.iterdir()) == []


def test_a_run_is_published_once(tmp_path: Path) -> None:
    publish(begin(tmp_path, "local", "1.0.0", "one"), _keep)

    with pytest.raises(FileExistsError):
        begin(tmp_path, "local", "1.0.0", "one")


def test_the_draft_of_a_living_run_stays(tmp_path: Path) -> None:
    living = begin(tmp_path, "local", "1.0.0", "one")
    begin(tmp_path, "local", "1.0.0", "two")

    assert living.draft.is_dir()


def test_the_draft_of_a_killed_run_is_removed_by_the_next(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from reports.files import begin\n"
        f"folder = begin(Path({str(tmp_path)!r}), 'local', '1.0.0', 'one')\n"
        "(folder.draft / 'half').write_text('{')\n"
        "print(folder.draft, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    draft = Path(process.stdout.readline().strip())
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert draft.is_dir()

    begin(tmp_path, "local", "1.0.0", "two")

    assert not draft.exists()


@pytest.mark.parametrize("name", ["local", "1.0.0", "20261122T191500Z-3fa9", "release_1+build.7"])
def test_an_ordinary_name_stays(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../../etc", "a/b", "/abs", ".hidden", "latest", "x\x00y", "ü", "\ud800", "n" * 500],
)
def test_any_other_name_is_one_harmless_path_part(name: str, tmp_path: Path) -> None:
    safe = safe_name(name)

    assert (tmp_path / safe).resolve().parent == tmp_path.resolve()
    assert safe != "latest"
    assert not safe.startswith(".")
    assert len(os.fsencode(safe)) < 120


def test_different_names_share_no_folder() -> None:
    names = ["a/b", "a-b", "a b", "a\\b", "latest", ".latest"]

    assert len({safe_name(name) for name in names}) == len(names)
