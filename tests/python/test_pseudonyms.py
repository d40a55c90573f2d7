import gzip
import hashlib
import hmac
import json
import subprocess
from pathlib import Path

import pytest

from lakehouse.derived.people import PeopleReport, land_people
from lakehouse.derived.pseudonyms import check_key
from lakehouse.errors import LandingError
from lakehouse.landing.load import land
from lakehouse.landing.pseudonym_key import PseudonymKey
from landing_helpers import TABLES, content_of, ledger_of, put
from real_data import LAKEHOUSE

SECRET = "5fd81c0b7a3e9624" + "c0ffee0123456789" * 3
KEY = PseudonymKey(SECRET.encode())
OTHER = PseudonymKey(b"another key, of 32 characters ..")
NOON = 1_655_564_400_000


def customer(email: str | float, **more: object) -> dict[str, object]:
    return {"email": email, "serialNumber": "D1", "lastUpdateDate": NOON, **more}


def landed_zone(folder: Path, *emails: str | float) -> Path:
    put(folder / "source", "stedi/customer/landing/customers.json", [customer(email) for email in emails])
    land([folder / "source"], folder / "zone", TABLES)
    return folder / "zone"


def pseudonymise(zone: Path, key: PseudonymKey = KEY, *, new_key: bool = False) -> PeopleReport:
    return land_people(zone, TABLES, key, print, new_key=new_key)


def people(customers: int, *, changed: bool) -> PeopleReport:
    return PeopleReport(customers, 0, {}, 0, changed)


def pairs(zone: Path) -> dict[str, str]:
    (entry,) = ledger_of(zone, "customer_identities")
    lines = gzip.decompress((zone / entry["object_key"]).read_bytes()).splitlines()
    records = [json.loads(line) for line in lines]
    assert len(records) == entry["records_landed"] == entry["records_found"]
    return {record["email"]: record["customer_pseudonym"] for record in records}


def test_a_pseudonym_is_the_keyed_hash_of_the_canonical_address() -> None:
    """The case is RFC 4231's second, whose key is shorter than what `secret_key` takes."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert PseudonymKey(b"Jefe").pseudonym("what do ya want for nothing?") == expected
    assert KEY.pseudonym("Ann@test.com ") == KEY.pseudonym("ann@test.com") != OTHER.pseudonym("ann@test.com")
    assert KEY.pseudonym("zoe\u0308@test.com") == KEY.pseudonym("ZO\u00cb@test.com") != KEY.pseudonym("zoe@test.com")
    assert (
        KEY.pseudonym("zoë@test.com") == hmac.new(SECRET.encode(), "zoë@test.com".encode(), hashlib.sha256).hexdigest()
    )


def test_every_customer_gets_one_however_many_records_and_spellings_there_are(tmp_path: Path) -> None:
    zone = landed_zone(tmp_path, "zoë@test.com", "ann@test.com", "Ann@test.com", "ann@test.com", 7)
    assert pseudonymise(zone) == people(3, changed=True)
    assert pairs(zone) == {
        "7": KEY.pseudonym("7"),
        "Ann@test.com": KEY.pseudonym("ann@test.com"),
        "ann@test.com": KEY.pseudonym("ann@test.com"),
        "zoë@test.com": KEY.pseudonym("zoë@test.com"),
    }
    before = content_of(zone)
    assert pseudonymise(zone) == people(3, changed=False)
    assert content_of(zone) == before


def test_new_customers_are_added_and_those_who_are_gone_go(tmp_path: Path) -> None:
    zone = landed_zone(tmp_path, "ann@test.com", "bob@test.com")
    pseudonymise(zone)
    landed_zone(tmp_path, "bob@test.com", "cyd@test.com")
    assert pseudonymise(zone).changed
    assert set(pairs(zone)) == {"bob@test.com", "cyd@test.com"}


def test_no_customer_gives_an_empty_table_that_knows_its_key(tmp_path: Path) -> None:
    put(tmp_path / "source", "stedi/step_trainer/landing/steps.json", "broken")
    land([tmp_path / "source"], tmp_path / "zone", TABLES)
    assert pseudonymise(tmp_path / "zone") == people(0, changed=True)
    (entry,) = ledger_of(tmp_path / "zone", "customer_identities")
    assert (entry["object_key"], entry["records_landed"]) == (None, 0)
    assert gzip.decompress((tmp_path / "zone/customer/identities/landing/empty.json.gz").read_bytes()) == b""
    with pytest.raises(LandingError, match="another PSEUDONYM_KEY"):
        pseudonymise(tmp_path / "zone", OTHER)


def test_another_key_is_refused_unless_it_is_asked_for(tmp_path: Path) -> None:
    zone = landed_zone(tmp_path, "ann@test.com")
    check_key(zone, TABLES, OTHER)
    pseudonymise(zone)
    before = content_of(zone)
    for refused in (lambda: pseudonymise(zone, OTHER), lambda: check_key(zone, TABLES, OTHER)):
        with pytest.raises(LandingError, match=r"were made with another PSEUDONYM_KEY .* --new-key"):
            refused()
    assert content_of(zone) == before
    check_key(zone, TABLES, KEY)
    assert pseudonymise(zone, OTHER, new_key=True).changed
    assert pairs(zone) == {"ann@test.com": OTHER.pseudonym("ann@test.com")}
    check_key(zone, TABLES, OTHER)


def test_a_zone_that_was_never_landed_in_is_fine_before_and_refused_after(tmp_path: Path) -> None:
    check_key(tmp_path / "zone", TABLES, KEY)
    with pytest.raises(LandingError, match="is empty: land something first"):
        pseudonymise(tmp_path / "zone")


def test_the_key_does_not_show(tmp_path: Path) -> None:
    zone = landed_zone(tmp_path, "ann@test.com")
    pseudonymise(zone)
    said = [repr(KEY), str(KEY), f"{KEY}", KEY.fingerprint]
    with pytest.raises(LandingError) as refused:
        pseudonymise(zone, OTHER)
    said.append(str(refused.value))
    stored = [
        gzip.decompress(content) if key.endswith(".gz") else content
        for key, content in content_of(zone).items()
        if content is not None
    ]
    assert len(stored) > 5
    for secret in (KEY.secret, OTHER.secret):
        assert not [text for text in said if secret.decode() in text]
        assert not [content for content in stored if secret in content]


def test_the_command_says_what_it_did_and_what_it_needs(tmp_path: Path) -> None:
    zone = landed_zone(tmp_path, "ann@test.com")

    def run(*options: object, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [LAKEHOUSE, "pseudonymise", "--zone", str(zone), *map(str, options)]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert run(PSEUDONYM_KEY=SECRET).stdout == "1 customer with a pseudonym, landed in customer_identities\n"
    again = "1 customer with a pseudonym, which customer_identities has already\n"
    assert run(PSEUDONYM_KEY=SECRET).stdout == again
    other = "0f1e2d3c4b5a69788796a5b4c3d2e1f0" + SECRET
    refused = run(PSEUDONYM_KEY=other)
    assert (refused.returncode, "with another PSEUDONYM_KEY" in refused.stderr) == (2, True)
    assert run("--new-key", PSEUDONYM_KEY=other).returncode == 0
    assert run(PSEUDONYM_KEY=other).stdout == again
    assert run().returncode == 2
