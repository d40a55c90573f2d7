"""Which key makes the pseudonyms: what data is called does not decide it, its bytes do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lakehouse.console import ConsoleReporter
from lakehouse.derived.people import land_people
from lakehouse.derived.pseudonyms import check_key, key_of_zone
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import (
    PUBLIC,
    PUBLIC_KEY,
    PseudonymKey,
    key_of_landed,
    key_to_come,
    public_fingerprints,
    secret_key,
)
from lakehouse.pipeline.dataset import Dataset
from lakehouse.sample import generate
from landing_helpers import TABLES, put
from real_data import PROJECT_DIR, SMALL_FILES, UDACITY, needs_real_data

pytestmark = pytest.mark.quick

SECRET = "5fd81c0b7a3e9624" + "c0ffee0123456789" * 3
KEY = PseudonymKey(SECRET.encode())
OTHER = PseudonymKey(b"another key, of 32 characters ..")
CUSTOMERS = "stedi/customer/landing/customers.json"
CUSTOMER = {
    "email": "a@test.com",
    "serialNumber": "D1",
    "registrationDate": 1_655_564_400_000,
    "lastUpdateDate": 1_655_564_400_000,
}
SONG = {"song_id": "S1", "title": "t", "artist_id": "A1", "artist_name": "n", "duration": 1.5}
NONE: dict[str, int] = {}


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PSEUDONYM_KEY", raising=False)


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    """A project folder in which the sample was made."""
    generate(tmp_path / "project/sample_data", 0.02)
    return tmp_path / "project"


def both_ways(source: Path, zone: Path, public: dict[str, int]) -> Callable[[], PseudonymKey]:
    """The key as foreseen before a load, and as it is after it; the two must agree."""

    def ask() -> PseudonymKey:
        try:
            foreseen: PseudonymKey | None = key_to_come([str(source)], zone, TABLES, public)
        except LandingError:
            foreseen = None
        land([source], zone, TABLES)
        try:
            key = key_of_landed(zone, TABLES, public)
        except LandingError:
            assert foreseen is None
            raise
        assert key == foreseen
        assert key == (foreseen := key_to_come([str(source)], zone, TABLES, public))
        return key

    return ask


@pytest.mark.parametrize("name", ["small_files", "udacity", "sample_data", "sample_x10"])
def test_private_data_under_a_public_name_needs_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    put(tmp_path / name, CUSTOMERS, [CUSTOMER])
    ask = both_ways(tmp_path / name, tmp_path / "zone" / name, dict(public_fingerprints(PROJECT_DIR)))
    with pytest.raises(LandingError, match=r"customers\.json is not known to be public, and there is no key .*openssl"):
        ask()
    monkeypatch.setenv("PSEUDONYM_KEY", f"{SECRET}\n")
    assert ask() == KEY


@needs_real_data
def test_the_known_data_sets_are_public_whatever_they_are_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = dict(public_fingerprints(PROJECT_DIR))
    shutil.copytree(UDACITY / "stedi/customer", tmp_path / "mine/stedi/customer", copy_function=shutil.copyfile)
    for folder in (tmp_path / "mine", SMALL_FILES):
        monkeypatch.delenv("PSEUDONYM_KEY", raising=False)
        ask = both_ways(folder, tmp_path / "zones" / folder.name, public)
        assert ask() == PUBLIC
        monkeypatch.setenv("PSEUDONYM_KEY", SECRET)
        assert ask() == PUBLIC


@needs_real_data
def test_all_of_udacitys_files_about_people_are_known() -> None:
    assert key_to_come([str(UDACITY)], "no/such/zone", TABLES, public_fingerprints(PROJECT_DIR)) == PUBLIC


@needs_real_data
def test_a_single_byte_more_makes_a_public_file_a_private_one(tmp_path: Path) -> None:
    shutil.copytree(UDACITY / "stedi/customer", tmp_path / "udacity/stedi/customer", copy_function=shutil.copyfile)
    (file,) = (tmp_path / "udacity").rglob("*.json")
    changed = file.read_bytes().replace(b'"email":"', b'"email":"X', 1)
    file.write_bytes(changed[: len(changed) - 1])  # of the same size, so that only the bytes tell
    with pytest.raises(LandingError, match="is not known to be public"):
        both_ways(tmp_path / "udacity", tmp_path / "zone", dict(public_fingerprints(PROJECT_DIR)))()


def test_the_sample_is_public_and_a_file_that_somebody_put_beside_it_is_not(sample: Path, tmp_path: Path) -> None:
    public = dict(public_fingerprints(sample))
    assert both_ways(sample / "sample_data", tmp_path / "zone", public)() == PUBLIC
    put(sample / "sample_data", CUSTOMERS, [CUSTOMER])
    assert dict(public_fingerprints(sample)) == public
    with pytest.raises(LandingError, match=r"landing/customers\.json is not known to be public"):
        both_ways(sample / "sample_data", tmp_path / "zone", public)()


def test_a_zone_that_holds_more_than_public_files_needs_a_secret(sample: Path, tmp_path: Path) -> None:
    """Be it that what is not public came from another source, by an earlier load."""
    put(tmp_path / "mine", CUSTOMERS, [CUSTOMER])
    land([tmp_path / "mine"], tmp_path / "zone", TABLES)
    with pytest.raises(LandingError, match=r"mine/.*customers\.json is not known to be public"):
        both_ways(sample / "sample_data", tmp_path / "zone", dict(public_fingerprints(sample)))()


def test_data_without_people_needs_no_key_and_leaves_the_choice_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "mine", "sparkify/song_data/songs.jsonl", [SONG])
    put(tmp_path / "mine", CUSTOMERS, "")
    zone = tmp_path / "zone"
    assert both_ways(tmp_path / "mine", zone, NONE)() == PUBLIC
    land_people(zone, TABLES, PUBLIC, print)
    put(tmp_path / "mine", CUSTOMERS, [CUSTOMER])
    monkeypatch.setenv("PSEUDONYM_KEY", SECRET)
    check_key(zone, TABLES, both_ways(tmp_path / "mine", zone, NONE)())
    assert land_people(zone, TABLES, KEY, print).changed
    with pytest.raises(LandingError, match="were made with another PSEUDONYM_KEY"):
        check_key(zone, TABLES, PUBLIC)


@pytest.mark.parametrize(
    ("secret", "weakness"),
    [
        ("x" * 31, "has 31 characters, 32 are the least"),
        ("x" * 64, "is made of 1 different characters, 8 are the least"),
        ("abcdefg" * 9 + "a", "is made of 7 different characters, 8 are the least"),
        ("0123456789abcdef" * 4, "repeats itself"),
        (PUBLIC_KEY, "is the key of public data"),
        (f"  {PUBLIC_KEY}\n", "is the key of public data"),
    ],
)
def test_a_key_that_can_be_guessed_is_refused_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, secret: str, weakness: str
) -> None:
    monkeypatch.setenv("PSEUDONYM_KEY", secret)
    with pytest.raises(LandingError, match=f"PSEUDONYM_KEY {weakness}.*: set PSEUDONYM_KEY to what") as refused:
        secret_key("it is needed")
    assert secret.strip() not in str(refused.value)


@pytest.mark.parametrize("secret", ["c0ffee0123456789" * 2 + "d", "correct horse battery staple, and a pony"])
def test_a_key_that_nobody_guesses_is_taken(monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("PSEUDONYM_KEY", secret)
    assert secret_key("it is needed") == PseudonymKey(secret.encode())


def test_a_derived_key_is_no_pseudonym_of_anybody() -> None:
    assert KEY.derived(b"a@test.com").hex() != KEY.pseudonym("a@test.com")
    assert KEY.derived(b"one") != KEY.derived(b"other") != OTHER.derived(b"other")


def test_an_exported_secret_does_not_stop_the_sample(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even a weak one, and not on a zone whose pseudonyms were made before it was exported."""
    for name in ("models", "dbt_project.yml"):
        (sample / name).symlink_to(PROJECT_DIR / name)
    monkeypatch.setenv("LANDING_ZONE", str(sample / "zone"))
    for secret in (None, SECRET, "x"):
        if secret is not None:
            monkeypatch.setenv("PSEUDONYM_KEY", secret)
        data = Dataset.named(sample, [], None, 0.02)
        data.check()
        data.land(ConsoleReporter())
        assert key_of_zone(sample / "zone", TABLES) == PUBLIC


def test_the_key_that_leads_to_a_zones_pseudonyms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "mine", CUSTOMERS, [CUSTOMER])
    land([tmp_path / "mine"], tmp_path / "zone", TABLES)
    assert key_of_zone(tmp_path / "zone", TABLES) is None
    monkeypatch.setenv("PSEUDONYM_KEY", SECRET)
    assert key_of_zone(tmp_path / "zone", TABLES) == KEY
    land_people(tmp_path / "zone", TABLES, PUBLIC, print)
    assert key_of_zone(tmp_path / "zone", TABLES) == PUBLIC
