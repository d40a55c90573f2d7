"""Windows and ordered-set functions that only PostgreSQL takes."""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import (
    FEATURE_NOT_SUPPORTED,
    SYNTAX_ERROR,
    RedshiftError,
    syntax_error,
)
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    split,
    starts_with,
    word_at,
)

_RANKED = {"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead"}
# Of these a window is nothing but its partition
_OF_PARTITIONS = {"median", "listagg", "ratio_to_report", "percentile_cont", "percentile_disc"}


def _called_before(tokens: Sequence[Token], at: int) -> str:
    """The function whose parenthesis closes just before this position."""
    depth = 0
    for position in range(at - 1, -1, -1):
        depth += {")": 1, "(": -1}.get(tokens[position].word, 0)
        if depth == 0:
            return word_at(tokens, position - 1)
    return ""


def check_window(tokens: Sequence[Token], at: int) -> None:
    """Raises for frames of PostgreSQL's alone, and where Redshift wants a frame and there is none."""
    window = tokens[at + 2 : closing(tokens, at + 1)]
    frame = find_top_level(window, "rows", "range", "groups")
    if frame >= 0 and (window[frame].word != "rows" or find_top_level(window, "exclude", start=frame) >= 0):
        raise syntax_error(window[frame].text)
    at -= 2 * starts_with(tokens, "ignore|respect", "nulls", at=at - 2)
    within = _start_of_within_group(tokens, at)
    function = _called_before(tokens, at if within < 0 else within)
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


def check_within_group(tokens: Sequence[Token], at: int) -> None:
    """Raises for WITHIN GROUP behind a function that has none on Redshift."""
    function = _called_before(tokens, at)
    if function not in ("listagg", "percentile_cont", "percentile_disc"):
        raise syntax_error("within")
