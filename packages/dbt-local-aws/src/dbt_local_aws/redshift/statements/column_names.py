"""Default names of result columns: of calls that PostgreSQL runs under another name, or names otherwise.

Sources: the examples of DATEADD, DATEDIFF, EXTRACT, LISTAGG and JSON_EXTRACT_PATH_TEXT, and DATE_PART ("The default
column name for the DATE_PART function is pgdate_part"), in the Amazon Redshift Database Developer Guide.
"""

from collections.abc import Iterator, Sequence

from dbt_local_aws.redshift.tokens import Token, closing, sql, starts_with, word_at

_NAMES = {
    "dateadd": "date_add",
    "date_add": "date_add",
    "datediff": "date_diff",
    "date_diff": "date_diff",
    "date_part": "pgdate_part",
    "pgdate_part": "pgdate_part",
    "extract": "date_part",
    "listagg": "listagg",
    "ratio_to_report": "ratio_to_report",
    "json_extract_path_text": "json_extract_path_text",
    "json_serialize": "json_serialize",
    "array": "array",
    "current_setting": "current_setting",
}
_ENDS_LIST = {
    "from", "where", "group", "having", "order", "limit", "offset", "union", "intersect", "except", "minus", "into",
    "qualify", "start", "connect",
}  # fmt: skip


def with_column_names(tokens: Sequence[Token]) -> list[Token]:
    """The same statement, in which these calls bear the names that Redshift would give their columns."""
    ends = {
        end: name for at, token in enumerate(tokens) if token.word == "select" for end, name in _named(tokens, at + 1)
    }
    output: list[Token] = []
    for at, token in enumerate(tokens):
        output.append(token)
        if at + 1 in ends:
            output += sql(f'as "{ends[at + 1]}"')
    return output


def _named(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, str]]:
    """Where the calls of a list of columns end that have no alias and stand alone, each with its name."""
    at += word_at(tokens, at) in ("distinct", "all")
    at += 2 * (word_at(tokens, at) == "top")
    begins = True
    while at < len(tokens):
        word = tokens[at].word
        if word == ")" or word in _ENDS_LIST:
            return
        if begins and word in _NAMES and word_at(tokens, at + 1) == "(":
            end = _end_of_call(tokens, at)
            if end == len(tokens) or word_at(tokens, end) in _ENDS_LIST | {",", ")"}:
                yield end, _NAMES[word]
        begins = word == ","
        at = closing(tokens, at) + 1 if word in ("(", "[") else at + 1


def _end_of_call(tokens: Sequence[Token], at: int) -> int:
    """Where what follows a call begins: an order within it and a window may stand behind it."""
    end = closing(tokens, at + 1) + 1
    if starts_with(tokens, "within", "group", "(", at=end):
        end = closing(tokens, end + 2) + 1
    if starts_with(tokens, "over", "(", at=end):
        end = closing(tokens, end + 1) + 1
    return end
