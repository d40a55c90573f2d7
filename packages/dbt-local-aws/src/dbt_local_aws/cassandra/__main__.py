"""Cassandra on this machine: for a person who explores, or for one command.

`python -m dbt_local_aws.cassandra` serves until Ctrl-C and prints what to export. With `-- COMMAND …` it runs a command
with Cassandra in its environment, ends it with the command, and exits with its code.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import threading

from dbt_local_aws.cassandra.endpoint import CASSANDRA, LocalCassandra
from dbt_local_aws.jars import install
from dbt_local_aws.java import UnavailableError
from dbt_local_aws.process import end_with_parent, ignore_signals, interrupted_by_signals, run


def main() -> int:
    """Runs it, with a command or until it is interrupted."""
    about, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="python -m dbt_local_aws.cassandra", description=about, epilog=details)
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--install", action="store_true", help="only fetch it, or say what is missing")
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="what to run with it, after --")
    options = parser.parse_args()
    received: list[int] = []
    try:
        if options.install:
            install(CASSANDRA)
            return 0
        with interrupted_by_signals(received):
            end_with_parent()
            with LocalCassandra(options.port) as cassandra:
                try:
                    if options.command:
                        os.environ.update(cassandra.environment())
                        return run(options.command)
                    for name, value in cassandra.environment().items():
                        print(f"export {name}={shlex.quote(value)}")
                    print("\nCtrl-C ends it and removes what it holds.", flush=True)
                    threading.Event().wait()
                finally:
                    ignore_signals()
    except KeyboardInterrupt:
        return 128 + received[0] if options.command else 0
    except UnavailableError as error:
        print(f"Cassandra cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
