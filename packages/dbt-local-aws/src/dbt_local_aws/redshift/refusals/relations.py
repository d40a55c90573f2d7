"""The relations that a statement names, found in its tokens."""

from collections.abc import Sequence

from dbt_local_aws.redshift.tokens import (
    Token,
    closing,
    qualified_name,
    starts_with,
    word_at,
)

SYSTEM_TABLES = ("stl_", "stv_", "svl_", "svv_", "svcs_", "sys_")
_SYSTEM_SCHEMAS = ("pg_catalog", "information_schema")
# Behind these words a comma begins another relation no longer
_ENDS_FROM = {
    "where",
    "group",
    "having",
    "order",
    "limit",
    "union",
    "intersect",
    "except",
    "minus",
    "window",
    "qualify",
    "on",
    "set",
    "select",
    "when",
    "using",
}


def in_from(tokens: Sequence[Token], at: int) -> bool:
    """Whether a name stands where FROM or JOIN was the last clause to begin."""
    depth = 0
    for position in range(at - 1, -1, -1):
        word = tokens[position].word
        depth += {")": 1, "(": -1}.get(word, 0)
        if depth < 0:
            return False
        if depth == 0 and word in ("from", "join"):
            return True
        if depth == 0 and word in _ENDS_FROM:
            return False
    return False


def relations(tokens: Sequence[Token]) -> list[tuple[str, ...]]:
    """The relations that a statement reads or writes, without its common table expressions."""
    found = [parts for parts, _, _ in relation_references(tokens)]
    defined = common_table_expressions(tokens)
    return [parts for parts in found if len(parts) > 1 or parts[0] not in defined]


def common_table_expressions(tokens: Sequence[Token]) -> set[str]:
    """The names that a statement's WITH clauses define, at any depth."""
    names = set()
    for at, token in enumerate(tokens):
        if token.is_identifier and word_at(tokens, at - 1) in ("with", "recursive", ","):
            after = closing(tokens, at + 1) + 1 if word_at(tokens, at + 1) == "(" else at + 1
            if starts_with(tokens, "as", "(", at=after):
                names.add(token.name)
    return names


def relation_references(tokens: Sequence[Token]) -> list[tuple[tuple[str, ...], int, int]]:
    """The names behind FROM, JOIN and the commas between them: each with where it begins and where it ends."""
    found = []
    in_from: list[bool] = [False]
    at = 0
    while at < len(tokens):
        word = tokens[at].word
        if word == "(":
            # a parenthesis in a FROM clause may hold joined relations; one elsewhere begins anew
            in_from.append(in_from[-1] and word_at(tokens, at - 1) in ("from", "join", ",", "("))
        elif word == ")" and len(in_from) > 1:
            in_from.pop()
        elif word in ("from", "join", "using"):
            # extract(day from x), trim(both from x), substring(x from 1), is distinct from x
            in_from[-1] = not (word == "from" and (_is_special_from(tokens, at)))
        elif word in _ENDS_FROM and word != "using":
            in_from[-1] = False
        begins = in_from[-1] and word_at(tokens, at - 1) in ("from", "join", ",", "using", "(")
        if (
            begins
            and tokens[at].is_identifier
            and word not in ("select", "with", "only", "lateral", "values", "unpivot")
        ):
            name, end = qualified_name(tokens, at)
            if word_at(tokens, end) != "(" or word_at(tokens, at - 1) == "using":
                found.append((name.parts, at, end))
            at = end
            continue
        at += 1
    return found


def _is_special_from(tokens: Sequence[Token], at: int) -> bool:
    if word_at(tokens, at - 1) == "distinct" and word_at(tokens, at - 2) in ("is", "not"):
        return True
    depth = 0
    for position in range(at - 1, -1, -1):
        word = tokens[position].word
        depth += {")": 1, "(": -1}.get(word, 0)
        if depth < 0:
            return word_at(tokens, position - 1) in ("extract", "trim", "substring", "overlay", "position")
        if depth == 0 and word == "select":
            return False
    return False


def is_system_relation(parts: tuple[str, ...]) -> bool:
    """Whether a relation is part of the catalogue on the leader node."""
    return parts[-1].startswith("pg_") or (len(parts) > 1 and parts[-2] in _SYSTEM_SCHEMAS)


def is_on_compute_nodes(parts: tuple[str, ...]) -> bool:
    """Whether a relation is a table or a view of a user's, or one of the system tables, which lie there too."""
    return parts[-1].startswith(SYSTEM_TABLES) or not is_system_relation(parts)
