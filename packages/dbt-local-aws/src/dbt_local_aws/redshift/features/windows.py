"""Window functions that PostgreSQL has not: those that ignore nulls, and percentiles of partitions.

Sources: "FIRST_VALUE and LAST_VALUE window functions" (r_WF_first_value), where IGNORE NULLS stands in the parentheses;
r_WF_NTH, r_WF_LAG and r_WF_LEAD, where it stands behind them; r_WF_PERCENTILE_CONT and r_WF_PERCENTILE_DISC. What they
become lies in sql/6_features.sql.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import syntax_error
from dbt_local_aws.redshift.tokens import Token, closing, find_top_level, spaced, split, sql, starts_with, word_at

_WITH_NULLS_INSIDE = {"first_value", "last_value"}
_WITH_NULLS_BEHIND = {"nth_value", "lag", "lead"}
_FRAMES = {
    "lag": "rows between unbounded preceding and 1 preceding",
    "lead": "rows between 1 following and unbounded following",
}
_NEAREST = {"lag": "last_value", "lead": "first_value"}


def rewrite(tokens: Sequence[Token]) -> list[Token]:
    """The same tokens, in which these functions are called as PostgreSQL can call them."""
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        called = word_at(tokens, at + 1) == "(" and word_at(tokens, at - 1) != "."
        rewritten, end = _call(tokens, at) if called else (None, at)
        output += [tokens[at]] if rewritten is None else [*_led(rewritten, tokens[at])]
        at = end + 1 if rewritten is not None else at + 1
    return output


def _led(rewritten: Sequence[Token], original: Token) -> list[Token]:
    return [*spaced([Token(rewritten[0].kind, rewritten[0].text, original.before)]), *rewritten[1:]]


def _call(tokens: Sequence[Token], at: int) -> tuple[list[Token] | None, int]:
    """What stands in the place of the call that begins here, and where that ends; None where it may remain."""
    word, end = tokens[at].word, closing(tokens, at + 1)
    if word in _WITH_NULLS_INSIDE:
        return _of_frame(word, tokens, at + 2, end)
    if word in _WITH_NULLS_BEHIND:
        return _of_neighbours(word, tokens, at + 2, end)
    if word in ("percentile_cont", "percentile_disc") and starts_with(tokens, "within", "group", "(", at=end + 1):
        return _percentile(word, tokens, at + 2, end)
    return None, at


def _of_frame(word: str, tokens: Sequence[Token], begin: int, end: int) -> tuple[list[Token] | None, int]:
    """FIRST_VALUE and LAST_VALUE."""
    if starts_with(tokens, "ignore|respect", "nulls", at=end + 1):
        raise syntax_error(tokens[end + 1].text)
    inside = tokens[begin:end]
    nulls = find_top_level(inside, "ignore", "respect")
    if nulls <= 0 or word_at(inside, nulls + 1) != "nulls":
        return None, begin
    if len(inside) > nulls + 2:
        raise syntax_error(inside[nulls + 2].text)
    argument = rewrite(inside[:nulls])
    name = word if inside[nulls].word == "respect" else f"redshift_internal.{word}"
    return [*sql(f"{name}("), *spaced(argument), *sql(")")], end


def _of_neighbours(word: str, tokens: Sequence[Token], begin: int, end: int) -> tuple[list[Token] | None, int]:
    """NTH_VALUE, LAG and LEAD."""
    inside = tokens[begin:end]
    nulls = find_top_level(inside, "ignore", "respect")
    if nulls > 0 and word_at(inside, nulls + 1) == "nulls":
        raise syntax_error(inside[nulls].text)
    if not starts_with(tokens, "ignore|respect", "nulls", "over", "(", at=end + 1):
        return None, begin
    arguments = [rewrite(part) for part in split(inside)]
    if tokens[end + 1].word == "respect":
        return [*sql(f"{word}("), *spaced(rewrite(inside)), *sql(")")], end + 2
    last = closing(tokens, end + 4)
    window = [*rewrite(tokens[end + 5 : last]), *sql(_FRAMES.get(word, ""))]
    over = [*sql("over ("), *spaced(window), *sql(")")]
    if len(arguments) == 1 and word in _NEAREST:
        nearest = [*sql(f"redshift_internal.{_NEAREST[word]}("), *spaced(arguments[0]), *sql(")"), *over]
        return [*sql(f"redshift_internal.{word}("), *nearest, *sql(")")], last
    if len(arguments) != 2:
        raise syntax_error(word)
    collected = [*sql("array_agg("), *spaced(arguments[0]), *sql(")"), *over]
    current = [*sql(","), *spaced(arguments[0])] if word in _FRAMES else []
    called = [*sql(f"redshift_internal.{word}("), *collected, *sql(","), *spaced(arguments[1]), *current]
    return [*called, *sql(")")], last


def _percentile(word: str, tokens: Sequence[Token], begin: int, end: int) -> tuple[list[Token] | None, int]:
    """PERCENTILE_CONT and PERCENTILE_DISC; as aggregates they remain."""
    close = closing(tokens, end + 3)
    if not starts_with(tokens, "over", "(", at=close + 1) or not starts_with(tokens, "order", "by", at=end + 4):
        return None, begin
    order = tokens[end + 6 : close]
    direction = find_top_level(order, "asc", "desc", "nulls")
    value = rewrite(order[:direction] if direction >= 0 else order)
    descending = str(find_top_level(order, "desc") >= 0).lower()
    last = closing(tokens, close + 2)
    over = [*sql("over ("), *spaced(rewrite(tokens[close + 3 : last])), *sql(")")]
    collected = [*sql("redshift_internal.sorted("), *spaced(value), *sql(")"), *over]
    fraction = spaced(rewrite(tokens[begin:end]))
    return [*sql(f"redshift_internal.{word}("), *collected, *sql(","), *fraction, *sql(f", {descending})")], last
