"""ALTER TABLE … APPEND, MERGE … REMOVE DUPLICATES and tables whose names begin with a hash.

Sources: the pages of the same names in the Amazon Redshift Database Developer Guide.
"""

# ruff: noqa: E501 - a case is a line, and the names are our own

import pytest

from dbt_local_aws.testing.redshift import Connect, Connection, ProgrammingError, rows, run


class TestAppend:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_ALTER_TABLE_APPEND.html."""

    pytestmark = pytest.mark.documented("r_ALTER_TABLE_APPEND", "as documented")

    def test_rows_are_moved_by_the_names_of_their_columns(self, connection: Connection) -> None:
        run(
            connection,
            "create table sales (a int, b varchar(5))",
            "create table sales_monthly (b varchar(5), a int)",
            "insert into sales values (1, 'x')",
            "insert into sales_monthly values ('y', 2), ('z', 3)",
            "alter table sales append from sales_monthly",
        )
        assert rows(connection, "select a, b from sales order by a") == [[1, "x"], [2, "y"], [3, "z"]]
        assert rows(connection, "select count(*) from sales_monthly") == [[0]]
        run(connection, "rollback")
        assert rows(connection, "select count(*) from sales") == [[3]]

    def test_extra_columns(self, connection: Connection) -> None:
        run(
            connection,
            "create table t (a int, d varchar(5) default 'new', n int, i int identity(7, 1))",
            "create table s (a int)",
            "insert into s values (1)",
        )
        with pytest.raises(ProgrammingError, match="is not in the source table"):
            run(connection, "alter table case_schema.t append from case_schema.s")
        with pytest.raises(ProgrammingError, match="is not in the target table"):
            run(connection, "alter table s append from t")
        run(connection, "alter table t append from s filltarget")
        assert rows(connection, "select * from t") == [[1, "new", None, 7]]
        run(connection, "alter table s append from t ignoreextra")
        assert rows(connection, "select * from s") == [[1]]
        run(connection, "create table u (a int, other int)")
        for extra in ("filltarget", "ignoreextra"):
            with pytest.raises(ProgrammingError, match="ALTER TABLE APPEND"):
                run(connection, f"alter table t append from u {extra}")

    @pytest.mark.documented("r_ALTER_TABLE_APPEND", "refused as documented")
    @pytest.mark.parametrize(
        ("target", "source", "message"),
        [
            ("(a int)", "(a bigint)", 'column "a" differs'),
            ("(a varchar(5))", "(a varchar(6))", 'column "a" differs'),
            ("(a int not null)", "(a int)", 'column "a" differs'),
            ("(a int encode zstd)", "(a int)", 'column "a" differs'),
            ("(a int) diststyle all", "(a int) diststyle even", "the same distribution"),
            ("(a int, b int) distkey (a)", "(a int, b int) distkey (b)", "the same distribution"),
            ("(a int, b int) sortkey (a, b)", "(a int, b int) sortkey (b, a)", "the same sort keys"),
            ("(a int, b int) sortkey (a, b)", "(a int, b int) interleaved sortkey (a, b)", "the same sort keys"),
            ("(a int, i int identity(0, 1))", "(a int, i int identity(0, 1))", "identity column"),
        ],
    )
    def test_differences(self, connection: Connection, target: str, source: str, message: str) -> None:
        run(connection, f"create table t {target}", f"create table s {source}")
        with pytest.raises(ProgrammingError, match=message):
            run(connection, "alter table t append from s")

    @pytest.mark.documented("r_ALTER_TABLE_APPEND", "refused as documented")
    def test_what_cannot_be_appended(self, connection: Connection) -> None:
        run(connection, "create table t (a int)", "create temp table p (a int)", "create view v as select a from t")
        for statement, message in (
            ("alter table t append from p", "permanent"),
            ("alter table t append from v", "permanent"),
            ("alter table t append from missing", "does not exist"),
            ("alter table t append from t", "same table"),
            ("alter table t append from p filltarget ignoreextra", "syntax error"),
            ("alter table t append p", "syntax error"),
        ):
            with pytest.raises(ProgrammingError, match=message):
                run(connection, statement)
        run(connection, "create table s (a int)", "begin")
        with pytest.raises(ProgrammingError, match="cannot run inside a transaction block"):
            run(connection, "alter table t append from s")
        run(connection, "rollback")


class TestRemoveDuplicates:
    """https://docs.aws.amazon.com/redshift/latest/dg/r_MERGE.html: the simplified mode."""

    pytestmark = pytest.mark.documented("r_MERGE", "as documented")

    def tables(self, connection: Connection) -> None:
        """The page's tables."""
        run(
            connection,
            "create table target (id int, name char(10))",
            "create table source (id int, name char(10))",
            "insert into target values (30, 'Tony'), (30, 'Daisy'), (11, 'Alice'), (23, 'Bill'), (23, 'Nikki')",
            "insert into source values (23, 'David'), (22, 'Clarence')",
        )

    @pytest.mark.parametrize(
        "merge",
        [
            "merge into target using source on target.id = source.id remove duplicates",
            "MERGE INTO target USING source AS s ON target.id = s.id REMOVE DUPLICATES",
            "merge into case_schema.target using case_schema.source s on target.id = s.id and target.id > 0 remove duplicates",
        ],
    )
    def test_matching_rows_become_one(self, connection: Connection, merge: str) -> None:
        self.tables(connection)
        run(connection, merge)
        assert rows(connection, "select id, trim(name) from target order by 1, 2") == [
            [11, "Alice"],
            [22, "Clarence"],
            [23, "David"],
            [30, "Daisy"],
            [30, "Tony"],
        ]

    def test_it_is_a_part_of_a_transaction(self, connection: Connection) -> None:
        self.tables(connection)
        run(
            connection, "begin", "merge into target using source on target.id = source.id remove duplicates", "rollback"
        )
        assert rows(connection, "select count(*) from target") == [[5]]

    @pytest.mark.documented("r_MERGE", "refused as documented")
    def test_what_cannot_be_merged(self, connection: Connection) -> None:
        self.tables(connection)
        run(connection, "create table wide (id int, name char(10), more int)", "insert into source values (23, 'Dave')")
        for statement, message in (
            ("merge into target using wide on target.id = wide.id remove duplicates", "same number of columns"),
            ("merge into target using source on target.id = source.id remove duplicates", "multiple matches"),
            (
                "merge into target using source on target.id = source.id when matched then delete remove duplicates",
                "syntax error",
            ),
        ):
            with pytest.raises(ProgrammingError, match=message):
                run(connection, statement)
        assert rows(connection, "select count(*) from target") == [[5]]


@pytest.mark.documented("r_CREATE_TABLE_NEW", "as documented")
def test_hash_tables(connection: Connection, connect: Connect) -> None:
    """A table whose name begins with # is temporary, and is named with the # everywhere."""
    run(
        connection,
        "create table #newtable (id int, b varchar(5))",
        "insert into #newtable values (1, 'x')",
        "create table #other as select * from #newtable",
        "select id into #third from #other",
        "update #newtable set b = 'y' where #newtable.id = 1",
        "alter table #newtable add column c int",
        "merge into #newtable using #third on #newtable.id = #third.id when matched then delete when not matched then insert (id) values (#third.id)",
        "drop table #third",
    )
    assert rows(connection, "select n.id, o.b from #other o left join #newtable n on n.id = o.id") == [[None, "x"]]
    run(connection, 'insert into "#newtable" (id) values (9)', "delete from #newtable where id = 8")
    assert rows(connection, "with w as (select id from #newtable) select * from w") == [[9]]
    with connect() as other, pytest.raises(ProgrammingError, match="does not exist"):
        run(other, "select * from #newtable")
