"""How long a contract sweep takes: N endpoints of a known latency on a loopback server.

    python tests/benchmarks/sweep.py [--endpoints 500] [--latency-ms 20] [--concurrency 10] [--k6 PATH]

The bound is N x latency / concurrency. Start-up is the same command on one endpoint. Both are measured in
one go on one machine, alternating, so that their ratio means something where their seconds do not. Memory
stands beside that of plain pytest with as many empty tests and the same report plugins. With ``--k6`` the
same requests are sent by k6, in batches of 8 as its examples do, for orientation.

This is a program and not a test: nothing in the test suite depends on a clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

PROJECT = Path(__file__).resolve().parents[2]
BODY = b'{"id": 7, "name": "a station", "created_at": "2026-01-26T10:00:00+07:00"}'
SCHEMA = '{ type = "object", required = ["id", "name"], properties = { id = { type = "integer" } } }'


def main() -> None:
    """Measure, and print one line per figure."""
    asked = _arguments()
    ports: Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=_serve, args=(asked.latency_ms / 1000, ports), daemon=True)
    server.start()
    port = ports.get(timeout=30)
    try:
        with tempfile.TemporaryDirectory() as folder:
            _measure(asked, port, Path(folder))
    finally:
        server.terminate()
        server.join()


def _measure(asked: argparse.Namespace, port: int, folder: Path) -> None:
    environment = _environment(folder, port, asked)
    many = _release(folder, "many", asked.endpoints)
    one = _release(folder, "one", 1)
    runs = [(_run(environment, many, asked.n), _run(environment, one, asked.n)) for _ in range(asked.repeat)]
    wall = [each.wall_s for each, _ in runs]
    start = [each.wall_s for _, each in runs]
    bound_s = asked.endpoints * asked.latency_ms / 1000 / asked.concurrency
    net = median(each - other for each, other in zip(wall, start, strict=True))
    say(f"endpoints          {asked.endpoints} at {asked.latency_ms} ms, {asked.concurrency} at a time")
    say(f"bound              {bound_s:.2f} s")
    say(f"wall               {_spread(wall)}")
    say(f"start-up           {_spread(start)}  (the same command on one endpoint)")
    say(f"wall - start-up    {net:.2f} s = {net / bound_s:.2f} x bound")
    cpu_s = [each.cpu_s - other.cpu_s for each, other in runs]
    say(f"processor          {median(cpu_s):.2f} s more than on one endpoint; load {os.getloadavg()[0]:.1f}")
    _memory(asked, runs, folder)
    if asked.k6:
        taken = _k6(asked.k6, folder, port, asked.endpoints)
        say(f"k6, batches of 8   {taken:.2f} s = {taken / bound_s:.2f} x bound")


def _memory(asked: argparse.Namespace, runs: list[tuple[_Run, _Run]], folder: Path) -> None:
    peaks_mb = max(each.peak_mb for each, _ in runs), max(each.peak_mb for _, each in runs)
    plain_mb = _plain(folder, asked.endpoints).peak_mb, _plain(folder, 1).peak_mb
    for name, (many_mb, one_mb) in (("peak memory", peaks_mb), ("plain pytest", plain_mb)):
        per_test_kb = (many_mb - one_mb) * 1024 / max(asked.endpoints - 1, 1)
        say(f"{name:19}{many_mb:.0f} MB; one endpoint {one_mb:.0f} MB: {per_test_kb:.1f} kB each")


class _Run:
    def __init__(self, wall_s: float, cpu_s: float, peak_mb: float) -> None:
        self.wall_s = wall_s
        self.cpu_s = cpu_s
        self.peak_mb = peak_mb


def _run(environment: Path, release: Path, workers: int) -> _Run:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "fixtures.sweep",
        "-q",
        "-m",
        "validation",
    ]
    command += [
        "checks/validation/test_contract.py",
        "-k",
        "keeps_its_contract",
        f"--env={environment}",
        f"--release={release}",
    ]
    command += ["-n", str(workers)] if workers else []
    run, text = _done(command)
    if not re.search(r"^(?:=+ )?\d+ passed(?:, \d+ (?:deselected|not applicable))* in ", text, re.MULTILINE):
        sys.exit(text)
    return run


def _plain(folder: Path, tests: int) -> _Run:
    """Run as many empty tests with pytest and the plugins that write the same reports, and none of ours."""
    file = folder / "test_plain.py"
    many = f"@pytest.mark.parametrize('n', range({tests}))"
    file.write_text(f"import pytest\n\n{many}\ndef test_one(n):\n    assert n >= 0\n", encoding="utf-8")
    plugins = ("no:cacheprovider", "xdist", "pytest_metadata.plugin", "pytest_html.plugin", "pytest_timeout")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        os.devnull,
        "--rootdir",
        str(folder),
        "--disable-plugin-autoload",
    ]
    command += [argument for plugin in plugins for argument in ("-p", plugin)]
    command += [f"--junitxml={folder}/junit.xml", f"--html={folder}/tests.html", "--self-contained-html"]
    run, text = _done([*command, "--timeout=120", "-q", str(file)])
    if f"{tests} passed" not in text:
        sys.exit(text)
    return run


def _done(command: list[str]) -> tuple[_Run, str]:
    began = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, cwd=PROJECT, stdout=output, stderr=subprocess.STDOUT)
        _, _, usage = os.wait4(process.pid, 0)
        wall_s = time.monotonic() - began
        output.seek(0)
        text = output.read()
    peak_mb = usage.ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)
    return _Run(wall_s, usage.ru_utime + usage.ru_stime, peak_mb), text


def _k6(program: str, folder: Path, port: int, endpoints: int) -> float:
    script = folder / "sweep.js"
    script.write_text(
        "import http from 'k6/http';\n"
        "export const options = { vus: 1, iterations: 1 };\n"
        "export default function () {\n"
        f"  for (let n = 0; n < {endpoints}; n += 8) {{\n"
        "    const batch = [];\n"
        f"    for (let m = n; m < Math.min(n + 8, {endpoints}); m++)\n"
        f"      batch.push(['GET', `http://127.0.0.1:{port}/e/${{m}}`]);\n"
        "    http.batch(batch);\n"
        "  }\n"
        "}\n",
        encoding="utf-8",
    )
    began = time.monotonic()
    subprocess.run([program, "run", "--quiet", str(script)], check=True, capture_output=True)
    return time.monotonic() - began


# ---------------------------------------------------------------- files


def _environment(folder: Path, port: int, asked: argparse.Namespace) -> Path:
    file = folder / "loopback.toml"
    file.write_text(
        f'name = "loopback"\nrelease = "many.toml"\nconcurrency = {asked.concurrency}\n'
        f'[api]\nurl = "http://127.0.0.1:{port}"\n'
        '[identity]\nenvironment = { field = "environment", equals = "loopback" }\n'
        f"[rate]\nbudget = {asked.endpoints + 100}\n"
        '[absent]\nversion = "told nowhere"\n',
        encoding="utf-8",
    )
    return file


def _release(folder: Path, name: str, endpoints: int) -> Path:
    head = 'version = "1"\n[health]\npath = "/health"\nready = { status = "ok" }\n'
    head += '[timestamps]\nzone = "Asia/Jakarta"\n'
    tables = [
        f'[[endpoints]]\nname = "e{n}"\nmethod = "GET"\npath = "/e/{n}"\nkind = "report"\nschema = {SCHEMA}\n'
        for n in range(endpoints)
    ]
    file = folder / f"{name}.toml"
    file.write_text(head + "".join(tables), encoding="utf-8")
    return file


# ---------------------------------------------------------------- the server


def _serve(latency_s: float, ports: Queue[int]) -> None:
    asyncio.run(_serving(latency_s, ports))


async def _serving(latency_s: float, ports: Queue[int]) -> None:
    health = json.dumps({"status": "ok", "environment": "loopback"}).encode()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                is_health = head.startswith(b"GET /health")
                body = health if is_health else BODY
                await asyncio.sleep(0 if is_health else latency_s)
                lines = ("HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(body)}")
                writer.write("\r\n".join((*lines, "", "")).encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    ports.put(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def say(line: str) -> None:
    """Write one figure."""
    sys.stdout.write(f"{line}\n")


def _spread(seconds: list[float]) -> str:
    return f"{median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--endpoints", type=int, default=500)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    parser.add_argument("--concurrency", type=int, default=10)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("-n", type=int, default=0, help="xdist workers")
    parser.add_argument("--k6", help="the k6 program")
    return parser.parse_args()


if __name__ == "__main__":
    main()
