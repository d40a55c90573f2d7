"""INSERT of texts into SUPER and VARBYTE columns.

Source: "Loading semistructured data" (ingest-super): "If the json_parse function is missing in the query, Amazon
Redshift treats the value as a single string instead of a JSON-formatted string". PostgreSQL would read the JSON. That a
literal for a VARBYTE column is a text, as it is where it is cast (r_VARBYTE_type), is inferred.
"""

from collections.abc import Mapping, Sequence

from dbt_local_aws.redshift.features.columns import SUPER, VARBYTE, Scope
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
# Drivers send the bytes of a parameter as hexadecimal digits
_CALLS = {SUPER: ("as_super", _TEXTS), VARBYTE: ("as_varbyte", (Kind.STRING,))}


def rewrite(tokens: Sequence[Token], scope: Scope) -> list[Token]:
    """The statement, in whose VALUES a literal for a SUPER column is a text."""
    values = find_top_level(tokens, "values") if starts_with(tokens, "insert", "into") else -1
    if values < 0 or not any(token.kind in _TEXTS for token in tokens[values:]):
        return list(tokens)
    table, at = qualified_name(tokens, 2)
    listed = tokens[at + 1 : closing(tokens, at)] if word_at(tokens, at) == "(" else sql("*")
    columns = scope.columns([*sql("select"), *spaced(listed), *sql(f"from {table.sql}")])
    types = {place: column.type_oid for place, column in enumerate(columns) if column.type_oid in _CALLS}
    return [*tokens[:values], *_values(tokens[values:], types)] if types else list(tokens)


def _values(tokens: Sequence[Token], types: Mapping[int, int]) -> list[Token]:
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        output.append(tokens[at])
        if tokens[at].word == "(":
            end = closing(tokens, at)
            for place, part in enumerate(split(tokens[at + 1 : end])):
                output += [*(sql(",") if place else []), *_value(part, types.get(place, 0))]
            output.append(tokens[end])
            at = end
        at += 1
    return output


def _value(part: Sequence[Token], type_oid: int) -> list[Token]:
    function, texts = _CALLS.get(type_oid, ("", ()))
    if len(part) != 1 or part[0].kind not in texts:
        return spaced(part)
    return [*sql(f"redshift_internal.{function}("), *part, *sql(")")]
