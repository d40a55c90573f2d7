"""The files of one UNLOAD: which row goes into which, how they are called, and the manifest that lists them."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dbt_local_aws.redshift.copy.column import Column
from dbt_local_aws.redshift.copy.json_records import without_blanks
from dbt_local_aws.redshift.copy.s3 import S3
from dbt_local_aws.redshift.errors import INTERNAL_ERROR, RedshiftError
from dbt_local_aws.redshift.unload.command import UnloadCommand
from dbt_local_aws.redshift.unload.parts import Part, new_part
from dbt_local_aws.redshift.unload.rows import Row

SLICES = 2  # of a cluster with one small node
_COMPRESSIONS = {"gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst"}
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
# what Hive writes as %XX in the name of a folder; the page says only that Hive's convention is followed
_NOT_IN_A_NAME = set("\"#%'*/:=?\\{[]^\x7f") | {chr(code) for code in range(1, 32)}


@dataclass
class WrittenFile:
    """A file that lies in S3."""

    url: str
    size: int
    lines: int
    rows: int


class Files:
    """The files of one UNLOAD."""

    def __init__(self, command: UnloadCommand, columns: Sequence[Column], bucket: S3) -> None:
        names = [column.name for column in columns]
        self._command = command
        self._columns = columns
        self._bucket = bucket
        self._keys = [names.index(name) for name in command.partition_by]
        kept = [at for at in range(len(columns)) if command.includes_partitions or at not in self._keys]
        self._kept = kept if len(kept) < len(columns) else None
        self._shown = [columns[at] for at in kept]
        self._supers = [at for at, column in enumerate(columns) if column.type == "super"]
        self._slices = SLICES if command.parallel else 1
        self._open: dict[tuple[str, int], Part] = {}
        self._numbers: dict[tuple[str, int], int] = {}
        self._seen_folders: set[str] = set()
        self._rows = 0
        self.written: list[WrittenFile] = []

    def prepare(self) -> None:
        """Looks at what lies there already, and removes it where CLEANPATH asks for that."""
        command = self._command
        if command.allow_overwrite or (command.clean_path and command.partition_by):
            return
        existing = self._bucket.list(command.prefix)
        if command.clean_path:
            self._bucket.delete(existing)
        elif existing:
            raise RedshiftError(
                INTERNAL_ERROR,
                "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
                "removing the target files in S3, or using the ALLOWOVERWRITE option.",
            )

    def write(self, rows: Sequence[Row]) -> None:
        """Adds rows: by turns to the slices, of each partition."""
        for row in map(self._compacted, rows):
            place = self._folder(row), self._rows % self._slices
            self._rows += 1
            part = self._open.get(place) or self._begin(place)
            part.write(row if self._kept is None else [row[at] for at in self._kept])
            if part.size() >= self._command.max_file_size:
                self._end(place)

    def _compacted(self, row: Row) -> Row:
        for at in self._supers:
            if (value := row[at]) is not None:
                row = [*row[:at], without_blanks(value), *row[at + 1 :]]
        return row

    def finish(self) -> None:
        """Ends all files. A file of text is written by every slice, also by one without rows: that is inferred."""
        if self._command.format != "parquet" and not self._command.partition_by:
            for place in (("", number) for number in range(self._slices)):
                if place not in self._open and place not in self._numbers:
                    self._begin(place)
        for place in sorted(self._open):
            self._end(place)
        self.written.sort(key=lambda file: file.url)
        if self._command.manifest:
            content = json.dumps(self._manifest(), indent=2, ensure_ascii=False).encode()
            self._bucket.put(f"{self._command.prefix}manifest", io.BytesIO(content))

    def _begin(self, place: tuple[str, int]) -> Part:
        folder = place[0]
        if folder and folder not in self._seen_folders:
            self._seen_folders.add(folder)
            if self._command.clean_path:
                self._bucket.delete(self._bucket.list(self._command.prefix + folder))
        part = self._open[place] = new_part(self._command, self._shown)
        return part

    def _end(self, place: tuple[str, int]) -> None:
        part = self._open.pop(place)
        number = self._numbers[place] = self._numbers.get(place, -1) + 1
        url = self._command.prefix + place[0] + self._name(place[1], number)
        part.finish()
        with part.content:
            size = part.content.seek(0, io.SEEK_END)
            part.content.seek(0)
            self._bucket.put(url, part.content)
        self.written.append(WrittenFile(url, size, part.lines, part.rows))

    def _name(self, slice_number: int, part_number: int) -> str:
        """<slice-number>_part_<part-number>, or with PARALLEL OFF three digits, and what stands behind them."""
        name = f"{slice_number:04d}_part_{part_number:02d}" if self._command.parallel else f"{part_number:03d}"
        if self._command.extension is not None:
            return f"{name}.{self._command.extension.removeprefix('.')}"
        if self._command.format == "parquet":
            return f"{name}.parquet"
        return name + _COMPRESSIONS.get(self._command.compression or "", "")

    def _folder(self, row: Row) -> str:
        pairs = zip(self._command.partition_by, (row[at] for at in self._keys), strict=True)
        return "".join(f"{name}={_folder_name(value)}/" for name, value in pairs)

    def _manifest(self) -> dict[str, Any]:
        """Verbose or not, it has the length of each file: COPY of Parquet needs it."""
        verbose = self._command.verbose
        entries = [
            {
                "url": file.url,
                "meta": {"content_length": file.size, **({"record_count": file.lines} if verbose else {})},
            }
            for file in self.written
        ]
        if not verbose:
            return {"entries": entries}
        return {
            "entries": entries,
            "schema": {"elements": [{"name": column.name, "type": _type(column)} for column in self._shown]},
            "meta": {
                "content_length": sum(file.size for file in self.written),
                "record_count": sum(file.lines for file in self.written),
            },
            "author": {"name": "Amazon Redshift", "version": "1.0.0"},
        }


def _folder_name(value: str | None) -> str:
    if value is None or not value:
        return _NULL_PARTITION
    return "".join(f"%{ord(character):02X}" if character in _NOT_IN_A_NAME else character for character in value)


def _type(column: Column) -> dict[str, object]:
    """A type with its dimensions. The page shows these without names, which is no JSON: the names are inferred."""
    if column.length is not None:
        return {"base": column.type, "max_length": column.length}
    if column.precision is not None:
        return {"base": column.type, "precision": column.precision, "scale": column.scale}
    return {"base": column.type}
