"""The folder of a run's files: written aside, then put in place whole, or not at all.

``<root>/<environment>/<release>/<run>/`` is the finished folder, and ``latest`` beside it points at
the newest. Until then a run writes into a hidden draft, and the next run removes the drafts of
runs that died.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LATEST = "latest"
_DRAFT = ".draft-"
_LONGEST_NAME = 100
"""Characters. Names of environments and releases are short; file systems take 255 bytes."""


@dataclass(frozen=True)
class RunFolder:
    """Where a run writes, and where it will be found.

    Attributes:
        draft: an existing directory beside ``final``, hidden and private to this run.
        final: where the draft is put by ``publish``.
        lock: an open descriptor of the draft. Its lock says that the run is alive.
    """

    draft: Path
    final: Path
    lock: int


def begin(root: Path, environment: str, release: str, run: str) -> RunFolder:
    """Make the draft folder of a run, and remove those of runs that died.

    Raises:
        FileExistsError: there is a folder of this run already.
    """
    beside = root / safe_name(environment) / safe_name(release)
    beside.mkdir(parents=True, exist_ok=True)
    name = safe_name(run)
    final = beside / name
    with _alone_in(beside):
        _remove_dead_drafts(beside)
        if final.exists():
            raise FileExistsError(f"the run {run} has been published before: {final}")
        draft = beside / f"{_DRAFT}{name}"
        draft.mkdir()
        lock = os.open(draft, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return RunFolder(draft, final, lock)


def publish(folder: RunFolder, redact: Callable[[Path], None]) -> Path:
    """Redact every file of a draft, put it in place and let ``latest`` point at it; return the place.

    Everything is on the disk before anything is visible under its final name.
    """
    for path in _files(folder.draft):
        redact(path)
    for path in _files(folder.draft):
        _sync(path)
    for directory in (*_directories(folder.draft), folder.draft):
        _sync(directory)
    beside = folder.final.parent
    with _alone_in(beside):
        folder.draft.rename(folder.final)
        _point(beside / LATEST, folder.final.name)
        _sync(beside)
    os.close(folder.lock)
    return folder.final


def discard(folder: RunFolder) -> None:
    """Remove a draft that will not be published."""
    shutil.rmtree(folder.draft, ignore_errors=True)
    os.close(folder.lock)


def safe_name(name: str) -> str:
    """Return a name that is one plain path part, the same one for the same name.

    A name that had to be changed carries a mark of the original, so that no two names share a folder.
    """
    safe = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).lstrip(".")[:_LONGEST_NAME]
    if safe == name and safe not in {"", LATEST}:
        return safe
    mark = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{safe}~{mark}"


def _remove_dead_drafts(beside: Path) -> None:
    for draft in beside.glob(f"{_DRAFT}*"):
        descriptor = os.open(draft, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue  # its run is alive
        else:
            shutil.rmtree(draft)
        finally:
            os.close(descriptor)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep other runs of the same release from starting or publishing meanwhile."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _point(link: Path, target: str) -> None:
    draft = link.with_name(f"{_DRAFT}{LATEST}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target, target_is_directory=True)
    draft.replace(link)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _directories(folder: Path) -> list[Path]:
    """Return the folders below, the deepest first."""
    return sorted(
        (path for path in folder.rglob("*") if path.is_dir() and not path.is_symlink()), reverse=True
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
