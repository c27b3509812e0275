"""A host that is reached by ssh: a real sshd on loopback, with users, services and a /proc of its own.

It lives in a mount namespace: the machine's own ``/etc`` and ``/run`` stay as they are, and nothing of it is
left when sshd ends. Its processes are the machine's.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

USER = "verify"

SSHD = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/key.pub
AllowUsers verify
PasswordAuthentication yes
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
PidFile none
Banner {folder}/banner
"""

SSH = """\
Host *
    IdentityFile {folder}/key
    IdentitiesOnly yes
    UserKnownHostsFile {folder}/known_hosts
    GlobalKnownHostsFile none
    StrictHostKeyChecking no
    NoHostAuthenticationForLocalhost yes
"""
"""What somebody may have written who was tired of questions; it must not weaken ours."""

SERVICE = """\
#!/bin/sh
. /lib/lsb/init-functions
[ "$1" = status ] && status_of_proc -p {folder}/service.pid {folder}/agent agent
"""

BOOT = """\
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/sshd
for file in passwd shadow init.d; do mount --bind "$1/$file" "/etc/$file"; done
[ -z "$2" ] || mount -t proc -o "$2" proc /proc
exec "$(command -v sshd)" -D -e -f "$1/sshd_config"
"""


@dataclass(frozen=True)
class SshHost:
    """A running host.

    Attributes:
        folder: what its user can read, and the key and configuration that lead there.
        port: of 127.0.0.1.
    """

    folder: Path
    port: int

    @property
    def spec(self) -> str:
        return f"ssh://{USER}@127.0.0.1:{self.port}"

    @property
    def config(self) -> str:
        return str(self.folder / "ssh_config")

    def knows(self, key: str) -> None:
        """Write down whose host key is expected: that of a public key file."""
        kind, public = (self.folder / key).read_text().split()[:2]
        (self.folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {kind} {public}\n")


@contextlib.contextmanager
def ssh_host(proc: str = "") -> Iterator[SshHost]:
    """Run a host; ``proc`` are options of its /proc."""
    folder = Path(tempfile.mkdtemp(prefix="gonogo-host-", dir="/tmp"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    folder.chmod(0o755)
    for name in ("host_key", "other_host_key", "key", "other_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    (folder / "init.d").mkdir()
    script = folder / "init.d" / "agent"
    script.write_text(SERVICE.format(folder=folder))
    script.chmod(0o755)
    (folder / "passwd").write_text(
        Path("/etc/passwd").read_text() + f"{USER}:x:54321:54321::{folder}:/bin/sh\n"
    )
    (folder / "shadow").write_text(Path("/etc/shadow").read_text() + f"{USER}:*:20000:0:99999:7:::\n")
    (folder / "shadow").chmod(0o600)
    (folder / "banner").write_text("Authorised use only.\n")
    (folder / "sshd_config").write_text(SSHD.format(folder=folder, port=port))
    (folder / "ssh_config").write_text(SSH.format(folder=folder))
    host = SshHost(folder, port)
    host.knows("host_key.pub")
    command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", BOOT, "sh", str(folder), proc]
    with (folder / "log").open("wb") as log:
        sshd = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _until_it_listens(host, sshd)
        yield host
    finally:
        sshd.terminate()
        sshd.wait()
        shutil.rmtree(folder)


def _until_it_listens(host: SshHost, sshd: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 15
    while sshd.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", host.port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError((host.folder / "log").read_text())
