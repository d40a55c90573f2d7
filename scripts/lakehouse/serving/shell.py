"""Cassandra's own prompt, cqlsh, for a person who asks what was exported."""

import configparser
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lakehouse.serving.cassandra import Settings


def open_shell() -> None:
    """Runs cqlsh until the person leaves it; the password reaches it in a file that is its owner's only."""
    settings = Settings.read(os.environ)
    with tempfile.TemporaryDirectory(prefix="lakehouse-cqlsh-") as folder:
        credentials, config = Path(folder, "credentials"), Path(folder, "cqlshrc")
        _write(credentials, {"PlainTextAuthProvider": {"username": settings.user, "password": settings.password}})
        _write(config, {"ssl": {"certfile": settings.ca_file or "", "validate": "true"}})
        command = [str(Path(sys.executable).with_name("cqlsh")), settings.host, str(settings.port)]
        options = [f"--credentials={credentials}", f"--cqlshrc={config}", *(["--ssl"] if settings.has_tls else [])]
        process = subprocess.Popen([*command, *options])  # noqa: S603 - the environment's own
        try:
            process.wait()
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()


def _write(file: Path, sections: dict[str, dict[str, str]]) -> None:
    parser = configparser.RawConfigParser()
    parser.read_dict(sections)
    with file.open("w", encoding="utf-8") as out:  # in a folder of mode 0700
        parser.write(out)
