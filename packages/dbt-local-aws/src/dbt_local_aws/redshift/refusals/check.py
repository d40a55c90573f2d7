"""What PostgreSQL would accept and Redshift does not: found in the tokens of a statement before it is rewritten.

Sources: "Unsupported PostgreSQL features", "Unsupported PostgreSQL functions" and "Leader node-only functions" in the
Amazon Redshift Database Developer Guide.
"""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    UNDEFINED_COLUMN,
    UNDEFINED_FUNCTION,
    RedshiftError,
    not_emulated,
    not_supported,
    syntax_error,
)
from dbt_local_aws.redshift.functions import (
    KEYWORDS_BEFORE_PARENTHESIS,
    LEADER_NODE_FUNCTIONS,
    NOT_EMULATED_FUNCTIONS,
    REDSHIFT_FUNCTIONS,
)
from dbt_local_aws.redshift.statements.sorted_aggregates import check_sorted_aggregates
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    qualified_name,
    split,
    starts_with,
    word_at,
)

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
    "between": ("symmetric",),
    "overriding": ("system|user", "value"),
    "order": ("by", "using"),
}
# The same, where one of these words stands behind another one
_WRONG_BEHIND = {
    "only": {"from", "update", "join", "into"},
    "values": {"(", "union", "all", "except", "intersect", "as"},
    "materialized": {"as"},
    "unlogged": {"into"},
}
# Behind SELECT, one of these would mean a list without anything in it
_ENDS_SELECT_LIST = {"", ")", "from", "where", "group", "order", "limit", "union", "intersect", "except", "minus"}
# Operators that Redshift has ("Mathematical operator symbols", "Comparison condition", "POSIX operators"). PostgreSQL
# reads as one operator what stands without a blank between.
_OPERATORS = {
    "+", "-", "*", "/", "%", "^", "|/", "||/", "@", "&", "|", "#", "~", "<<", ">>", "||", "=", "<>", "!=", "<", ">",
    "<=", ">=", "~*", "!~", "!~*", "~~", "~~*", "!~~", "!~~*", "=>", "",
}  # fmt: skip
_OPERATOR_CHARACTERS = frozenset("+-*/<>=~!@#%^&|`?")
_SYSTEM_COLUMNS = {"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"}
_LATER_THAN_REDSHIFT = {"current_role", "current_catalog", "current_schema"}  # without parentheses
_RANKED = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"}
# Of these a window is nothing but its partition
_OF_PARTITIONS = {"median", "listagg", "ratio_to_report", "percentile_cont", "percentile_disc"}
_SET_OPERATIONS = {"union", "intersect", "except", "minus"}


def check(tokens: Sequence[Token], is_user_function: Callable[[str], bool], *, creates: bool = False) -> None:
    """Raises for the first thing in a statement, or in the query of what it creates, that Redshift refuses."""
    check_syntax(tokens)
    leader_only = _check_calls(tokens, is_user_function)
    reads_tables = any(not is_system_relation(parts) for parts in relations(tokens))
    if reads_tables:
        _check_read_of_tables(tokens)
    # what needs no table runs on the leader node even where a table is made of it; a set of rows cannot leave it
    made_of_rows = leader_only == "generate_series" and (creates or starts_with(tokens, "create"))
    if leader_only and (made_of_rows or reads_tables):
        raise RedshiftError(
            FEATURE_NOT_SUPPORTED, _LEADER_NODE_ONLY, detail=f'Function "{leader_only}" runs on the leader node only.'
        )


def check_syntax(tokens: Sequence[Token]) -> None:
    """Raises for the first thing that Redshift's grammar has not, whatever the names in it mean."""
    for at, token in enumerate(tokens):
        if token.kind is Kind.NUMBER and at + 1 < len(tokens) and _is_glued(tokens, at + 1):
            raise syntax_error(tokens[at + 1].text)  # 1_000, 0xff
        if token.kind in (Kind.WORD, Kind.OPERATOR) and word_at(tokens, at - 1) != ".":
            _check_syntax(tokens, at)
        if _is_operator(token):
            _check_operator(tokens, at)
    _check_common_table_expressions(tokens)
    check_sorted_aggregates(tokens)


def _is_glued(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].kind is Kind.WORD and not tokens[at].before


def _check_operator(tokens: Sequence[Token], at: int) -> None:
    """Raises for an operator of PostgreSQL's alone, which begins at this token and goes on without a blank."""
    if at > 0 and not tokens[at].before and _is_operator(tokens[at - 1]):
        return  # it began before
    end = at + 1
    while end < len(tokens) and not tokens[end].before and _is_operator(tokens[end]):
        end += 1
    run = "".join(token.text for token in tokens[at:end])
    # what is glued to it may be a sign, or the star of count(*)
    if run not in _OPERATORS and run.rstrip("+-") not in _OPERATORS:
        raise RedshiftError(UNDEFINED_FUNCTION, f"operator does not exist: {run}")


def _is_operator(token: Token) -> bool:
    return token.kind is Kind.OPERATOR and set(token.text) <= _OPERATOR_CHARACTERS


def _check_common_table_expressions(tokens: Sequence[Token]) -> None:
    """Raises where one changes data, or is recursive by UNION: Redshift wants UNION ALL."""
    for at in range(len(tokens)):
        if not starts_with(tokens, "as", "(", at=at):
            continue
        if word_at(tokens, at + 2) in ("insert", "update", "delete", "merge"):
            raise syntax_error(tokens[at + 2].text)
        if word_at(tokens, 0) == "with" and word_at(tokens, 1) == "recursive":
            body = tokens[at + 2 : closing(tokens, at + 1)]
            union = find_top_level(body, "union")
            name = _name_of_common_table_expression(tokens, at)
            if union >= 0 and word_at(body, union + 1) != "all" and (name,) in relations(body):
                raise not_supported("UNION in a recursive common table expression, which wants UNION ALL,")


def _name_of_common_table_expression(tokens: Sequence[Token], at: int) -> str:
    before = at - 1
    if word_at(tokens, before) == ")":
        while before > 0 and word_at(tokens, before) != "(":
            before -= 1
        before -= 1
    return tokens[before].name if before >= 0 and tokens[before].is_identifier else ""


def _check_read_of_tables(tokens: Sequence[Token]) -> None:
    """Raises for what the leader node may do with its own catalogue, and no node with a table."""
    for at, token in enumerate(tokens):
        if token.word in _SYSTEM_COLUMNS:
            raise RedshiftError(UNDEFINED_COLUMN, f'column "{token.word}" does not exist')
        if token.word == "[" and word_at(tokens, at - 1) != "array":
            raise not_emulated("navigation in a SUPER value (a[0])")
        of_value = word_at(tokens, at + 1) == "(" and _is_value(tokens, at + 2)
        if token.word in ("any", "some", "all") and of_value and tokens[at + 2].kind is Kind.STRING:
            raise not_supported(f"{token.text.upper()} of an array")


def _check_syntax(tokens: Sequence[Token], at: int) -> None:
    """Raises where a word begins what Redshift's grammar has not, or what is not emulated."""
    word, before = tokens[at].word, word_at(tokens, at - 1)
    if word in _WRONG_BEFORE and starts_with(tokens, *_WRONG_BEFORE[word], at=at + 1):
        raise syntax_error(tokens[at].text)
    if before in _WRONG_BEHIND.get(word, ()) and (word == "only" or word_at(tokens, at + 1) == "("):
        raise syntax_error(tokens[at].text)
    _check_query(tokens, at)
    _check_expression(tokens, at)
    _check_emulated(tokens, at)


def _check_query(tokens: Sequence[Token], at: int) -> None:
    """Raises where a clause begins that Redshift has not."""
    before, first = word_at(tokens, at - 1), word_at(tokens, 0)
    match tokens[at].word:
        case "select" if word_at(tokens, at + 1) in _ENDS_SELECT_LIST and not _is_value(tokens, at + 1):
            raise syntax_error(tokens[at + 1].text if at + 1 < len(tokens) else "")
        case "distinct" if starts_with(tokens, "on", "(", at=at + 1) and before == "select":
            raise not_supported("SELECT DISTINCT ON")
        case "for" if starts_with(tokens, "update|share|no|key", at=at + 1) and first in ("select", "with"):
            raise not_supported("SELECT FOR UPDATE/SHARE")
        case "offset" if word_at(tokens, at + 2) in ("row", "rows"):
            raise syntax_error(tokens[at + 2].text)
        case "table" if at > 0 and before not in ("create", "temp", "temporary", "local", "into"):
            raise syntax_error("table")
        case "with" if _is_with_data(tokens, at) or word_at(tokens, at + 1) == "ordinality":
            raise syntax_error("with")
        case "returning" if first in ("insert", "update", "delete", "merge", "with"):
            raise syntax_error("returning")
        case "lateral" if before in ("join", "from", ",", "cross"):
            raise syntax_error("lateral")
        case "all" if before in _SET_OPERATIONS - {"union"}:
            raise not_supported(f"{before.upper()} ALL")
        case "(" if word_at(tokens, at + 1) in ("select", "with"):
            _check_input_to_set_operation(tokens, at)
        case "window" if starts_with(tokens, "as", "(", at=at + 2):
            raise syntax_error("window")


def _check_input_to_set_operation(tokens: Sequence[Token], at: int) -> None:
    """Raises where a query in parentheses is one side of a UNION, or of its like, and limits its rows."""
    end = closing(tokens, at)
    before = at - 1 - (word_at(tokens, at - 1) in ("all", "distinct"))
    # and is no value or table of the query before it
    begins_query = at == 0 or word_at(tokens, at - 1) in ("(", ")", "as")
    if word_at(tokens, before) in _SET_OPERATIONS or (begins_query and word_at(tokens, end + 1) in _SET_OPERATIONS):
        limit = find_top_level(tokens[at + 1 : end], "limit", "offset")
        if limit >= 0:
            raise RedshiftError(FEATURE_NOT_SUPPORTED, "LIMIT may not be used within input to set operations.")


def _is_with_data(tokens: Sequence[Token], at: int) -> bool:
    """CREATE TABLE AS … WITH [NO] DATA, and not a common table expression called `data`."""
    behind = at + 2 + (word_at(tokens, at + 1) == "no")
    return word_at(tokens, behind - 1) == "data" and word_at(tokens, behind) not in ("as", "(")


def _check_expression(tokens: Sequence[Token], at: int) -> None:
    """Raises where an expression begins that Redshift has not."""
    word, after = tokens[at].word, word_at(tokens, at + 1)
    if word in _LATER_THAN_REDSHIFT and after not in ("(", ".") and word_at(tokens, at - 1) != "as":
        raise RedshiftError(UNDEFINED_COLUMN, f'column "{word}" does not exist')
    match word:
        case "b" | "x" if (
            _is_value(tokens, at + 1) and tokens[at + 1].kind is Kind.STRING and not tokens[at + 1].before
        ):
            raise not_supported("a bit string")
        case "using" if at + 1 < len(tokens) and _is_operator(tokens[at + 1]):
            raise syntax_error("using")  # ORDER BY … USING <
        case "distinct" if after == "from" and "is" in (word_at(tokens, at - 1), word_at(tokens, at - 2)):
            raise not_supported("IS DISTINCT FROM")
        case "array" if after == "[":
            raise not_supported("the array constructor ARRAY[…]")
        case "over" if after == "(":
            _check_window(tokens, at)
        case "within" if starts_with(tokens, "group", "(", at=at + 1):
            _check_within_group(tokens, at)


def _is_value(tokens: Sequence[Token], at: int) -> bool:
    """Whether what stands here is no word of the grammar: a quoted name, a literal, a number or a parameter."""
    return at < len(tokens) and tokens[at].kind not in (Kind.WORD, Kind.OPERATOR)


def _called_before(tokens: Sequence[Token], at: int) -> str:
    """The function whose parenthesis closes just before this position."""
    depth = 0
    for position in range(at - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[position].word, 0)
        if depth == 0:
            return word_at(tokens, position - 1)
    return ""


def _check_window(tokens: Sequence[Token], at: int) -> None:
    """Raises for frames of PostgreSQL's alone, and where Redshift wants a frame and there is none."""
    window = tokens[at + 2 : closing(tokens, at + 1)]
    frame = find_top_level(window, "rows", "range", "groups")
    if frame >= 0 and (window[frame].word != "rows" or find_top_level(window, "exclude", start=frame) >= 0):
        raise syntax_error(window[frame].text)
    within = _start_of_within_group(tokens, at)
    function = _called_before(tokens, at if within < 0 else within)
    if within >= 0 and function != "listagg":
        raise not_emulated(f"{function.upper()} as a window function")
    ordered = find_top_level(window, "order") >= 0
    _check_no_constants(window[:frame] if frame >= 0 else window)
    if frame >= 0 and (not ordered or function in _RANKED | _OF_PARTITIONS):
        raise syntax_error(window[frame].text)
    if ordered and function in _OF_PARTITIONS:
        raise syntax_error("order")
    if not ordered and function in ("lag", "lead"):
        raise RedshiftError(SYNTAX_ERROR, f"window function {function}() requires an ORDER BY clause")
    if ordered and frame < 0 and function not in _RANKED:
        raise RedshiftError(SYNTAX_ERROR, "Aggregate window functions with an ORDER BY clause require a frame clause")


def _check_no_constants(window: Sequence[Token]) -> None:
    """Raises where a window is divided by a constant. One may order it, as dbt's own date_spine() does."""
    order = find_top_level(window, "order")
    partition = split((window[:order] if order >= 0 else window)[2:])
    if any(_is_constant(expression) for expression in partition):
        raise RedshiftError(FEATURE_NOT_SUPPORTED, "constant expressions are not supported in partition by clauses")


def _is_constant(expression: Sequence[Token]) -> bool:
    end = find_top_level(expression, "::")
    said = expression[:end] if end >= 0 else expression
    return all(
        token.kind in (Kind.NUMBER, Kind.STRING, Kind.OPERATOR) or token.word in ("null", "true", "false")
        for token in said
    )


def _start_of_within_group(tokens: Sequence[Token], at: int) -> int:
    """Where the WITHIN GROUP (…) begins that ends just before this position; -1 where there is none."""
    depth = 0
    for position in range(at - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[position].word, 0)
        if depth == 0:
            return position - 2 if starts_with(tokens, "within", "group", at=position - 2) else -1
    return -1


def _check_within_group(tokens: Sequence[Token], at: int) -> None:
    function = _called_before(tokens, at)
    if function not in ("listagg", "percentile_cont", "percentile_disc"):
        raise syntax_error("within")


def _check_emulated(tokens: Sequence[Token], at: int) -> None:
    match tokens[at].word:
        case "qualify" if _is_clause(tokens, at):
            raise not_emulated("QUALIFY")
        case "pivot" | "unpivot" if word_at(tokens, at + 1) == "(":
            raise not_emulated(tokens[at].text.upper())
        case "connect" if starts_with(tokens, "by", at=at + 1):
            raise not_emulated("CONNECT BY")
        case "collate":
            raise not_emulated("COLLATE")
        case "ignore" if starts_with(tokens, "nulls", at=at + 1):
            raise not_emulated("IGNORE NULLS")
        case "respect" if starts_with(tokens, "nulls", at=at + 1):
            raise not_emulated("RESPECT NULLS")
        case "all" if starts_with(tokens, "group", "by", at=at - 2):
            raise not_emulated("GROUP BY ALL")
        case "exclude" if word_at(tokens, at - 1) == "*":
            raise not_emulated("SELECT * EXCLUDE")
        case "(" if starts_with(tokens, "(", "+", ")", at=at):
            raise not_emulated("the outer join operator (+)")


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
        case "to_timestamp" if len(arguments) == 3:
            raise not_emulated("to_timestamp() with is_strict")
        case "array" if starts_with(tokens, "select|with", at=at + 2):
            raise not_supported("ARRAY(subquery)")
        case "lag" | "lead" as function if len(arguments) > 2:
            raise RedshiftError(
                FEATURE_NOT_SUPPORTED, f"Default parameter not be supported for window function {function}"
            )
    if tokens[at].word in REDSHIFT_FUNCTIONS and find_top_level(tokens[at + 2 : end], "order") >= 0:
        raise syntax_error("order")  # in an aggregate's parentheses


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
        "prepare",
        "execute",
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
