"""Environments other than production: what an engine holds of one, and how it is dropped, with its files on S3."""

from collections.abc import Iterator, Sequence

import msgspec

from lakehouse.console import counted
from lakehouse.environment import variables
from lakehouse.errors import LandingError
from lakehouse.pipeline.databases import (
    VARIABLE,
    DuckDBFiles,
    check_that_nobody_has_it_open,
    close_connections,
    named_path,
    only_command,
)
from lakehouse.pipeline.dbt_session import DbtSession
from lakehouse.storage.folder import Say
from lakehouse.storage.s3 import S3Prefix


class Schema(msgspec.Struct, frozen=True):
    """A schema of an environment, and how many relations it has."""

    schema: str
    relations: int


class _Environment(msgspec.Struct, frozen=True):
    """What macros/environments/drop_environment.sql tells."""

    schemas: list[Schema]
    place: str
    """Where the tables lie, s3://bucket/prefix; "" on engines that keep them themselves."""


def each_database(dbt: DbtSession) -> Iterator[str]:
    """Has dbt open each database that may hold an environment, one after the other, and gives where it is.

    On Redshift and Athena that is one. On DuckDB, files that were set aside for other landing zones are among them.

    Raises:
        LandingError: Another program has a DuckDB file open.
    """
    if dbt.target != "duckdb":
        yield f"the {dbt.target} output of {dbt.project_dir / 'profiles.yml'}"
        return
    files = DuckDBFiles(named_path(dbt.project_dir))
    with only_command(files):
        check_that_nobody_has_it_open(files)
        try:
            for path in files.all():
                close_connections()
                with variables({VARIABLE: str(path)}):
                    yield str(path)
        finally:
            close_connections()


def parts_of_environment(dbt: DbtSession, name: str) -> list[str]:
    """What there is of an environment in the database that dbt has open, a sentence each.

    Raises:
        DbtError: The engine cannot be asked.
        LandingError: S3 cannot be read.
    """
    environment = _tell(dbt)
    parts = [f"{found.schema}, with {counted(found.relations, 'relation')}" for found in environment.schemas]
    if folder := _own_folder(environment.place, name):
        sizes = [stored.size for stored in folder.list(hidden=True)]
        if sizes:
            parts.append(f"{counted(len(sizes), 'file')} below {folder.location}, {sum(sizes) / 1e6:,.1f} MB")
    return parts


def drop_environment(dbt: DbtSession, name: str, say: Say) -> None:
    """Drops an environment from the database that dbt has open, then its files. What was dropped by now stays so.

    Raises:
        DbtError: The engine refuses.
        LandingError: S3 does.
    """
    place = _tell(dbt).place
    dbt.operation("drop_environment")
    if folder := _own_folder(place, name):
        keys = [stored.key for stored in folder.list(hidden=True)]
        folder.delete(keys)
        if keys:
            say(f"removed {counted(len(keys), 'file')} below {folder.location}")


def other_environments(dbt: DbtSession, name: str) -> Sequence[str]:
    """The names of the other environments in the database that dbt has open; production's is "".

    Raises:
        DbtError: The engine cannot be asked.
    """
    (answer,) = dbt.ask("tell_environments")
    return [other for other in msgspec.convert(answer, list[str]) if other != name]


def _tell(dbt: DbtSession) -> _Environment:
    (answer,) = dbt.ask("tell_environment")
    return msgspec.convert(answer, _Environment)


def _own_folder(place: str, name: str) -> S3Prefix | None:
    """The environment's place on S3, which is nobody else's.

    Raises:
        LandingError: It may be somebody else's.
    """
    if not place:
        return None
    if not place.endswith(f"/environments/{name}"):
        raise LandingError(f"{place} is not the place of {name} alone: copy profiles.example.yml to profiles.yml")
    return S3Prefix.parse(place)
