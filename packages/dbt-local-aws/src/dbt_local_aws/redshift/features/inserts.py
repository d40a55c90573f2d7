"""INSERT of texts into SUPER columns.

Source: "Loading semistructured data" (ingest-super): "If the json_parse function is missing in the query, Amazon
Redshift treats the value as a single string instead of a JSON-formatted string". PostgreSQL would read the JSON.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.features.columns import SUPER, Scope
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    qualified_name,
    spaced,
    split,
    sql,
    starts_with,
    word_at,
)

_TEXTS = (Kind.STRING, Kind.PARAMETER)  # a parameter may be of another type: as_super() has one for each


def rewrite(tokens: Sequence[Token], scope: Scope) -> list[Token]:
    """The statement, in whose VALUES a literal for a SUPER column is a text."""
    values = find_top_level(tokens, "values") if starts_with(tokens, "insert", "into") else -1
    if values < 0 or not any(token.kind in _TEXTS for token in tokens[values:]):
        return list(tokens)
    table, at = qualified_name(tokens, 2)
    listed = tokens[at + 1 : closing(tokens, at)] if word_at(tokens, at) == "(" else sql("*")
    columns = scope.columns([*sql("select"), *spaced(listed), *sql(f"from {table.sql}")])
    supers = {place for place, column in enumerate(columns) if column.type_oid == SUPER}
    return [*tokens[:values], *_values(tokens[values:], supers)] if supers else list(tokens)


def _values(tokens: Sequence[Token], supers: set[int]) -> list[Token]:
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        output.append(tokens[at])
        if tokens[at].word == "(":
            end = closing(tokens, at)
            for place, part in enumerate(split(tokens[at + 1 : end])):
                is_text = place in supers and len(part) == 1 and part[0].kind in _TEXTS
                value = [*sql("redshift_internal.as_super("), *part, *sql(")")] if is_text else spaced(part)
                output += [*(sql(",") if place else []), *value]
            output.append(tokens[end])
            at = end
        at += 1
    return output
