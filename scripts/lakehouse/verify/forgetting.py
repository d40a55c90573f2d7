"""The step that erases somebody, and looks for what is left: by the eraser's own search, and by another one."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec

from lakehouse.declaration import Column, Person, Table
from lakehouse.errors import ExitCode
from lakehouse.identity import canonical_address
from lakehouse.landing.landed import column_reader, landed_lines
from lakehouse.verify.building import COUNTS, passed
from lakehouse.verify.left import BOUND, look_at_everything, remove_everything
from lakehouse.verify.run import DoesNotApplyError, Facts, NotKeptError
from lakehouse.verify.world import World, drop_relations

CONSENT = "shareWithResearchAsOfDate"
NO_CONSENT = frozenset({None, "", "0", "false"})


class Somebody(msgspec.Struct, frozen=True):
    """A person of the landed data: never part of the evidence."""

    address: str
    values: frozenset[str]
    """What is theirs alone: the address, pseudonyms, devices and phones."""


def erase(world: World) -> Facts:
    """Erases somebody, and lists every byte that is left of them: in the engine, and in every version of every object.

    Raises:
        NotKeptError: Something is left where nothing may be, or old versions hold it that nothing will remove.
    """
    somebody = choose_somebody(world)
    before = look_at_everything(world.places, somebody.values, world.work)
    held_by = relations_that_hold(world.work / "dumps/second", somebody)
    if not before.holding_bytes(latest=True) or not held_by:
        raise NotKeptError("the search finds nobody before the erasure either, so it would prove nothing")

    file = world.work / "somebody"
    file.write_text(somebody.address + "\n", encoding="utf-8")
    options = ("--zone", world.data.zone, "--target", world.dbt.target, "--dataset", world.data.name)
    # unit tests have passed in the first build, and say nothing of an erasure
    eraser = world.start("erase", *options, "--file", str(file), "--yes", DBT_EXCLUDE_RESOURCE_TYPES="unit_test")
    code = eraser.wait()
    if code != ExitCode.DONE:
        raise NotKeptError(f"lakehouse erase ended with {code}: {eraser.said().strip().replace(chr(10), ' | ')}")

    counts = passed(world, *COUNTS)
    after = look_at_everything(world.places, somebody.values, world.work)
    holding = relations_that_hold(world.dump("erased"), somebody)
    facts: Facts = {
        "relations that held them": len(held_by),
        "relations that hold them": len(holding),
        "tests passed": counts,
        "before": msgspec.structs.replace(before, holding=[]),
        "after": after,
        "the eraser said": eraser.said().splitlines(),
    }
    if holding:
        raise NotKeptError(f"after the erasure they are in {', '.join(holding)}")
    if left := [version.key for version in after.holding if version.is_latest]:
        raise NotKeptError(f"after the erasure {len(left):,} objects hold them: {', '.join(left[:5])}")
    if after.holding and after.old_versions_expire_after_days is None:
        raise NotKeptError(
            f"{len(after.holding):,} old versions of objects hold them, {after.holding_bytes(latest=False):,} bytes, "
            "and no rule of the bucket removes old versions: give it one (NoncurrentVersionExpiration)"
        )
    return facts


def remove(world: World) -> Facts:
    """Removes what the verification made on AWS, old versions included, and looks whether anything is left."""
    drop_relations(world.dbt)
    removed = remove_everything(world.places)
    left = look_at_everything(world.places, (), world.work)
    if not left.is_nothing:
        raise NotKeptError(
            f"{left.objects + left.old_versions:,} versions of objects are left below {', '.join(world.places)}"
        )
    return {"versions, delete markers and uploads removed": removed}


def relations_that_hold(dump: Path, somebody: Somebody) -> list[str]:
    """The relations in whose dumped rows something of the person stands, whatever the case of its letters."""
    wanted = [value.casefold() for value in somebody.values]
    texts = {file.stem: file.read_text(encoding="utf-8").casefold() for file in sorted(dump.glob("*.jsonl"))}
    return [relation for relation, text in texts.items() if any(value in text for value in wanted)]


def choose_somebody(world: World) -> Somebody:
    """The first customer by address who consents and walks, and whose address begins like no other one.

    Raises:
        DoesNotApplyError: There is none.
    """
    customers, readings = world.tables["customer_landing"], world.tables["accelerometer_landing"]
    consents: dict[str, list[str | None]] = defaultdict(list)
    for address, consent in _columns(world, customers, _column(customers, "email"), _named(customers, CONSENT)):
        consents[canonical_address(address or "")].append(consent)
    walkers = {canonical_address(user or "") for (user,) in _columns(world, readings, _column(readings, "email"))}
    everybody = consents.keys() | walkers
    for address in sorted(walkers & consents.keys()):
        begins = address[:BOUND]
        is_alone = sum(begins in other for other in everybody) == 1
        if address.isascii() and is_alone and not NO_CONSENT.intersection(consents[address]):
            return Somebody(address, frozenset({address, *_pseudonyms(world, address), *_numbers(world, address)}))
    raise DoesNotApplyError("nobody in the data consents, walks, and has an address that no other begins like")


def _pseudonyms(world: World, address: str) -> Iterator[str]:
    for table in world.tables.values():
        email, *names = (_column(table, "email"), *(one for one in table.columns if one.personal == "pseudonym"))
        if email is not None and names and not table.source_files:
            for known, *pseudonyms in _columns(world, table, email, *names):
                if canonical_address(known or "") == address:
                    yield from filter(None, pseudonyms)


def _numbers(world: World, address: str) -> Iterator[str]:
    """The devices and phones that no other customer names."""
    customers = world.tables["customer_landing"]
    owners: dict[str, set[str]] = defaultdict(set)
    kinds: tuple[Person, ...] = ("email", "serial_number", "phone")
    for known, *numbers in _columns(world, customers, *(_column(customers, kind) for kind in kinds)):
        for number in filter(None, numbers):
            owners[number].add(canonical_address(known or ""))
    return (number for number, whose in owners.items() if whose == {address})


def _columns(world: World, table: Table, *columns: Column | None) -> Iterator[tuple[str | None, ...]]:
    read = column_reader(table, [column for column in columns if column is not None])
    return map(read, landed_lines(world.zone, table))


def _column(table: Table, person: Person) -> Column | None:
    return next((column for column in table.columns if column.person == person), None)


def _named(table: Table, name: str) -> Column | None:
    return next((column for column in table.columns if column.name == name), None)
