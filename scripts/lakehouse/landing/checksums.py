"""The checksums of a table's parts, as its ledger shall have them."""

from collections.abc import Iterable, Mapping

from lakehouse.declaration import Table
from lakehouse.landing.ledger import LandedFile
from lakehouse.landing.parts import read_part
from lakehouse.records.checksums import ColumnChecksums
from lakehouse.storage.folder import Folder


def checksums_of(zone: Folder, table: Table, files: Iterable[LandedFile], known: Mapping[str, str]) -> dict[str, str]:
    """The checksums of the parts that a ledger names.

    A part never changes, so what is known of it holds. It is read where nothing is known: an older version of this
    project wrote it, or the declaration has changed since.

    Raises:
        LandingError: A part is damaged.
    """
    columns = ColumnChecksums(table)
    keys = sorted({key for file in files for key in file.object_keys})
    return {
        key: known[key] if columns.are_of(known.get(key)) else columns.text(columns.of_lines(read_part(zone, key)))
        for key in keys
    }
