"""Athena, Redshift, S3, Glue and STS on this machine: for a person who explores, or for one command.

`dbt-local-aws` serves until Ctrl-C and prints what to export. `dbt-local-aws -- COMMAND …` runs a command with the
endpoints in its environment, ends them with it, and exits with its code.
"""

import argparse
import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from types import FrameType

from dbt_local_aws.athena.trino.java import TrinoUnavailableError
from dbt_local_aws.endpoints import LocalAws
from dbt_local_aws.environment import LEADING_ELSEWHERE
from dbt_local_aws.process import end_with_parent
from dbt_local_aws.redshift.endpoint import LocalRedshiftError

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the endpoints, with a command or until it is interrupted."""
    options = _parser().parse_args(arguments)
    received: list[int] = []
    try:
        with _interrupted_by_signals(received):
            end_with_parent()
            with _endpoints(options) as aws:
                try:
                    if options.command:
                        return _run(options.command)
                    _print_exports(aws)
                    threading.Event().wait()
                finally:
                    _ignore_signals()  # so that a second one does not cut the end short
    except KeyboardInterrupt:
        # what a person ended has done what it should, a command that was kept from running has not
        return 128 + received[0] if options.command else 0
    except (LocalRedshiftError, TrinoUnavailableError, OSError) as error:
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


@contextlib.contextmanager
def _interrupted_by_signals(received: list[int]) -> Iterator[None]:
    """Makes Ctrl-C of every signal that asks to end, so that whatever was started by then is stopped."""

    def interrupt(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_signals() -> None:
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _run(command: Sequence[str]) -> int:
    """Runs the command to its end, which the endpoints outlive, and gives its exit code as a shell would."""
    process: subprocess.Popen[bytes] | None = None
    early: list[int] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if process is None:
            early.append(number)
        elif number != signal.SIGINT or not os.isatty(0):  # a terminal sends Ctrl-C to the command as well
            process.send_signal(number)

    for number in _SIGNALS:
        signal.signal(number, pass_on)
    try:
        process = subprocess.Popen(command)  # noqa: S603 - the caller's own command
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        return 127
    for missed in early:
        process.send_signal(missed)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _print_exports(aws: LocalAws) -> None:
    print("Athena, Redshift, S3, Glue and STS listen on this machine. To use them, in another shell:\n")
    # whatever that shell has: what it is set up for is not known here
    print(f"unset $(env | grep -oE '^({'|'.join(LEADING_ELSEWHERE)})[A-Za-z0-9_]*')")
    print("\n".join(f"export {name}={shlex.quote(value)}" for name, value in aws.environment().items()))
    print("\nCtrl-C ends them and removes what they hold.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
