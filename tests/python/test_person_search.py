"""Addresses and serial numbers are found however they are spelt, and those of others are not taken for them."""

import json
from pathlib import Path

import pytest

from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.records.needles import FileNames, Needles, checked_addresses

pytestmark = pytest.mark.quick

NEEDLES = Needles(["ann@test.com", "Zoë@test.com"], ["D-1/2"])


@pytest.mark.parametrize(
    "content",
    [
        b"ann@test.com",
        b'{"email": "ANN@Test.COM"}',
        b"write to <ann@test.com>.",
        rb'{"note": "from\nann@test.com"}',
        rb'"\u0061nn\u0040test.com"',
        rb'"\u0041NN@TEST\u002eCOM"',
        b"https://test.com/?user=ann%40test.com&x=1",
        b"user%3Dann%40test%2ecom",
        "ann@test.com".encode("utf-16"),
        "ann@test.com".encode("utf-16-be"),
        b"it is 'ann@test.com'",
        b"{u'email': u'ann@test.com'}",
        "ZOË@test.com".encode(),
        "Zoe\u0308@test.com".encode(),
        "zoë@test.com".encode("latin-1"),
        "zoë@test.com".encode("utf-16"),
        rb"zo\u00EB@test.com",
        rb"zoe\u0308@test.com",
        b"zo%C3%AB@test.com",
        b"\xff\xfe\xfdann@test.com",
    ],
)
def test_an_address_is_found(content: bytes) -> None:
    assert NEEDLES.name_address(content)
    assert NEEDLES.are_anywhere_in(content)
    assert not NEEDLES.name_number(content)


@pytest.mark.parametrize(
    "content",
    [
        b"joann@test.com",
        b"ann@test.com.au",
        b"x+ann@test.com",
        b"ann@test.community",
        b"ann@testxcom",
        b"o'ann@test.com",
        rb"o\u0027ann@test.com",
        "joé.ann@test.com".encode(),
        "éann@test.com".encode(),
        rb"\u00e9ann@test.com",
        "ann@test.comé".encode(),
        b"",
    ],
)
def test_somebody_elses_address_is_not(content: bytes) -> None:
    assert not NEEDLES.name_address(content)


def test_a_binary_file_has_no_words() -> None:
    assert NEEDLES.are_anywhere_in(b"\x0cann@test.combob@test.com")
    assert not NEEDLES.are_anywhere_in(b"\x0can@test.combob@test.com")
    assert NEEDLES.are_pieces_of({"bob@test.com", "joann@test.com"})
    assert not NEEDLES.are_pieces_of({"bob@test.com", "ANN@test.com"})


def test_numbers_are_told_apart() -> None:
    for content in (b'"D-1/2"', rb'"D-1\/2"', b"D-1/2,", rb'"\u0044-1/2"'):
        assert NEEDLES.name_number(content)
    for content in (b"D-1/23", b"d-1/2", b"XD-1/2", b"D-1/2-3"):
        assert not NEEDLES.name_number(content)


def test_nothing_is_found_by_no_needle() -> None:
    nothing = Needles([])
    for content in (b"", b"ann@test.com", b"D1"):
        assert not nothing.name_address(content)
        assert not nothing.are_anywhere_in(content)
        assert not nothing.name_number(content)


def test_the_same_address_in_other_letters() -> None:
    assert canonical_address(" Ann@TEST.com ") == canonical_address("ann@test.com")
    assert canonical_address("Zoe\u0308@test.com") == canonical_address("ZOË@test.com")
    assert canonical_address("ann@test.com") != canonical_address("anne@test.com")


def test_addresses_come_from_options_and_from_a_file(tmp_path: Path) -> None:
    listed = tmp_path / "people.txt"
    listed.write_bytes("\ufeffbob@test.com\r\n\n  cyd@test.com  \nann\u2028b@test.com\n".encode())
    assert checked_addresses(["ann@test.com"], listed) == [
        "ann@test.com",
        "ann\u2028b@test.com",
        "bob@test.com",
        "cyd@test.com",
    ]
    assert checked_addresses(ODD) == sorted(ODD)
    assert checked_addresses([" ann@test.com", " "], listed, exact=True) == sorted(
        [" ", "  cyd@test.com  ", " ann@test.com", "ann\u2028b@test.com", "bob@test.com"]
    )
    for addresses, file, message in (
        ([], None, "nobody is named"),
        ([" ", ""], None, "nobody is named"),
        ([], tmp_path / "missing.txt", "cannot be read"),
    ):
        with pytest.raises(LandingError, match=message):
            checked_addresses(addresses, file)


ODD = [
    '"ann b@c"@test.com',
    "Ann Lee <ann@x.com>",
    "bob@y.com, rob@z.com",
    "eve@x.com.",
    "mailto:ann@x.com",
    "'ann@x.com'",
    "ann of x",
    "12",
    "zoë@bücher.de",
]


@pytest.mark.parametrize("value", ODD)
def test_whatever_is_landed_as_an_address_is_found_as_one(value: str) -> None:
    needles = Needles([value])
    for record in ({"email": value}, {"user": f" {value.upper()}", "x": 1}, {"note": 1, "email": value}):
        assert needles.name_address(json.dumps(record).encode())
        assert needles.name_address(json.dumps(record, ensure_ascii=False).encode())
    own = canonical_address(value)
    assert not needles.name_address(json.dumps({"email": f"x{own}x", "customerName": f"{own}x"}).encode())


def test_a_word_is_somebody_only_where_addresses_are() -> None:
    needles = Needles(["ann", "customer", "12"])
    for content in (b'{"email": "Ann", "x": 1}', b'{"email":12}', b'{"email" : 12, "', rb'{"user": "\u0061nn"}'):
        assert needles.name_address(content)
    for content in (
        b'{"customerName": "Ann"}',
        b'"customer": "email"',
        b'{"email": "ann@test.com"}',
        b'{"email": 123}',
    ):
        assert not needles.name_address(content)
        assert not needles.are_anywhere_in(content)
    assert not needles.are_pieces_of({"joann@test.com"})


def test_an_exact_address_is_these_letters_only() -> None:
    exact = Needles(["Ann@Test.com", ""], exact=True)
    assert exact.name_address(b'{"email": "Ann@Test.com"}')
    assert exact.name_address(b'{"email": ""}')
    assert not exact.name_address(b'{"email": "ann@test.com"}')
    assert not exact.name_address(b'{"email": " "}')
    assert not exact.are_anywhere_in(b"ann@test.com")
    assert exact.are_anywhere_in(b"xAnn@Test.comx")


@pytest.mark.parametrize(
    "path",
    [
        "raw/customers/Ann_Lee@x.com.json",
        "raw/customers/ann.lee%40x.com.json",
        "raw/customers/ann%252Elee%2540x.com.json",
        "raw/customers/of ann-lee_x_com/1.json",
        "raw/customers/a\u0301nn.lee@x.com.json",
    ],
)
def test_a_file_is_named_after_an_address(path: str) -> None:
    names = FileNames(["ann.lee@x.com"])
    assert names.hold_address(path)
    assert names.may_tell(path)


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("raw/Ann_Lee.json", ["Ann Lee"]),
        ("raw/Ann%5FLee-2019.json", ["Ann Lee"]),
        ("raw/annlee.json", ["Ann Lee"]),
        ("raw/Zoe\u0308 O%27Hara.json", ["Zoë O'Hara"]),
        ("raw/zoe-o-hara.json", ["Zoë O'Hara"]),
        ("raw/ann.json", []),
        ("raw/of+1+801+555+1212.json", ["18015551212"]),
        ("raw/Li.json", ["Li"]),
    ],
)
def test_a_file_may_tell_of_somebody_by_another_name(path: str, names: list[str]) -> None:
    assert FileNames(["ann@x.com"], names).may_tell(path)
    assert not FileNames(["ann@x.com"], names).may_tell("raw/customer/landing/1.json")
    assert not FileNames(["ann@x.com"], names).hold_address(path)


def test_a_word_names_a_file_only_as_a_whole() -> None:
    names = FileNames(["customer"])
    assert names.hold_address("raw/1/Customer.json.gz")
    assert not names.hold_address("customer/landing/customer_1.json")
    assert not FileNames(["ann@test.com"]).hold_address("raw/joann@test.com.json")
