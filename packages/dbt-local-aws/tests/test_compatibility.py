"""COMPATIBILITY.md is what the tests' marks give."""

from collections import Counter

import pytest

from compatibility import PAGE, Cases, address, collected, page_of


@pytest.fixture(scope="module")
def cases() -> Cases:
    return collected()


def test_the_page_is_what_the_marks_give(cases: Cases) -> None:
    assert PAGE.read_text(encoding="utf-8") == page_of(cases), "python tests/compatibility.py makes it anew"


def test_both_endpoints_have_cases(cases: Cases) -> None:
    counts: Counter[str] = Counter()
    for (service, _, _), count in cases.items():
        counts[service] += count
    assert counts["redshift"] > 400
    assert counts["athena"] > 100


def test_another_mark_is_another_page(cases: Cases) -> None:
    more = cases + Counter({("redshift", "r_NEW", "different"): 1})
    assert page_of(more) != page_of(cases)
    assert "[r_NEW](https://docs.aws.amazon.com/redshift/latest/dg/r_NEW.html) |  |  |  | 1 |" in page_of(more)


@pytest.mark.parametrize(
    ("service", "page", "expected"),
    [
        ("redshift", "r_COPY", "redshift/latest/dg/r_COPY"),
        ("redshift", "API_ListTables", "redshift-data/latest/APIReference/API_ListTables"),
        ("redshift", "connecting-from-psql", "redshift/latest/mgmt/connecting-from-psql"),
        ("athena", "unload", "athena/latest/ug/unload"),
        ("athena", "API_StopQueryExecution", "athena/latest/APIReference/API_StopQueryExecution"),
        ("athena", "glue/latest/webapi/API_UpdateTable", "glue/latest/webapi/API_UpdateTable"),
    ],
)
def test_addresses(service: str, page: str, expected: str) -> None:
    assert address(service, page) == f"https://docs.aws.amazon.com/{expected}.html"
