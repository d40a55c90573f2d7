"""Functions that Redshift has not, or that take other arguments there."""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
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
from dbt_local_aws.redshift.refusals.relations import in_from
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    split,
    starts_with,
    word_at,
)

# Functions that PostgreSQL calls with more arguments than their pages: r_DATE_TRUNC, r_RANDOM, REGEXP_COUNT,
# REGEXP_INSTR, REGEXP_REPLACE, REGEXP_SUBSTR, r_LN, r_LENGTH, r_MD5, r_TRUNC, r_ROUND
_MOST_ARGUMENTS = {
    "date_trunc": 2, "random": 0, "regexp_count": 4, "regexp_instr": 6, "regexp_replace": 5, "regexp_substr": 5,
    "length": 1, "md5": 1, "trunc": 2, "round": 2, "pi": 0, "version": 0,
}  # fmt: skip


def check_calls(tokens: Sequence[Token], is_user_function: Callable[[str], bool]) -> str:
    """Raises for a function that Redshift has not; gives the name of one that runs on the leader node only, if any."""
    leader_only = ""
    for at, token in enumerate(tokens):
        word = token.word
        if word in ("current_timestamp", "current_time", "localtime", "localtimestamp"):
            leader_only = word
        if token.kind is Kind.NAME:
            word = token.name  # quotes make no other function of it
        if not token.is_identifier or word_at(tokens, at + 1) != "(" or starts_with(tokens, "+", ")", at=at + 2):
            continue  # the outer join operator (+) is no call
        if _ends_qualifier(tokens, at):
            continue
        qualified = word_at(tokens, at - 1) == "."
        if qualified and word_at(tokens, at - 2) != "pg_catalog":
            continue  # a function of the user's own, or a column list behind a table's name
        if word in LEADER_NODE_FUNCTIONS:
            leader_only = word
        elif word in NOT_EMULATED_FUNCTIONS:
            raise not_emulated(f"function {word}()")
        elif word in REDSHIFT_FUNCTIONS or (word in KEYWORDS_BEFORE_PARENTHESIS and token.kind is Kind.WORD):
            _check_arguments(tokens, at)
        elif not _is_name_of_relation(tokens, at) and not is_user_function(word):
            raise RedshiftError(
                UNDEFINED_FUNCTION,
                f"function {word}() does not exist",
                hint="Redshift has no function of this name. You may need to add explicit type casts.",
            )
    return leader_only


def unknown_functions(tokens: Sequence[Token]) -> list[str]:
    """The functions called here that Redshift does not document."""
    known = REDSHIFT_FUNCTIONS | LEADER_NODE_FUNCTIONS | NOT_EMULATED_FUNCTIONS | KEYWORDS_BEFORE_PARENTHESIS
    return [
        token.word
        for at, token in enumerate(tokens)
        if token.kind is Kind.WORD
        and word_at(tokens, at + 1) == "("
        and word_at(tokens, at - 1) != "."
        and token.word not in known
        and not _ends_qualifier(tokens, at)
        and not _is_name_of_relation(tokens, at)
    ]


def _ends_qualifier(tokens: Sequence[Token], at: int) -> bool:
    """Whether an interval's unit stands here, and in the parentheses how many digits its fraction has."""
    before = tokens[at - 1] if at else None
    return (
        tokens[at].word == "second"
        and before is not None
        and (before.kind is Kind.STRING or before.word in ("to", "interval"))
    )


def _check_arguments(tokens: Sequence[Token], at: int) -> None:
    """Functions that both have, in forms that only PostgreSQL takes."""
    end = closing(tokens, at + 1)
    arguments = split(tokens[at + 2 : end])
    function = tokens[at].name
    if len(arguments) > _MOST_ARGUMENTS.get(function, len(arguments)):
        raise RedshiftError(UNDEFINED_FUNCTION, f"function {function}() does not take {len(arguments)} arguments")
    match function:
        case "to_timestamp" if len(arguments) == 1:
            raise RedshiftError(UNDEFINED_FUNCTION, "function to_timestamp(double precision) does not exist")
        case "to_timestamp" if len(arguments) == 3:
            raise not_emulated("to_timestamp() with is_strict")
        case "array" if starts_with(tokens, "select|with", at=at + 2):
            raise not_supported("ARRAY(subquery)")
        case "lag" | "lead" if len(arguments) > 2:
            raise RedshiftError(
                FEATURE_NOT_SUPPORTED, f"Default parameter not be supported for window function {function}"
            )
    if function in REDSHIFT_FUNCTIONS and find_top_level(tokens[at + 2 : end], "order") >= 0:
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
            start > 0
            and before not in ("from", "join")  # what stands there is a function that gives a table
            and (tokens[start - 1].is_identifier or before == ")")
            and in_from(tokens, start)
        )
    return False
