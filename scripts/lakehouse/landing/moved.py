"""Finds out that a source has moved: its folder is gone, and a folder that is new to the ledger has all of its files.

A ledger knows files by their source and the path below it. A source is its location; with a checkout that moves, or a
folder that gets another name, it changes, and the files do not.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from lakehouse.landing.ledger import LandedFile, TableLedger
from lakehouse.storage.folder import is_s3
from lakehouse.storage.source_files import SourceFile


def moved_sources(table_ledger: TableLedger, found: Sequence[SourceFile]) -> dict[str, str]:
    """Where sources that are named were before, as far as paths and sizes tell.

    Rows of a quarantine name their source, and what was decided about them hangs on that: of a table with such rows no
    source is taken for a moved one.
    """
    there: dict[str, dict[str, SourceFile]] = defaultdict(dict)
    for file in found:
        there[file.source][file.source_file] = file
    known: dict[str, list[LandedFile]] = defaultdict(list)
    for landed in table_ledger.files.values():
        known[landed.file.source].append(landed)
    moved: dict[str, str] = {}
    for before, files in sorted(known.items()):
        if before in there or is_s3(before) or Path(before).is_dir() or any(file.quarantine_keys for file in files):
            continue
        for now in sorted(there.keys() - known.keys() - moved.keys()):
            if all(_size(there[now].get(landed.file.source_file)) == landed.file.size for landed in files):
                moved[now] = before
                break
    return moved


def truly_moved(moved: Mapping[str, str], table_ledger: TableLedger, found: Sequence[SourceFile]) -> dict[str, str]:
    """Those of the moved sources of which every file has the content that was landed."""
    fingerprints = {file.key: file.sha256 for file in found}
    return {
        now: before
        for now, before in moved.items()
        if all(
            fingerprints[now, landed.file.source_file] == landed.file.sha256
            for landed in table_ledger.files.values()
            if landed.file.source == before
        )
    }


def with_sources_renamed(table_ledger: TableLedger, moved: Mapping[str, str]) -> TableLedger:
    """A ledger that knows moved sources by where they are now; it is to be written anew, then."""
    if not moved:
        return table_ledger
    now_at = {before: now for now, before in moved.items()}
    files = [
        replace(landed, file=replace(landed.file, source=now_at.get(landed.file.source, landed.file.source)))
        for landed in table_ledger.files.values()
    ]
    return replace(table_ledger, files={landed.key: landed for landed in files}, is_old=True)


def _size(file: SourceFile | None) -> int | None:
    return file.size if file else None
