"""The declaration of the raw data: reads the sources' YAML, on which every engine's reader is built too."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any, Literal, cast, get_args
from urllib.parse import quote

import yaml

from lakehouse.errors import LandingError

Kind = Literal["integer", "bigint", "double precision", "varchar", "boolean"]
Format = Literal["digits", "date", "epoch_ms"]
Person = Literal["email", "serial_number"]
"""How a column names a person: by the address, or by a device that may be other people's, too."""

SOURCE_FILES_OF_MODELS = "models/**/_*__sources.yml"
FORMATS_OF_KIND: Mapping[Kind, tuple[Format, ...]] = {
    "integer": (),
    "bigint": ("epoch_ms",),
    "double precision": ("epoch_ms",),
    "varchar": ("digits", "date"),
    "boolean": (),
}
OTHER_GROUP = "other"  # of files whose path tells none
MAX_GROUP_BYTES = 200  # of a group in a folder's name; file systems take 255 bytes for the whole name
_DATA_TYPE = re.compile(r"(integer|bigint|double precision|boolean)|varchar\(([1-9][0-9]*)\)")


@dataclass(frozen=True)
class Column:
    """A declared column of a landing table."""

    name: str
    type: str
    required: bool = False
    format: Format | None = None
    repair_text: bool = False
    person: Person | None = None

    @property
    def kind(self) -> Kind:
        """The type without its length."""
        return cast(Kind, self.type.partition("(")[0])

    @property
    def max_bytes(self) -> int:
        """How many bytes of UTF-8 a text column holds."""
        return int(self.type.partition("(")[2].rstrip(")"))


@dataclass(frozen=True)
class Table:
    """A declared landing table."""

    name: str
    source_name: str
    folder: str
    columns: tuple[Column, ...]
    source_files: tuple[str, ...] = ()
    part_by: str | None = None

    def group_of(self, source_file: str) -> str:
        """The group whose parts hold a source file's records; "" of a table without groups."""
        if self.part_by is None:
            return ""
        found = re.search(self.part_by, source_file)
        return (found.group(1) if found else "") or OTHER_GROUP

    def part_folder(self, group: str) -> str:
        """The folder of the landing zone that holds a group's parts; a group too long for a name gives its SHA-256."""
        if not group:
            return self.folder
        name = quote(group, safe=" ")
        return (
            f"{self.folder}/part={name if len(name) <= MAX_GROUP_BYTES else hashlib.sha256(group.encode()).hexdigest()}"
        )

    @property
    def repaired_columns(self) -> tuple[Column, ...]:
        """The columns whose texts may have been encoded twice."""
        return tuple(column for column in self.columns if column.repair_text)


def load_tables(project_dir: Path) -> dict[str, Table]:
    """Reads every declared table of a dbt project, by name.

    Raises:
        LandingError: There is no declaration, or one makes no sense; the message names file, table and column.
    """
    tables: dict[str, Table] = {}
    for path in sorted(project_dir.glob(SOURCE_FILES_OF_MODELS)):
        for source in yaml.safe_load(path.read_text(encoding="utf-8"))["sources"]:
            for declared in source["tables"]:
                if _meta(declared).get("derived"):  # by the engine, of what is landed
                    continue
                table = _table(path, source["name"], declared)
                if table.name in tables:
                    raise LandingError(f"{path}: table {table.name} is declared twice")
                tables[table.name] = table
    for first, second in permutations(tables.values(), 2):
        if f"{second.folder}/".startswith(f"{first.folder}/"):
            raise LandingError(
                f"landing_folder {second.folder} of table {second.name} lies in that of table {first.name}: "
                "each load of one would delete the other's parts"
            )
    if not tables:
        raise LandingError(f"no table is declared: {project_dir} has no file {SOURCE_FILES_OF_MODELS}")
    return tables


def _table(path: Path, source_name: str, declared: Mapping[str, Any]) -> Table:
    where = f"{path}: table {declared['name']}"
    meta = _meta(declared)
    if not str(meta.get("landing_folder") or "").strip("/"):
        raise LandingError(f"{where} has no meta.landing_folder")
    part_by = meta.get("part_by")
    if part_by is not None and _groups_of(part_by) != 1:
        raise LandingError(f"{where}: part_by {part_by!r} is not a regular expression with one group")
    columns = tuple(_column(where, column) for column in declared.get("columns", ()))
    names = [column.name.lower() for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise LandingError(f"{where}, column {name}: declared twice (engines do not tell upper from lower case)")
    return Table(
        name=declared["name"],
        source_name=source_name,
        folder=meta["landing_folder"].strip("/"),
        columns=columns,
        source_files=tuple(meta.get("source_files", ())),
        part_by=part_by,
    )


def _column(where: str, declared: Mapping[str, Any]) -> Column:
    where = f"{where}, column {declared['name']}"
    meta = _meta(declared)
    data_type = str(declared.get("data_type", ""))
    if not _DATA_TYPE.fullmatch(data_type):
        raise LandingError(
            f"{where}: unknown data_type {data_type!r}, "
            "known are integer, bigint, double precision, boolean, varchar(n)"
        )
    column = Column(
        name=declared["name"],
        type=data_type,
        required=bool(meta.get("required", False)),
        format=meta.get("format"),
        repair_text=bool(meta.get("repair_text", False)),
        person=meta.get("person"),
    )
    if column.format is not None and column.format not in get_args(Format):
        raise LandingError(f"{where}: unknown format {column.format!r}, known are {', '.join(get_args(Format))}")
    if column.format is not None and column.format not in FORMATS_OF_KIND[column.kind]:
        raise LandingError(f"{where}: format {column.format} does not fit data_type {data_type}")
    if column.person is not None and column.person not in get_args(Person):
        raise LandingError(f"{where}: unknown person {column.person!r}, known are {', '.join(get_args(Person))}")
    return column


def _meta(declared: Mapping[str, Any]) -> Mapping[str, Any]:
    return cast(Mapping[str, Any], declared.get("config", {}).get("meta", {}))


def _groups_of(pattern: str) -> int | None:
    try:
        return re.compile(pattern).groups
    except re.error:
        return None
