"""Redshift's expressions in PostgreSQL's words: what differs in syntax. What differs in name only is in sql/."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from dbt_local_aws.redshift.datatypes import read_type
from dbt_local_aws.redshift.errors import not_emulated, syntax_error
from dbt_local_aws.redshift.features import windows
from dbt_local_aws.redshift.intervals import literal
from dbt_local_aws.redshift.statements import settings
from dbt_local_aws.redshift.statements.column_names import with_column_names
from dbt_local_aws.redshift.tokens import (
    Kind,
    Token,
    closing,
    find_top_level,
    render,
    spaced,
    split,
    sql,
    starts_with,
    word_at,
)

# Words that PostgreSQL reserves and Redshift does not: on Redshift they can be nothing but names
_NAMES_ON_REDSHIFT = {
    "asymmetric", "concurrently", "current_catalog", "current_role", "current_schema", "lateral", "returning",
    "symmetric", "system_user", "tablesample", "variadic", "window",
}  # fmt: skip

Arguments = list[list[Token]]

# Functions whose first argument is the name of a date part, which Redshift takes without quotes
_DATE_PART_FIRST = {"dateadd", "date_add", "datediff", "date_diff", "date_part", "pgdate_part"}
_SYNONYMS = {"date_add": "dateadd", "date_diff": "datediff", "pgdate_part": "date_part"}
_OF_TEXTS = ("super", "varbyte")  # types to which a literal is cast as a text
_SET_OPERATIONS = ("union", "intersect", "except", "minus")


def rewrite_expressions(tokens: Sequence[Token]) -> list[Token]:
    """The same statement with every expression in PostgreSQL's words."""
    return _rewrite(_rewrite_top(windows.rewrite(with_column_names(tokens))))


def _rewrite(tokens: Sequence[Token]) -> list[Token]:
    output: list[Token] = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        word = token.word
        called = word_at(tokens, at + 1) == "(" and word_at(tokens, at - 1) != "."
        if called and word in _CALLS:
            end = closing(tokens, at + 1)
            arguments = [_rewrite(part) for part in split(tokens[at + 2 : end])]
            rewritten, at = _CALLS[word](arguments, tokens, end + 1)
            output += _lead(rewritten, token)
        elif called and word in ("cast", "convert", "try_cast"):
            rewritten, at = _cast(word, tokens, at)
            output += _lead(rewritten, token)
        elif word == "::":
            data_type, at = read_type(tokens, at + 1)
            # a text is a SUPER string, and not read as JSON; nor is it read as hexadecimal
            is_text = data_type.name in _OF_TEXTS and output and output[-1].kind is Kind.STRING
            text = sql("::varchar") if is_text else []
            output += [*text, token, *sql("::".join(data_type.steps))]
        elif word == "interval" and (found := literal(tokens, at)) is not None:
            output += _lead(found[0], token)
            at = found[1]
        elif word == "sysdate" and not called:
            output += _lead(sql("sysdate()"), token)
            at += 1
        elif word == "approximate" and starts_with(tokens, "count|percentile_disc", at=at + 1):
            if word_at(tokens, at + 1) != "count":
                raise not_emulated("approximate percentile_disc")
            at += 1  # an exact count is within any approximation
        elif word == "minus" and starts_with(tokens, "select|(", at=at + 1):
            output.append(replace(token, text="except"))
            at += 1
        elif word in _NAMES_ON_REDSHIFT and not called:
            output.append(replace(token, text=f'"{word}"'))
            at += 1
        else:
            output.append(token)
            at += 1
    return output


def _lead(rewritten: Sequence[Token], original: Token) -> list[Token]:
    """The rewritten tokens with the blanks and comments that stood before the original."""
    return [replace(rewritten[0], before=original.before or " "), *rewritten[1:]]


def _call(name: str, arguments: Arguments) -> list[Token]:
    output = sql(f"{name}(")
    for position, argument in enumerate(arguments):
        output += [*(sql(",") if position else []), *spaced(argument)]
    return [*output, *sql(")")]


def _parenthesised(tokens: Sequence[Token]) -> list[Token]:
    return [*sql("("), *tokens, *sql(")")]


def _date_part_first(name: str) -> Callable[[Arguments, Sequence[Token], int], tuple[list[Token], int]]:
    name = _SYNONYMS.get(name, name)

    def rewrite(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
        if arguments and len(arguments[0]) == 1 and arguments[0][0].is_identifier:
            arguments[0] = sql(f"'{arguments[0][0].name}'")
        if name != "dateadd":
            arguments[1:] = map(_as_timestamp, arguments[1:])
        elif len(arguments) == 3:
            arguments[2] = _as_timestamp(arguments[2])
        return _call(name, arguments), after

    return rewrite


def _as_timestamp(argument: list[Token]) -> list[Token]:
    """A plain literal is a timestamp here; PostgreSQL would choose the type with a time zone."""
    if len(argument) == 1 and argument[0].kind is Kind.STRING:
        return [*sql("cast("), *argument, *sql("as timestamp)")]
    return argument


def _date_trunc(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    return _call("date_trunc", [*arguments[:1], *map(_as_timestamp, arguments[1:])]), after


def _renamed(name: str) -> Callable[[Arguments, Sequence[Token], int], tuple[list[Token], int]]:
    def rewrite(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
        return _call(name, arguments), after

    return rewrite


def _extract(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    (inside,) = arguments if len(arguments) == 1 else [[]]
    if len(inside) < 3 or inside[1].word != "from":
        raise syntax_error("extract")
    part = inside[0].value if inside[0].kind is Kind.STRING else inside[0].name
    # its own function, because the seconds since 1970 do not fit an integer for ever
    name = "redshift_internal.extract_epoch" if part.lower() == "epoch" else "redshift_internal.extract_part"
    parts = [inside[2:]] if part.lower() == "epoch" else [sql(f"'{part.lower()}'"), inside[2:]]
    return _call(name, parts), after


def _nvl2(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    if len(arguments) != 3:
        raise syntax_error("nvl2")
    tested, present, absent = map(_parenthesised, arguments)
    return [*sql("case when"), *tested, *sql("is not null then"), *present, *sql("else"), *absent, *sql("end")], after


def _decode(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    if len(arguments) < 3:
        raise syntax_error("decode")
    tested, *rest = map(_parenthesised, arguments)
    output = sql("case")
    while len(rest) > 1:
        # DECODE takes two nulls for equal, unlike CASE
        output += [*sql("when"), *tested, *sql("is not distinct from"), *rest[0], *sql("then"), *rest[1]]
        rest = rest[2:]
    return [*output, *(([*sql("else"), *rest[0]]) if rest else []), *sql("end")], after


def _listagg(arguments: Arguments, tokens: Sequence[Token], after: int) -> tuple[list[Token], int]:
    if not 1 <= len(arguments) <= 2:
        raise syntax_error("listagg")
    measure, *separator = arguments
    distinct = measure[0].word in ("distinct", "all")
    quantifier, measure = (measure[:1], measure[1:]) if distinct else ([], measure)
    order: list[Token] = []
    if starts_with(tokens, "within", "group", "(", at=after):
        end = closing(tokens, after + 2)
        order = _rewrite(tokens[after + 3 : end])
        after = end + 1
    delimiter = spaced(separator[0] if separator else sql("''"))
    # nulls and empty texts are passed over (r_LISTAGG)
    text = [*sql("nullif(cast("), *spaced(measure), *sql("as varchar), '')")]
    over: list[Token] = []
    if starts_with(tokens, "over", "(", at=after):
        end = closing(tokens, after + 1)
        frame = sql("rows between unbounded preceding and unbounded following") if order else []
        over = [*sql("over ("), *_rewrite(tokens[after + 2 : end]), *spaced(order), *frame, *sql(")")]
        after, order = end + 1, []
    if quantifier and quantifier[0].word == "distinct":  # PostgreSQL orders these by themselves only, and in no window
        collected = [*sql("array_agg("), *text, *spaced(order), *sql(")"), *over]
        first_ones = [*sql("redshift_internal.distinct_in_order("), *collected, *sql("),")]
        return [*sql("redshift_internal.listagg("), *first_ones, *delimiter, *sql(")")], after
    inside = [*quantifier, *text, *sql(","), *delimiter, *spaced(order)]
    return [*sql("redshift_internal.listagg("), *inside, *sql(")"), *over], after


def _ratio_to_report(arguments: Arguments, tokens: Sequence[Token], after: int) -> tuple[list[Token], int]:
    if len(arguments) != 1 or not starts_with(tokens, "over", "(", at=after):
        raise syntax_error("ratio_to_report")
    end = closing(tokens, after + 1)
    measure = _parenthesised(arguments[0])
    window = [*sql("over ("), *_rewrite(tokens[after + 2 : end]), *sql(")")]
    # in parentheses, so that a cast or an operator behind it takes the whole
    return [
        *sql("(cast("),
        *measure,
        *sql("as double precision) / nullif(sum("),
        *measure,
        *sql(")"),
        *window,
        *sql(", 0))"),
    ], end + 1


def _as_super(expression: Sequence[Token]) -> list[Token]:
    """A cast to SUPER, for which a text is a string, and not read as JSON."""
    if len(expression) == 1 and expression[0].kind in (Kind.STRING, Kind.PARAMETER):
        return [*sql("redshift_internal.as_super("), *expression, *sql(")")]
    return [*sql("cast("), *spaced(expression), *sql("as super)")]


def _array(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    return _call(
        'redshift_internal."array"', [_as_super(argument) for argument in arguments] or [sql("variadic '{}'")]
    ), after


def _json_extract_path_text(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    forgiving = len(arguments) > 1 and len(arguments[-1]) == 1 and arguments[-1][0].word in ("true", "false")
    null_if_invalid = arguments[-1] if forgiving else sql("false")
    path = arguments[1:-1] if forgiving else arguments[1:]
    return _call("redshift_internal.json_path_text", [arguments[0], null_if_invalid, *path]), after


def _current_setting(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    if len(arguments) != 1:
        raise syntax_error("current_setting")
    if [token.value for token in arguments[0] if token.kind is Kind.STRING] == ["server_version"]:
        return sql(f"'{settings.SERVER_VERSION}'"), after
    # a parameter of Redshift's own that was never set is empty, and not unknown
    return _call("coalesce", [_call("current_setting", [settings.called(arguments[0]), sql("true")]), sql("''")]), after


def _set_config(arguments: Arguments, _: Sequence[Token], after: int) -> tuple[list[Token], int]:
    if len(arguments) != 3:
        raise syntax_error("set_config")
    return _call("set_config", [settings.called(arguments[0]), *arguments[1:]]), after


_CALLS: dict[str, Callable[[Arguments, Sequence[Token], int], tuple[list[Token], int]]] = {
    **{name: _date_part_first(name) for name in _DATE_PART_FIRST},
    "nvl": _renamed("coalesce"),
    "isnull": _renamed("coalesce"),
    "nvl2": _nvl2,
    "decode": _decode,
    "extract": _extract,
    "date_trunc": _date_trunc,
    "grouping_id": _renamed("grouping"),
    "json_serialize": _renamed("redshift_internal.json_serialize"),  # a keyword of PostgreSQL's
    "listagg": _listagg,
    "ratio_to_report": _ratio_to_report,
    "array": _array,
    "current_setting": _current_setting,
    "set_config": _set_config,
    "json_extract_path_text": _json_extract_path_text,
}


def _cast(word: str, tokens: Sequence[Token], at: int) -> tuple[list[Token], int]:
    """CAST(expression AS type), TRY_CAST(expression AS type) and CONVERT(type, expression)."""
    end = closing(tokens, at + 1)
    inside = tokens[at + 2 : end]
    if word != "convert":
        alias = find_top_level(inside, "as")
        if alias < 0:
            raise syntax_error(")")
        data_type, rest = read_type(inside, alias + 1)
        expression = inside[:alias]
        if rest != len(inside):
            raise syntax_error(inside[rest].text)
    else:
        data_type, rest = read_type(inside, 0)
        if word_at(inside, rest) != ",":
            raise syntax_error("convert")
        expression = inside[rest + 1 :]
    if data_type.name == "super" and word != "try_cast":
        return _as_super(_rewrite(expression)), end + 1
    rewritten = _rewrite(expression)
    if data_type.name == "varbyte" and len(rewritten) == 1 and rewritten[0].kind is Kind.STRING:
        rewritten = [*sql("cast("), *spaced(rewritten), *sql("as varchar)")]
    if word == "try_cast":
        return _try_cast(rewritten, data_type.sql), end + 1
    for step in data_type.steps:
        rewritten = [*sql("cast("), *spaced(rewritten), *sql(f"as {step}"), *sql(")")]
    return rewritten, end + 1


def _try_cast(expression: list[Token], data_type: str) -> list[Token]:
    """A cast that gives null for what cannot be converted (r_TRY_CAST)."""
    if len(expression) == 1 and (expression[0].kind is Kind.STRING or expression[0].word == "null"):
        expression = [*sql("cast("), *spaced(expression), *sql("as varchar)")]
    called = [*sql("redshift_internal.try_cast("), *spaced(expression), *sql(f", '{data_type}', null::{data_type})")]
    return [*sql("cast("), *called, *sql(f"as {data_type})")]


def _rewrite_top(tokens: list[Token]) -> list[Token]:
    """`select top n …` as `select … limit n`, at every depth."""
    at = 0
    while at < len(tokens):
        if starts_with(tokens, "select", "top", at=at) and at + 2 < len(tokens) and tokens[at + 2].kind is Kind.NUMBER:
            rest = tokens[at + 3 :]
            end = _end_of_query(rest)
            if find_top_level(rest[:end], *_SET_OPERATIONS) >= 0:
                raise not_emulated("TOP in a set operation")
            limit = sql(f"limit {tokens[at + 2].text}")
            tokens = [*tokens[: at + 1], *rest[:end], *limit, *rest[end:]]
        at += 1
    return tokens


def _end_of_query(tokens: Sequence[Token]) -> int:
    """Where the query that these tokens continue ends: at the parenthesis that closes it, or at their end."""
    depth = 0
    for at, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.word, 0)
        if depth < 0:
            return at
    return len(tokens)


def text_of(tokens: Sequence[Token]) -> str:
    """The rewritten text of an expression or a query."""
    return render(rewrite_expressions(tokens)).strip()
