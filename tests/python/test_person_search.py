"""Addresses and serial numbers are found however they are spelt, and those of others are not taken for them."""

from pathlib import Path

import pytest

from lakehouse.errors import LandingError
from lakehouse.identity import canonical_address
from lakehouse.person_search import Needles, checked_addresses

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
    listed.write_text("\ufeffbob@test.com\n\n  cyd@test.com  \nann@test.com\n", encoding="utf-8")
    assert checked_addresses(["ann@test.com"], listed) == ["ann@test.com", "bob@test.com", "cyd@test.com"]
    unusual = ['"ann b@c"@test.com', "o'ann+x=1@test.com", "zoë@bücher.de"]
    assert checked_addresses(unusual) == sorted(unusual)
    for addresses, file, message in (
        ([], None, "nobody is named"),
        (["ann"], None, "--email is no e-mail address"),
        (["@"], None, "no e-mail address"),
        (["a@b c@d"], None, "no e-mail address"),
        (["ann@test.com,"], None, "give one, and nothing else"),
        (["ann@test.com;"], None, "no e-mail address"),
        (["<ann@test.com>"], None, "no e-mail address"),
        (["'ann@test.com'"], None, "no e-mail address"),
        (['"ann@test.com"'], None, "no e-mail address"),
        (["mailto:ann@test.com"], None, "no e-mail address"),
        ([], tmp_path / "missing.txt", "cannot be read"),
    ):
        with pytest.raises(LandingError, match=message) as refused:
            checked_addresses(addresses, file)
        assert not [address for address in addresses if address in str(refused.value).removeprefix("--email")]
    listed.write_text("bob@test.com\nann@test.com;\n", encoding="utf-8")
    with pytest.raises(LandingError, match=r"line 2 of .*people\.txt is no e-mail address"):
        checked_addresses([], listed)
