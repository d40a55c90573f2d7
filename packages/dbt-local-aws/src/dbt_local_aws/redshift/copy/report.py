"""What came of reading the files of a COPY."""

from dataclasses import dataclass, field

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.record import Record


@dataclass
class LoadError:
    """One record that could not be loaded."""

    file: str
    record: Record
    code: int
    message: str
    column: Column | None = None
    position: int = 0
    value: str | None = None


@dataclass
class LoadedFile:
    """One file that was read."""

    url: str
    bytes_scanned: int
    lines_scanned: int


@dataclass
class LoadReport:
    """What came of a load."""

    rows: int = 0
    files: list[LoadedFile] = field(default_factory=list)
    errors: list[LoadError] = field(default_factory=list)
