r"""What psql asks for \d, \dt and their like: questions to PostgreSQL's catalogue, which only psql words like that.

psql of today asks a server of version 8.0 what one of 9.2 would know: columns that have gone since are put in again.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.refusals.relations import relations
from dbt_local_aws.redshift.tokens import Token, render, sql, starts_with, word_at

APPLICATION = "psql"
# Catalogue tables that psql is shown otherwise: see sql/8_psql.sql
_SHOWN_OTHERWISE = ("pg_namespace", "pg_class", "pg_proc", "pg_roles", "pg_database", "pg_trigger")


def is_catalogue_query(tokens: Sequence[Token]) -> bool:
    """Whether a statement reads from the catalogue alone, and names its schema everywhere, as psql does."""
    read = relations(tokens)
    qualified = all(len(parts) > 1 and parts[-2] == "pg_catalog" for parts in read)
    return word_at(tokens, 0) in ("select", "with") and bool(read) and qualified


def translate_catalogue_query(tokens: Sequence[Token]) -> str:
    """The same query over the catalogue that psql is shown."""
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        name = word_at(tokens, at + 2)
        if (
            starts_with(tokens, "pg_catalog", ".", at=at)
            and name in _SHOWN_OTHERWISE
            and word_at(tokens, at + 3) != "("
        ):
            output += sql(f"redshift_internal.psql_{name}")
            at += 3
        elif word_at(tokens, at) == "reloptions" and word_at(tokens, at + 1) == "||":
            output += [tokens[at], *sql("operator(pg_catalog.||||)")]  # of arrays: see sql/2_types.sql
            at += 2
        else:
            output.append(tokens[at])
            at += 1
    return render(output)
