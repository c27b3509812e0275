"""Whom servers run as: PostgreSQL refuses to be run by root."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from pathlib import Path

NAME = "nobody"


class OwnerArguments(TypedDict, total=False):
    """The arguments of ``subprocess.Popen`` that change the user."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Owner:
    """An unprivileged user of this machine."""

    user: str
    group: str
    uid: int
    gid: int

    def as_arguments(self) -> OwnerArguments:
        """Return what makes ``subprocess.Popen`` start a process as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def take(self, path: Path) -> None:
        """Give a file or folder to this user."""
        os.chown(path, self.uid, self.gid, follow_symlinks=False)


def unprivileged() -> Owner | None:
    """Return the user to run servers as, or ``None`` when we are unprivileged ourselves.

    Raises:
        KeyError: we are root, and the machine has no such user.
    """
    if os.geteuid() != 0:
        return None
    entry = pwd.getpwnam(NAME)
    return Owner(NAME, grp.getgrgid(entry.pw_gid).gr_name, entry.pw_uid, entry.pw_gid)
