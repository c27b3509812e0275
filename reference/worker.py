"""The application's process: the honest table of endpoints, bent by the faults it was given, served."""

from __future__ import annotations

import argparse
import os

import uvicorn

from reference import faults
from reference.application import service
from reference.application.settings import Settings


def main() -> None:
    """Serve the application on a Unix socket until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m reference.worker")
    parser.add_argument("--socket", required=True)
    parser.add_argument("--fault", action="append", default=[])
    arguments = parser.parse_args()
    settings = Settings.from_environ(os.environ)
    table = faults.bent_table(service.endpoints(), arguments.fault)
    uvicorn.run(
        service.build(settings, table),
        uds=arguments.socket,
        access_log=False,
        server_header=False,
        date_header=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
