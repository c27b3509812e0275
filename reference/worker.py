"""The application's process: the honest table of endpoints, bent by the faults it was given, served."""

from __future__ import annotations

import argparse
import os

import uvicorn

from reference import faults
from reference.application import previous, service
from reference.application.settings import Settings


def main() -> None:
    """Serve the application on a Unix socket, made here or inherited, until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m reference.worker")
    parser.add_argument("--socket")
    parser.add_argument("--descriptor", type=int)
    parser.add_argument("--previous", action="store_true")
    parser.add_argument("--fault", action="append", default=[])
    arguments = parser.parse_args()
    settings = Settings.from_environ(os.environ)
    table = previous.endpoints() if arguments.previous else service.endpoints()
    uvicorn.run(
        service.build(settings, faults.bent_table(table, arguments.fault)),
        uds=arguments.socket,
        fd=arguments.descriptor,
        access_log=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
