"""MERGE … REMOVE DUPLICATES: what matches is replaced by the source's rows, and what does not is inserted.

Source: MERGE (r_MERGE) in the Amazon Redshift Database Developer Guide.
"""

from collections.abc import Callable, Sequence

from dbt_local_aws.redshift.errors import syntax_error
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements.plans import Forward, Script
from dbt_local_aws.redshift.tokens import QualifiedName, Token, find_top_level, render, tokenize


def remove_duplicates(
    tokens: Sequence[Token],
    target: QualifiedName,
    source: QualifiedName,
    translate: Callable[[Sequence[Token]], Forward],
) -> Script:
    """The steps of such a MERGE. One row stays of those that match the same row of the source, with its values."""
    using = find_top_level(tokens, "using")
    on = find_top_level(tokens, "on", start=using)
    if on < 0 or find_top_level(tokens, "when", start=on) >= 0:
        raise syntax_error("remove")
    aliased = render(tokens[using + 1 : on])
    condition = render(tokens[on + 1 : -2])
    matches = translate(tokenize(f"select 1 from {target.sql} join {aliased} on {condition}"))  # noqa: S608 - the statement's
    delete = translate(tokenize(f"delete from {target.sql} using {aliased} where {condition}"))  # noqa: S608 - the same
    several = f"exists ({matches.sql} group by {target.sql}.ctid having count(*) > 1)"
    return Script(
        (
            f"select redshift_internal.check_can_merge({literal(target.sql)}, {literal(source.sql)}, {several})",
            delete.sql,
            f"insert into {target.sql} select * from {source.sql}",  # noqa: S608 - quoted names
        ),
        tag="MERGE",
    )
