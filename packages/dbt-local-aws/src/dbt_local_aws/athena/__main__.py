"""Serves the endpoint until it is interrupted: `python -m dbt_local_aws.athena --port 4566`."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
import threading

from dbt_local_aws.athena.endpoint import DEFAULT_REGION, LocalAthena
from dbt_local_aws.java import UnavailableError
from dbt_local_aws.process import end_with_parent


def main() -> int:
    """Run the endpoint and print what to export."""
    parser = argparse.ArgumentParser(prog="python -m dbt_local_aws.athena", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument(
        "--region", default=DEFAULT_REGION, help="the region that clients are told (default: %(default)s)"
    )
    options = parser.parse_args()
    interrupted = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: interrupted.set())
    end_with_parent()
    try:
        with LocalAthena(options.port, options.region) as athena:
            for name, value in athena.environment().items():
                print(f"export {name}={shlex.quote(value)}")
            print("\nCtrl-C ends it and removes what it holds.", flush=True)
            interrupted.wait()
    except UnavailableError as error:
        print(f"the endpoint cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
