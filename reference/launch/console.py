"""The database's console: a page behind a password, for operators only."""

from __future__ import annotations

import base64
import hashlib
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reference.launch.owner import Owner

PAGE = Path(__file__).resolve().parents[1] / "console" / "index.html"
OPERATOR = "operator"


def publish(directory: Path, password: str, owner: Owner | None) -> None:
    """Write the page, and the file by which the proxy knows its only user.

    Args:
        directory: the folder of the whole release.
        password: the operator's.
        owner: whom the proxy runs as.
    """
    folder = directory / "console"
    folder.mkdir()
    (folder / PAGE.name).write_text(PAGE.read_text())
    salt = secrets.token_bytes(8)
    # Salted SHA-1: the best of the schemes that nginx itself knows on every system (auth_basic_user_file).
    digest = hashlib.sha1(password.encode() + salt).digest()  # noqa: S324  as above
    users = directory / "proxy" / "console.users"
    users.touch(mode=0o600)
    users.write_text(f"{OPERATOR}:{{SSHA}}{base64.b64encode(digest + salt).decode()}\n")
    if owner:
        owner.take(users)
