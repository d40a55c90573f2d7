"""Blanks behind a VARCHAR do not count where it is compared, and count for LENGTH and LIKE.

Source: "Significance of trailing blanks" of r_Character_types in the Amazon Redshift Database Developer Guide.
"""

from collections.abc import Iterator

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, rows, run

pytestmark = pytest.mark.documented("r_Character_types", "as documented")

CASES: list[tuple[str, list[list[object]]]] = [
    ("select 'a' = 'a  ', 'a' <> 'a ', 'a' < 'a ', 'a' >= 'a ', '' = '  '", [[True, False, False, True, True]]),
    ("select ' a' = 'a', 'a\\t' = 'a', 'a b' = 'ab'", [[False, False, False]]),
    ("select len('a '), 'a ' like 'a', 'a ' like 'a_', 'a ' || 'b'", [[2, False, True, "a b"]]),
    ("select n from blanks.t where a = 'a' order by n", [[1], [2]]),
    ("select n from blanks.t where 'b     '::varchar = a order by n", [[3], [4]]),
    ("select n from blanks.t where a <> 'a  ' order by n", [[3], [4], [5]]),
    ("select n from blanks.t where a in ('a ', 'z') order by n", [[1], [2]]),
    ("select n from blanks.t where a not in ('a ', 'z') order by n", [[3], [4], [5]]),
    ("select n from blanks.t where a in ('1', '2', '3', '4', '5', '6', '7', '8', '9', 'b  ') order by n", [[3], [4]]),
    ("select n from blanks.t where a in (select 'b  '::varchar) order by n", [[3], [4]]),
    ("select n from blanks.t where a between 'b  ' and 'b' order by n", [[3], [4]]),
    ("select n from blanks.t where (a, n) in (select 'a ', 1)", [[1]]),
    ("select case a when 'a   ' then 1 else 0 end from blanks.t order by n", [[1], [1], [0], [0], [0], [0]]),
    ("select decode(a, 'a   ', 1, 0) from blanks.t where n = 1", [[1]]),
    ("select nullif('a', 'a ')", [[None]]),
    ("select len(a), count(*), sum(n) from blanks.t where n = 5 group by a, n", [[1, 1, 5]]),
    ("select count(*), sum(n) from blanks.t group by a order by a", [[2, 3], [2, 7], [1, 5], [1, 6]]),
    ("select count(*) from (select distinct a from blanks.t) as d", [[4]]),
    ("select count(distinct a), count(a) from blanks.t", [[3, 5]]),
    ("select count(*) from (select a from blanks.t union select 'c   ') as u", [[4]]),
    ("select count(*) from (select a from blanks.t intersect select 'c   ') as u", [[1]]),
    ("select trim(a) from blanks.t except select 'c   ' order by 1", [["a"], ["b"], [None]]),
    ("select count(*) from blanks.t as x join blanks.t as y on x.a = y.a", [[9]]),
    ("select count(*) from blanks.t as x join blanks.t as y using (a, n)", [[5]]),
    ("select n, row_number() over (partition by a order by n) from blanks.t where n < 3 order by n", [[1, 1], [2, 2]]),
    ("select n, rank() over (order by a) from blanks.t where n < 4 order by n", [[1, 1], [2, 1], [3, 3]]),
    ("select trim(min(a)), trim(max(a)), trim(greatest('b ', 'b', 'a')) from blanks.t", [["a", "c", "b"]]),
    # a CHAR loses its blanks where it becomes another type of text
    ("select n from blanks.t join blanks.p on p.c = t.a order by n", [[1], [2], [3], [4]]),
    ("select len(c), len(c::varchar) from blanks.p order by 1", [[1, 1], [1, 1]]),
    ("select 'a'::char(3) = 'a '::varchar", [[True]]),
]


@pytest.fixture(scope="module")
def blanks(connect: Connect) -> Iterator[Connection]:
    """A connection, and tables with blanks."""
    with connect() as opened:
        run(
            opened,
            "create schema blanks",
            "create table blanks.t (a varchar(10), n int)",
            "insert into blanks.t values ('a', 1), ('a  ', 2), ('b', 3), ('b ', 4), ('c', 5), (null, 6)",
            "create table blanks.p (c char(5))",
            "insert into blanks.p values ('a'), ('b ')",
        )
        yield opened
        run(opened, "drop schema blanks cascade")


@pytest.mark.parametrize(("query", "expected"), CASES, ids=[query for query, _ in CASES])
def test_blanks_behind_a_text(blanks: Connection, query: str, expected: list[list[object]]) -> None:
    assert rows(blanks, query) == expected


def test_blanks_behind_a_parameter(blanks: Connection) -> None:
    cursor = blanks.cursor()
    cursor.execute("select n from blanks.t where a = %s order by n", ("a    ",))
    assert [row[0] for row in cursor.fetchall()] == [1, 2]


def test_merge_and_update_match_texts_with_and_without_blanks(connection: Connection) -> None:
    run(
        connection,
        "create table t (a varchar(5), n int)",
        "create table s (a varchar(5), n int)",
        "insert into t values ('x', 1)",
        "insert into s values ('x  ', 2), ('y', 3)",
        "merge into t using s on t.a = s.a when matched then update set n = s.n "
        "when not matched then insert values (s.a, s.n)",
        "update t set n = t.n + 10 from s where t.a = s.a",
        "delete from t where a = 'y   '",
    )
    assert rows(connection, "select a, n from t") == [["x", 12]]
