"""What a load did, and what several did one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lakehouse.landing.ledger import QuarantinedRecord
from lakehouse.landing.stage import Drift


@dataclass
class TableReport:
    """What a load did for a table, and what the table's ledger says after it."""

    name: str
    files: dict[str, int] = field(default_factory=dict)
    """Number of files by status: new, changed, unchanged, vanished, not named, of another day."""
    left_out: int = 0
    """Number of files that are not landed, since they are of days that this load was not asked for."""
    moved: dict[str, str] = field(default_factory=dict)
    """Sources that the ledger knew by another location, each with that; their files are unchanged."""
    copies: dict[str, str] = field(default_factory=dict)
    """Every file that is a copy, and of which one."""
    vanished: list[str] = field(default_factory=list)
    forgotten: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    records_found: int = 0
    records_new: int = 0
    """Number of records that this load landed."""
    records_landed: int = 0
    records_quarantined: int = 0
    records_suppressed: int = 0
    """Number of records that are neither landed nor in quarantine, since they name people who were erased."""
    drift: list[Drift] = field(default_factory=list)
    more_drift: int = 0
    """How often records had more undeclared keys than are listed."""
    parts_written: int = 0
    changed: bool = False
    """Whether the load changed anything of the table."""


@dataclass
class LandingReport:
    """What a load did."""

    zone: str
    dry_run: bool
    tables: dict[str, TableReport]
    unclaimed: dict[str, str | None]
    """Files of the sources that belong to no table, each with the table among whose files it lies."""
    records_rejected: int
    """How many records this load put in quarantine."""
    rejects: list[QuarantinedRecord]
    """The first hundred of them."""
    records_suppressed: int = 0
    """How many records this load left out, since they name people who were erased."""
    people_suppressed: int = 0
    """How many people these records name."""
    leading_out: list[str] = field(default_factory=list)
    """Links of the sources that lead out of them, and were not followed."""

    @property
    def changed(self) -> bool:
        """Whether the load changed anything."""
        return any(table.changed for table in self.tables.values())

    @property
    def records_quarantined(self) -> int:
        """How many records are in quarantine after the load."""
        return sum(table.records_quarantined for table in self.tables.values())

    @property
    def is_partial(self) -> bool:
        """Whether the sources hold files of days that were never landed."""
        return any(table.left_out for table in self.tables.values())


def together(reports: Sequence[LandingReport]) -> LandingReport:
    """What several loads of one zone did, one after the other: how it is after the last one, and what all have changed.

    Args:
        reports: At least one.
    """
    last = reports[-1]
    tables = {name: _together([report.tables[name] for report in reports]) for name in last.tables}
    return replace(
        last,
        tables=tables,
        records_rejected=sum(report.records_rejected for report in reports),
        rejects=[reject for report in reports for reject in report.rejects],
        records_suppressed=sum(report.records_suppressed for report in reports),
        people_suppressed=max(report.people_suppressed for report in reports),
    )


def _together(reports: Sequence[TableReport]) -> TableReport:
    """The same for a table. A file that an earlier load brought is unchanged to a later one: it counts once."""
    last = reports[-1]
    vanished = list(dict.fromkeys(file for report in reports for file in report.vanished))
    files = {kind: sum(report.files[kind] for report in reports) for kind in ("new", "changed")}
    files |= {"vanished": len(vanished), "not named": last.files["not named"], "of another day": 0}
    files["unchanged"] = sum(last.files.values()) - sum(files.values())
    return replace(
        last,
        files=files,
        vanished=vanished,
        records_new=sum(report.records_new for report in reports),
        forgotten=[file for report in reports for file in report.forgotten],
        drift=[drift for report in reports for drift in report.drift],
        more_drift=sum(report.more_drift for report in reports),
        parts_written=sum(report.parts_written for report in reports),
        changed=any(report.changed for report in reports),
    )
