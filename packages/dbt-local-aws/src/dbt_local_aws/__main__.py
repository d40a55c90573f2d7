"""Athena, Redshift, S3, Glue and STS on this machine: for a person who explores, or for one command.

`dbt-local-aws` serves until Ctrl-C and prints what to export. `dbt-local-aws -- COMMAND …` runs a command with the
endpoints in its environment, ends them with it, and exits with its code.
"""

import argparse
import shlex
import sys
import threading
from collections.abc import Sequence
from importlib.metadata import version

from dbt_local_aws.endpoints import LocalAws
from dbt_local_aws.environment import LEADING_ELSEWHERE
from dbt_local_aws.java import UnavailableError
from dbt_local_aws.process import end_with_parent, ignore_signals, interrupted_by_signals, run
from dbt_local_aws.redshift.endpoint import LocalRedshiftError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the endpoints, with a command or until it is interrupted."""
    options = _parser().parse_args(arguments)
    received: list[int] = []
    try:
        with interrupted_by_signals(received):
            end_with_parent()
            with _endpoints(options) as aws:
                try:
                    if options.command:
                        return run(options.command)
                    _print_exports(aws)
                    threading.Event().wait()
                finally:
                    ignore_signals()  # so that a second one does not cut the end short
    except KeyboardInterrupt:
        # what a person ended has done what it should, a command that was kept from running has not
        return 128 + received[0] if options.command else 0
    except (LocalRedshiftError, UnavailableError, OSError) as error:
        print(f"the endpoints cannot start: {error}", file=sys.stderr)
        return 1
    return 0


def _endpoints(options: argparse.Namespace) -> LocalAws:
    return LocalAws(options.port, options.redshift_port, options.only, dict(options.export))


def _parser() -> argparse.ArgumentParser:
    about, _, details = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(prog="dbt-local-aws", description=about, epilog=details)
    parser.add_argument("--version", action="version", version=version("dbt-local-aws"))
    parser.add_argument("--port", type=int, default=0, help="port of Athena, S3, Glue and STS (default: a free one)")
    parser.add_argument("--redshift-port", type=int, default=0, help="port of Redshift (default: a free one)")
    parser.add_argument("--only", choices=("athena", "redshift"), help="start this engine alone, with S3, Glue and STS")
    parser.add_argument(
        "--export",
        action="append",
        default=[],
        type=_setting,
        metavar="NAME=VALUE",
        help="a variable of yours to set beside the endpoints', such as PLACE=s3://lake/place; may be repeated",
    )
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="what to run with the endpoints, after --")
    return parser


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"not NAME=VALUE: {text}")
    return name, value


def _print_exports(aws: LocalAws) -> None:
    print("Athena, Redshift, S3, Glue and STS listen on this machine. To use them, in another shell:\n")
    # whatever that shell has: what it is set up for is not known here
    print(f"unset $(env | grep -oE '^({'|'.join(LEADING_ELSEWHERE)})[A-Za-z0-9_]*')")
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in aws.environment().items()))
    print("\nCtrl-C ends them and removes what they hold.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
