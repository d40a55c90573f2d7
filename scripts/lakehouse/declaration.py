"""The declaration of the raw data: reads the sources' YAML, on which every engine's reader is built too."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Literal, cast, get_args
from urllib.parse import quote

import msgspec
import yaml

from lakehouse.errors import LandingError

Kind = Literal["integer", "bigint", "double precision", "varchar", "boolean"]
Format = Literal["digits", "date", "epoch_ms", "epoch_ms_or_none"]
Person = Literal["email", "serial_number", "phone", "owner_token"]
"""How a column names a person: by the address; by a device or a phone that may be other people's, too; or by a token
that is replaced when the person is erased, while the row stays."""

LOADER = "loader"
"""The source of the loader's own tables; every other one is a product's."""
SOURCE_FILES_OF_MODELS = "models/**/_*__sources.yml"
FORMATS_OF_KIND: Mapping[Kind, tuple[Format, ...]] = {
    "integer": (),
    "bigint": ("epoch_ms",),
    "double precision": ("epoch_ms",),
    "varchar": ("digits", "date", "epoch_ms_or_none"),
    "boolean": (),
}
MAX_VARCHAR_BYTES = 65_535  # https://docs.aws.amazon.com/redshift/latest/dg/r_Character_types.html
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
    personal: str | None = None
    """What the column tells of a person: identifier, quasi_identifier or pseudonym."""
    from_ledger: bool = False
    """Whether the ledger says it of a record's file, and no record has it."""

    @property
    def kind(self) -> Kind:
        """The type without its length."""
        return cast(Kind, self.type.partition("(")[0])

    @property
    def max_bytes(self) -> int:
        """How many bytes of UTF-8 a text column holds."""
        return int(self.type.partition("(")[2].rstrip(")"))


LEDGER_COLUMN = Column("landed_at", "bigint", from_ledger=True)  # what a landing table can have of the ledger


@dataclass(frozen=True)
class Table:
    """A declared landing table."""

    name: str
    source_name: str
    folder: str
    columns: tuple[Column, ...]
    source_files: tuple[str, ...] = ()
    part_by: str | None = None
    checksum_key: tuple[str, ...] = ()
    """The columns that tell its records apart, if the checksums of its columns are to see an exchange of values."""

    def group_of(self, source_file: str) -> str:
        """The group whose parts hold a source file's records; "" of a table without groups."""
        if self.part_by is None:
            return ""
        found = re.search(self.part_by, source_file)
        return (found.group(1) if found else "") or OTHER_GROUP

    def day_of(self, source_file: str) -> date | None:
        """The day that a source file is of, where the table's groups are days; None where its path tells none."""
        try:
            return date.fromisoformat(self.group_of(source_file))
        except ValueError:
            return None

    def part_folder(self, group: str) -> str:
        """The folder of the landing zone that holds a group's parts; a group too long for a name gives its SHA-256."""
        if not group:
            return self.folder
        name = quote(group, safe=" ")
        return (
            f"{self.folder}/part={name if len(name) <= MAX_GROUP_BYTES else hashlib.sha256(group.encode()).hexdigest()}"
        )

    @property
    def record_columns(self) -> tuple[Column, ...]:
        """The columns that stand in the raw records; what the ledger adds to them is not among these."""
        return tuple(column for column in self.columns if not column.from_ledger)

    @property
    def repaired_columns(self) -> tuple[Column, ...]:
        """The columns whose texts may have been encoded twice."""
        return tuple(column for column in self.columns if column.repair_text)


class _ColumnMeta(msgspec.Struct, frozen=True):
    required: bool = False
    format: str | None = None
    repair_text: bool = False
    person: str | None = None
    from_ledger: bool = False
    personal: str | None = None


class _ColumnConfig(msgspec.Struct, frozen=True):
    meta: _ColumnMeta = _ColumnMeta()


class _DeclaredColumn(msgspec.Struct, frozen=True):
    name: str
    data_type: str = ""
    config: _ColumnConfig = _ColumnConfig()


class _TableMeta(msgspec.Struct, frozen=True):
    landing_folder: str | None = None
    source_files: tuple[str, ...] = ()
    part_by: str | None = None
    checksum_key: tuple[str, ...] = ()
    derived: bool = False
    """By the engine, of what is landed."""


class _TableConfig(msgspec.Struct, frozen=True):
    meta: _TableMeta = _TableMeta()


class _DeclaredTable(msgspec.Struct, frozen=True):
    name: str
    config: _TableConfig = _TableConfig()
    columns: tuple[_DeclaredColumn, ...] = ()


class _DeclaredSource(msgspec.Struct, frozen=True):
    name: str
    tables: tuple[_DeclaredTable, ...] = ()


class _Declaration(msgspec.Struct, frozen=True):
    """What the loader reads of a YAML file; dbt reads more of it."""

    sources: tuple[_DeclaredSource, ...]


def load_tables(project_dir: Path) -> dict[str, Table]:
    """Reads every declared table of a dbt project, by name.

    Raises:
        LandingError: There is no declaration, or one makes no sense; the message names file, table and column.
    """
    paths = sorted(project_dir.glob(SOURCE_FILES_OF_MODELS))
    return dict(_tables(project_dir, tuple((path, path.read_bytes()) for path in paths)))


@lru_cache(maxsize=1)
def _tables(project_dir: Path, files: tuple[tuple[Path, bytes], ...]) -> Mapping[str, Table]:
    """The tables of a project's files; a command asks several times, and YAML is slow to read."""
    tables: dict[str, Table] = {}
    for path, content in files:
        for source in _read(path, content).sources:
            for declared in source.tables:
                if declared.config.meta.derived:
                    continue
                table = _table(path, source.name, declared)
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


def _read(path: Path, content: bytes) -> _Declaration:
    try:
        return msgspec.convert(yaml.safe_load(content.decode()), _Declaration)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise LandingError(f"{path} is no YAML: {' '.join(str(error).split())}") from error
    except msgspec.ValidationError as error:  # it says where, as in $.sources[0].tables[0].name
        raise LandingError(f"{path}: {error}") from error


def _table(path: Path, source_name: str, declared: _DeclaredTable) -> Table:
    where = f"{path}: table {declared.name}"
    meta = declared.config.meta
    folder = (meta.landing_folder or "").strip("/")
    if not folder:
        raise LandingError(f"{where} has no meta.landing_folder")
    if meta.part_by is not None and _groups_of(meta.part_by) != 1:
        raise LandingError(f"{where}: part_by {meta.part_by!r} is not a regular expression with one group")
    columns = tuple(_column(where, column) for column in declared.columns)
    names = [column.name.lower() for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise LandingError(f"{where}, column {name}: declared twice (engines do not tell upper from lower case)")
    table = Table(declared.name, source_name, folder, columns, meta.source_files, meta.part_by, meta.checksum_key)
    _check_checksum_key(where, table)
    return table


def _check_checksum_key(where: str, table: Table) -> None:
    required = [column.name for column in table.record_columns if column.required]
    if not set(table.checksum_key) <= set(required):
        raise LandingError(
            f"{where}: checksum_key {list(table.checksum_key)} must name required columns of the records"
        )
    if table.checksum_key and any(column.kind in ("double precision", "boolean") for column in table.record_columns):
        raise LandingError(f"{where}: checksum_key fits tables of texts and whole numbers only")


def _column(where: str, declared: _DeclaredColumn) -> Column:
    where = f"{where}, column {declared.name}"
    meta, data_type = declared.config.meta, declared.data_type
    found = _DATA_TYPE.fullmatch(data_type)
    if not found:
        raise LandingError(
            f"{where}: unknown data_type {data_type!r}, "
            "known are integer, bigint, double precision, boolean, varchar(n)"
        )
    if found[2] and int(found[2]) > MAX_VARCHAR_BYTES:
        raise LandingError(f"{where}: {data_type} is longer than Redshift's longest, varchar({MAX_VARCHAR_BYTES})")
    if meta.format is not None and meta.format not in get_args(Format):
        raise LandingError(f"{where}: unknown format {meta.format!r}, known are {', '.join(get_args(Format))}")
    if meta.person is not None and meta.person not in get_args(Person):
        raise LandingError(f"{where}: unknown person {meta.person!r}, known are {', '.join(get_args(Person))}")
    column = Column(
        name=declared.name,
        type=data_type,
        required=meta.required,
        format=cast(Format | None, meta.format),
        repair_text=meta.repair_text,
        person=cast(Person | None, meta.person),
        from_ledger=meta.from_ledger,
        personal=meta.personal,
    )
    if column.from_ledger and column != LEDGER_COLUMN:
        raise LandingError(
            f"{where}: from_ledger fits {LEDGER_COLUMN.name} {LEDGER_COLUMN.type} only, without other keys"
        )
    if column.format is not None and column.format not in FORMATS_OF_KIND[column.kind]:
        raise LandingError(f"{where}: format {column.format} does not fit data_type {data_type}")
    return column


def _groups_of(pattern: str) -> int | None:
    try:
        return re.compile(pattern).groups
    except re.error:
        return None
