"""Finds text that was encoded twice, and what it said before.

Some producers read UTF-8 as Latin-1 and wrote the result as UTF-8, two times over: `Björk` arrived as `BjÃ\\x83Â¶rk`.
Raw records stay as they are, so the repairs are landed beside them, as a table of their own.

Only text that was encoded twice is repaired. Undoing one encoding would harm clean text: `CAFÉ®`, read as Latin-1, is
valid UTF-8 of something else. Clean text does not survive two rounds: every doubly encoded character has, between two
accented capitals, a control character (U+0080 to U+009F) or a sign of U+00A0 to U+00B4. For the same reason no third
round is made: what two rounds leave may be clean, whether or not a third is possible.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from lakehouse.declaration import Table
from lakehouse.derived.part_facts import PartFacts
from lakehouse.derived.table import HeldZone, keep_tidy, land_additions, landed_zone
from lakehouse.derived.worked_out import note_report, noted_report, state_of
from lakehouse.errors import LandingError
from lakehouse.landing.contents import code_of, digest
from lakehouse.landing.landed import landed_parts
from lakehouse.landing.parts import read_part
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Say

REPAIRS_TABLE = "text_repairs"
VERSION = code_of(Path(__file__).parent, Path(__file__).name)
"""What is a garbled text, and what it said: by this file."""


@dataclass(frozen=True)
class RepairReport:
    """What the search for garbled text found."""

    values: int
    """Number of garbled values in the landed records."""
    repairs: int
    """Number of distinct garbled texts."""
    changed: bool
    """Whether the landing zone held other repairs, or none, before."""


class _Repair(msgspec.Struct, frozen=True):
    """The columns of the declared table text_repairs."""

    garbled_text: str
    repaired_text: str


def undo_double_encoding(text: str) -> str | None:
    """What a text said before it was read as Latin-1 twice; None where it was not."""
    once = _undo_encoding(text)
    return None if once is None else _undo_encoding(once)


def repair_text(zone: str | Path, tables: Mapping[str, Table], say: Say) -> RepairReport:
    """Finds the garbled texts of the landed records, and lands their repairs.

    Args:
        zone: The landing zone.
        tables: The declared tables, by name. Their columns with `repair_text` are searched.
        say: Is told what the search waits for.

    Raises:
        LandingError: There is no landing zone, or it cannot be read.
    """
    if REPAIRS_TABLE not in tables:
        raise LandingError(f"no table {REPAIRS_TABLE} is declared: there is nowhere to land the repairs")
    *searched, repairs_table = work = _work(tables)
    with landed_zone(zone, say) as held:
        noted = noted_report(held.folder, REPAIRS_TABLE, state_of(held.folder, work), RepairReport)
        if noted is not None:
            keep_tidy(held, [repairs_table])
            return noted
        texts = _garbled_texts(held, searched)
        repairs = [_Repair(text, repaired) for text in sorted(texts) if (repaired := undo_double_encoding(text))]
        lines = [msgspec.json.encode(repair) + b"\n" for repair in repairs]
        origin = ",".join(table.folder for table in searched)
        changed = land_additions(held, repairs_table, lines, origin, digest([VERSION, *searched]))
        report = RepairReport(texts.total(), len(repairs), changed=False)
        note_report(held, REPAIRS_TABLE, state_of(held.folder, work), report)
    return replace(report, changed=changed)


def is_repaired(zone: str | Path, tables: Mapping[str, Table]) -> bool:
    """Whether the repairs that are landed are those of all landed records, and not yet of some that came since.

    Raises:
        LandingError: A ledger cannot be read.
    """
    folder = open_folder(zone)
    return noted_report(folder, REPAIRS_TABLE, state_of(folder, _work(tables)), RepairReport) is not None


def _work(tables: Mapping[str, Table]) -> list[Table]:
    """The tables that are searched, and the one in which the repairs are landed."""
    return [*(table for table in tables.values() if table.repaired_columns), tables[REPAIRS_TABLE]]


def _undo_encoding(text: str) -> str | None:
    try:
        before = text.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return None
    return before if before != text else None


def _garbled_texts(held: HeldZone, searched: Sequence[Table]) -> Counter[str]:
    """How often each garbled text is in the landed records; a part is searched once."""
    facts = PartFacts(held.folder, REPAIRS_TABLE, searched, "", dict[str, int])
    texts: Counter[str] = Counter()
    for table in searched:
        for part in landed_parts(held.folder, table):
            found = facts.get(part)
            if found is None:
                suspicious = Counter(_suspicious_texts(read_part(held.folder, part), table))
                found = {text: count for text, count in suspicious.items() if undo_double_encoding(text) is not None}
                facts.add(part, found)
            texts.update(found)
    facts.note(held)
    return texts


def _suspicious_texts(lines: Iterable[bytes], table: Table) -> Iterator[str]:
    """Yields the values of records that are not plain ASCII, of the columns to repair."""
    columns = table.repaired_columns
    fields = [(f"column_{position}", msgspec.Raw, msgspec.Raw()) for position, _ in enumerate(columns)]
    names = {name: column.name for (name, *_), column in zip(fields, columns, strict=True)}
    decoder = msgspec.json.Decoder(msgspec.defstruct(table.name, fields, rename=names))
    for line in lines:
        if line.isascii() and b"\\u" not in line:
            continue
        for raw in msgspec.structs.astuple(decoder.decode(line)):
            value = bytes(raw)
            if value.startswith(b'"') and not (value.isascii() and b"\\u" not in value):
                yield msgspec.json.decode(value, type=str)
