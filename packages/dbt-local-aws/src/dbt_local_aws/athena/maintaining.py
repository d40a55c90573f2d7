"""OPTIMIZE and VACUUM of Iceberg tables, in the words of Trino's procedures.

https://docs.aws.amazon.com/athena/latest/ug/optimize-statement.html, …/vacuum-statement.html
"""

from __future__ import annotations

from dbt_local_aws.athena.errors import AthenaError
from dbt_local_aws.athena.glue_table import Table
from dbt_local_aws.athena.names import ICEBERG, quoted
from dbt_local_aws.athena.reading import Reader
from dbt_local_aws.athena.results import Result
from dbt_local_aws.athena.statement import Statement

# https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-creating-tables.html
_AGE, _AGE_SECONDS = "vacuum_max_snapshot_age_seconds", "432000"
_KEPT, _KEPT_SNAPSHOTS = "vacuum_min_snapshots_to_keep", "1"


def _iceberg_table(statement: Statement, reader: Reader, word: str) -> Table:
    schema, name = statement.full(reader.table())
    table = statement.table(schema, name)
    if not table.is_iceberg:
        raise AthenaError("NOT_SUPPORTED", f"{word} is for Iceberg tables only: {schema}.{name}")
    return table


def optimize(statement: Statement) -> Result:
    """OPTIMIZE table REWRITE DATA USING BIN_PACK [WHERE condition]."""
    reader = Reader(statement.sql)
    reader.expect("OPTIMIZE")
    table = _iceberg_table(statement, reader, "OPTIMIZE")
    reader.expect("REWRITE", "DATA", "USING", "BIN_PACK")
    if not reader.at_end and reader.peek() != "WHERE":
        raise reader.fail("'WHERE', <EOF>")
    sent = f"ALTER TABLE {quoted(ICEBERG, table.schema, table.name)} EXECUTE optimize {reader.rest}"
    return Result("DDL", "OPTIMIZE", statement.ask(sent), update_count=0, sent=sent)


def vacuum(statement: Statement) -> Result:
    """VACUUM table: snapshots that are too old go, and the files that none needs."""
    reader = Reader(statement.sql)
    reader.expect("VACUUM")
    table = _iceberg_table(statement, reader, "VACUUM")
    reader.end()
    age = f"retention_threshold => '{table.parameters.get(_AGE, _AGE_SECONDS)}s'"
    kept = f"retain_last => {int(table.parameters.get(_KEPT, _KEPT_SNAPSHOTS))}"
    alter = f"ALTER TABLE {quoted(ICEBERG, table.schema, table.name)} EXECUTE"
    statement.run(f"{alter} expire_snapshots({age}, {kept})")
    statement.run(f"{alter} remove_orphan_files({age})")
    return Result("DDL", "VACUUM", update_count=0)
