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
    project wrote it, or the declaration has changed since. A part that cannot be read as is declared now has none.

    Raises:
        LandingError: A part is damaged.
    """
    columns = ColumnChecksums(table)
    found = {key: known[key] for key in known if columns.are_of(known[key])}
    named = {key for file in files for key in file.object_keys}
    for key in sorted(named - found.keys()):
        checksums = columns.of_lines(read_part(zone, key))
        if checksums is not None:
            found[key] = columns.text(checksums)
    return {key: found[key] for key in sorted(named & found.keys())}
