"""The steps that land: once, again, and by two loaders at once."""

from collections.abc import Mapping

from lakehouse.errors import ExitCode
from lakehouse.landing.housekeeping import take_inventory
from lakehouse.landing.landed import landed_lines
from lakehouse.landing.ledger import read_ledger
from lakehouse.storage import open_folder
from lakehouse.storage.folder import Folder
from lakehouse.verify.left import remove_everything
from lakehouse.verify.run import DoesNotApplyError, Facts, NotKeptError
from lakehouse.verify.world import World, last_lines

TRIES = 3
"""How often two loads are started at once before it counts as given that they never meet."""


def land(world: World) -> Facts:
    """Lands the data, and counts what lies there: as many records as the ledger says."""
    world.data.land(world.reporter)
    return {"landed": counted_records(world, world.zone)}


def counted_records(world: World, zone: Folder) -> dict[str, int]:
    """The records that lie in a zone, by table, each counted where it lies.

    Raises:
        NotKeptError: The ledger says something else, or records lie there that it does not name.
    """
    counts = {}
    for table in world.landed_tables:
        ledger = read_ledger(zone, table.name)
        lying = sum(1 for _ in landed_lines(zone, table))
        files = ledger.files.values()
        landed = sum(segment.records_landed for file in files for segment in file.segments)
        if lying != landed:
            raise NotKeptError(f"{table.name}: {lying:,} records lie in the zone, the ledger says {landed:,}")
        if leftovers := take_inventory(zone, table, ledger).leftovers:
            raise NotKeptError(
                f"{table.name}: {len(leftovers):,} objects lie in the zone that the ledger does not name"
            )
        counts[table.name] = lying
    if not sum(counts.values()):
        raise NotKeptError("nothing was landed: the source has no records")
    return counts


def land_again(world: World) -> Facts:
    """Lands the same data again: every object of the zone is the same afterwards, to its version."""
    before = objects_of(world.zone)
    world.data.land(world.reporter)
    after = objects_of(world.zone)
    if before != after:
        other = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        raise NotKeptError(f"{len(other):,} objects are others after a second landing: {', '.join(other[:5])}")
    return {"objects": len(after)}


def objects_of(zone: Folder) -> Mapping[str, str]:
    """The version of every object."""
    return {stored.key: stored.version for stored in zone.list(hidden=True)}


def two_loaders(world: World) -> Facts:
    """Has two loaders land the same files in a new zone at once: one waits or refuses, and no record is there twice."""
    expected = counted_records(world, world.zone)
    for number in range(1, TRIES + 1):
        zone = f"{world.places[0]}/two_loaders/{number}"
        options = [option for source in world.sources for option in ("--source", source)]
        loaders = [world.start("land", *options, "--to", zone) for _ in range(2)]
        codes = [loader.wait() for loader in loaders]
        if ExitCode.DONE not in codes or set(codes) - {ExitCode.DONE, ExitCode.REFUSED}:
            raise NotKeptError(f"the loaders ended with the codes {codes}: {last_lines(loaders)}")
        found = counted_records(world, open_folder(zone))
        remove_everything([zone])
        if found != expected:
            raise NotKeptError(f"two loaders landed {found}, one alone {expected}")
        if any("is locked by" in loader.said() for loader in loaders):
            refused = codes.count(ExitCode.REFUSED)
            return {"exit codes": codes, "the other one": "refused" if refused else "waited", "landed": found}
    raise DoesNotApplyError(f"the two never met in {TRIES} tries: take more data (--scale)")
