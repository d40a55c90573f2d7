"""Ctrl-C and SIGTERM end a command in one line, whatever it is at."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.quick

COMMAND = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, shells have it ignored
from lakehouse import ending
ending._AGAIN_SECONDS = 0.2

@ending.stops_in_one_line("What was done stays.")
def main():
    raised = 0
    while raised < int(sys.argv[1]):
        try:
            print("at work", flush=True)
            time.sleep(60)
        except KeyboardInterrupt:
            raised += 1
    print("swallowed", raised, ending.is_stopping(), flush=True)
    time.sleep(60)

main()
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("swallowed", [0, 2])
def test_a_command_ends_in_one_line_also_if_interrupts_are_swallowed(number: signal.Signals, swallowed: int) -> None:
    asked = [sys.executable, "-c", COMMAND, str(swallowed or 1)]
    if not swallowed:
        asked[2] = COMMAND.replace("except KeyboardInterrupt:", "except ZeroDivisionError:")
    with subprocess.Popen(asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "at work\n"
        command.send_signal(number)
        output, errors = command.communicate(timeout=30)
    assert command.returncode == 130
    assert errors == "\nstopped. What was done stays.\n"
    assert ("swallowed 2 True" in output) == bool(swallowed)


def test_what_is_ignored_in_the_background_stays_ignored() -> None:
    program = COMMAND.replace("signal.default_int_handler", "signal.SIG_IGN").replace("time.sleep(60)", "time.sleep(1)")
    asked = [sys.executable, "-c", program, "0"]
    with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "swallowed 0 False\n"
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=30)
    assert command.returncode == 0
