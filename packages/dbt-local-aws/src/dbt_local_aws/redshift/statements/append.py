"""ALTER TABLE … APPEND: the rows of another table are moved.

Source: ALTER TABLE APPEND (r_ALTER_TABLE_APPEND) in the Amazon Redshift Database Developer Guide.
"""

from collections.abc import Sequence

from dbt_local_aws.redshift.errors import syntax_error
from dbt_local_aws.redshift.quoting import literal
from dbt_local_aws.redshift.statements.plans import Script
from dbt_local_aws.redshift.tokens import QualifiedName, Token, qualified_name, word_at

_EXTRA = ("ignoreextra", "filltarget")


def append(table: QualifiedName, action: Sequence[Token]) -> Script:
    """APPEND FROM source [IGNOREEXTRA | FILLTARGET], which is no part of a transaction."""
    source, at = qualified_name(action, 2)
    extra = word_at(action, at) if word_at(action, at) in _EXTRA else None
    at += extra is not None
    if at < len(action):
        raise syntax_error(action[at].text)
    arguments = ", ".join(literal(text) for text in (table.sql, source.sql, extra))
    return Script(
        (f"select redshift_internal.append({arguments})",), tag="ALTER TABLE APPEND", alone="ALTER TABLE APPEND"
    )
