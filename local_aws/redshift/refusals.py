"""What PostgreSQL would accept and Redshift does not: found in the tokens of a statement before it is rewritten.

Sources: "Unsupported PostgreSQL features", "Unsupported PostgreSQL functions" and "Leader node-only functions" in the
Amazon Redshift Database Developer Guide.
"""

from collections.abc import Callable, Sequence

from local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    UNDEFINED_FUNCTION,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from local_aws.redshift.functions import (
    KEYWORDS_BEFORE_PARENTHESIS,
    LEADER_NODE_FUNCTIONS,
    NOT_EMULATED_FUNCTIONS,
    REDSHIFT_FUNCTIONS,
)
from local_aws.redshift.tokens import Kind, Token, closing, qualified_name, split, starts_with, word_at

_LEADER_NODE_ONLY = "Specified types or functions (one per INFO message) not supported on Redshift tables."
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


# Words that PostgreSQL's grammar takes before these, and Redshift's does not
_WRONG_BEFORE = {
    "filter": ("(", "where"),
    "on": ("conflict",),
    "tablesample": ("bernoulli|system",),
    "fetch": ("first|next",),
}


def check(tokens: Sequence[Token], is_user_function: Callable[[str], bool], *, creates: bool = False) -> None:
    """Raises for the first thing in a statement, or in the query of what it creates, that Redshift refuses."""
    for at, token in enumerate(tokens):
        if token.kind in (Kind.WORD, Kind.OPERATOR) and word_at(tokens, at - 1) != ".":
            _check_syntax(tokens, at)
    leader_only = _check_calls(tokens, is_user_function)
    # what needs no table runs on the leader node even where a table is made of it; a set of rows cannot leave it
    made_of_rows = leader_only == "generate_series" and (creates or starts_with(tokens, "create"))
    if leader_only and (made_of_rows or any(not is_system_relation(parts) for parts in relations(tokens))):
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, _LEADER_NODE_ONLY, detail=f'Function "{leader_only}" runs on the leader node only.'
        )


def _check_syntax(tokens: Sequence[Token], at: int) -> None:
    """Raises where a word begins what Redshift's grammar has not, or what is not emulated."""
    word, before = tokens[at].word, word_at(tokens, at - 1)
    if word in _WRONG_BEFORE and starts_with(tokens, *_WRONG_BEFORE[word], at=at + 1):
        raise syntax_error(tokens[at].text)
    match word:
        case "distinct" if starts_with(tokens, "on", "(", at=at + 1) and before == "select":
            raise not_supported("SELECT DISTINCT ON")
        case "lateral" if before in ("join", "from", ",", "cross"):
            raise syntax_error("lateral")
        case "returning" if word_at(tokens, 0) in ("insert", "update", "delete", "merge", "with"):
            raise syntax_error("returning")
        case "for" if starts_with(tokens, "update|share|no|key", at=at + 1) and word_at(tokens, 0) in (
            "select",
            "with",
        ):
            raise not_supported("SELECT FOR UPDATE/SHARE")
        case "values" if before == "(" and word_at(tokens, at - 2) in ("from", "join", ","):
            raise syntax_error("values")
        case "window" if starts_with(tokens, "as", "(", at=at + 2):
            raise syntax_error("window")
        case "-" if starts_with(tokens, ">", at=at + 1) and not tokens[at + 1].before:
            raise RedshiftError(UNDEFINED_FUNCTION, "operator does not exist: -> (Redshift has no JSON operators)")
    _check_emulated(tokens, at)


def _check_emulated(tokens: Sequence[Token], at: int) -> None:
    match tokens[at].word:
        case "qualify" if _is_clause(tokens, at):
            raise not_emulated("QUALIFY")
        case "pivot" | "unpivot" if word_at(tokens, at + 1) == "(":
            raise not_emulated(tokens[at].text.upper())
        case "connect" if starts_with(tokens, "by", at=at + 1):
            raise not_emulated("CONNECT BY")


def _is_clause(tokens: Sequence[Token], at: int) -> bool:
    """Whether a word that may also be a name begins a clause: between what it can follow and a condition."""
    return (
        at > 0
        and word_at(tokens, at - 1) not in (",", "select", ".", "as", "(")
        and word_at(tokens, at + 1) not in ("", ",", ")", ".", "from")
    )


def _check_calls(tokens: Sequence[Token], is_user_function: Callable[[str], bool]) -> str:
    """Raises for a function that Redshift has not; gives the name of one that runs on the leader node only, if any."""
    leader_only = ""
    for at, token in enumerate(tokens):
        word = token.word
        if word in ("current_timestamp", "current_time", "localtime", "localtimestamp"):
            leader_only = word
        if token.kind is not Kind.WORD or word_at(tokens, at + 1) != "(":
            continue
        qualified = word_at(tokens, at - 1) == "."
        if qualified and word_at(tokens, at - 2) != "pg_catalog":
            continue  # a function of the user's own, or a column list behind a table's name
        if word in LEADER_NODE_FUNCTIONS:
            leader_only = word
        elif word in NOT_EMULATED_FUNCTIONS:
            raise not_emulated(f"function {word}()")
        elif word in REDSHIFT_FUNCTIONS or word in KEYWORDS_BEFORE_PARENTHESIS:
            _check_arguments(tokens, at)
        elif not _is_name_of_relation(tokens, at) and not is_user_function(word):
            raise RedshiftError(
                UNDEFINED_FUNCTION,
                f"function {word}() does not exist",
                hint="Redshift has no function of this name. You may need to add explicit type casts.",
            )
    return leader_only


def _check_arguments(tokens: Sequence[Token], at: int) -> None:
    """Functions that both have, in forms that only PostgreSQL takes."""
    end = closing(tokens, at + 1)
    arguments = split(tokens[at + 2 : end])
    match tokens[at].word:
        case "to_timestamp" if len(arguments) == 1:
            raise RedshiftError(UNDEFINED_FUNCTION, "function to_timestamp(double precision) does not exist")
        case "array" if starts_with(tokens, "select|with", at=at + 2):
            raise not_supported("ARRAY(subquery)")


def _is_name_of_relation(tokens: Sequence[Token], at: int) -> bool:
    """Whether the parenthesis behind a name opens a list of columns, not of arguments."""
    start = at
    while word_at(tokens, start - 1) == ".":
        start -= 2
    before = word_at(tokens, start - 1)
    if before in (
        "table",
        "into",
        "view",
        "exists",
        "references",
        "copy",
        "on",
        "key",
        "with",
        "recursive",
        "as",
        "schema",
        "function",
        "procedure",
        "call",
    ):
        return True
    if word_at(tokens, at + 1) == "(":
        end = closing(tokens, at + 1)
        # a further common table expression: `, name (columns) as (`; an alias with columns: `from t alias (columns)`
        return starts_with(tokens, "as", "(", at=end + 1) or (
            start > 0 and (tokens[start - 1].is_identifier or before == ")") and _in_from(tokens, start)
        )
    return False


def _in_from(tokens: Sequence[Token], at: int) -> bool:
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
        if begins and tokens[at].is_identifier and word not in ("select", "with", "only", "lateral", "values"):
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
