"""An endpoint in a process of its own ends with whoever started it, however that ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dbt_local_aws.testing.processes import await_end, is_running

PROGRAM = """
import signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background, shells have it ignored
from dbt_local_aws.process import start
process, settings = start("dbt_local_aws", "--only", "redshift")
print(process.pid, settings["REDSHIFT_PORT"], flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="NOT TESTED: this system has no /proc")
@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_an_endpoint_ends_when_its_starter_is_gone(sent: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        endpoint = int(starter.stdout.readline().split()[0])
        assert is_running(endpoint)
        starter.send_signal(sent)
        starter.wait()
    await_end(endpoint, 60)
