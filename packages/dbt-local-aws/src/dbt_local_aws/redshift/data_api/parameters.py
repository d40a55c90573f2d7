"""Named parameters: `:name` in a statement stands for a value that comes beside it."""

from collections.abc import Mapping
from dataclasses import replace

from dbt_local_aws.redshift.tokens import Kind, render, tokenize


def numbered(sql: str, parameters: Mapping[str, str]) -> tuple[str, list[str]]:
    """The same statement with numbers for its parameters, and the values in this order."""
    if not parameters:
        return sql, []
    names: list[str] = []
    tokens = tokenize(sql)
    kept = []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        following = tokens[at + 1] if at + 1 < len(tokens) else None
        if token.word == ":" and following and not following.before and following.text in parameters:
            if following.text not in names:
                names.append(following.text)
            number = names.index(following.text) + 1
            kept.append(replace(token, kind=Kind.PARAMETER, text=f"${number}"))
            at += 2
        else:
            kept.append(token)
            at += 1
    return render(kept), [parameters[name] for name in names]
