"""Answers of a Trino, given one by one, for what a real one does only now and then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from dbt_local_aws.athena.errors import QueryCancelledError
from dbt_local_aws.athena.trino.client import Session, TrinoQuery

URL = "http://127.0.0.1:1"


class Scripted(urllib3.PoolManager):
    """Gives the answers that it was made with, in their order."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        super().__init__()
        self._answers: Iterator[dict[str, Any]] = iter(answers)
        self.methods: list[str] = []

    def request(self, method: str, *_args: object, **_kwargs: object) -> urllib3.HTTPResponse:
        self.methods.append(method)
        body = {} if method == "DELETE" else next(self._answers)
        return urllib3.HTTPResponse(json.dumps(body).encode(), status=200)


def query(pool: Scripted, most_bytes: int) -> TrinoQuery:
    """A query that may read so many bytes."""
    made = TrinoQuery(pool, URL, "select 1", Session("default"))
    made.most_bytes = most_bytes
    return made


def test_a_query_that_ends_before_it_was_seen_to_read_too_much_is_cancelled_all_the_same() -> None:
    pool = Scripted({"nextUri": URL, "stats": {}}, {"stats": {"physicalInputBytes": 11}})
    with pytest.raises(QueryCancelledError, match="scan"):
        list(query(pool, 10).batches())
    assert pool.methods == ["POST", "GET"]


def test_a_query_that_is_still_reading_is_ended_at_trino() -> None:
    pool = Scripted({"nextUri": URL, "stats": {"physicalInputBytes": 11}})
    with pytest.raises(QueryCancelledError, match="scan"):
        list(query(pool, 10).batches())
    assert pool.methods == ["POST", "DELETE"]


def test_a_write_that_has_ended_is_told_as_it_is() -> None:
    pool = Scripted({"nextUri": URL, "stats": {}}, {"updateType": "INSERT", "stats": {"physicalInputBytes": 11}})
    assert list(query(pool, 10).batches()) == []


def test_a_query_within_its_bytes_gives_its_rows() -> None:
    pool = Scripted({"nextUri": URL, "stats": {}}, {"data": [[1]], "stats": {"physicalInputBytes": 10}})
    assert list(query(pool, 10).batches()) == [[[1]]]
