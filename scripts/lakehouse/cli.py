"""The command `lakehouse`: its entry point, which can be interrupted from its first moment on."""

import sys

from lakehouse.ending import stops_in_one_line


@stops_in_one_line("Nothing was begun.")
def main() -> None:
    """Runs the command that was typed, and ends with its exit code."""
    from lakehouse.commands import run_command  # noqa: PLC0415 - what takes time to import may be interrupted, too

    run_command(sys.argv[1:])


if __name__ == "__main__":
    main()
