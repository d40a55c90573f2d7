"""QUALIFY: a condition on the results of window functions.

Source: "QUALIFY clause" (r_QUALIFY_clause). "If you're using the QUALIFY clause directly after the FROM clause, the
FROM relation name must have an alias": without one, QUALIFY is read as the alias.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import syntax_error
from dbt_local_aws.redshift.features.block import CLAUSES, Block
from dbt_local_aws.redshift.features.sources import sources
from dbt_local_aws.redshift.tokens import Token, find_top_level


def condition(block: Block) -> list[Token]:
    """The condition, if any; raises where QUALIFY cannot stand where it does."""
    found = block.body("qualify")
    if found:
        _check_alias(block, found)
    return found


def _check_alias(block: Block, found: Sequence[Token]) -> None:
    between = [clause for clause in CLAUSES if clause in ("where", "start", "connect", "group", "having")]
    if any(clause in block.clauses for clause in between):
        return
    source = block.body("from")
    # ON and USING end with a condition, behind which no alias can stand
    if find_top_level(source, "on", "using") >= 0 and find_top_level(source, ",") < 0:
        return
    if source and sources(source)[-1].alias is None:
        raise syntax_error(found[0].text)
