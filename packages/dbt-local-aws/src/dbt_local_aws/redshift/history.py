"""What was run: the statements of all sessions, for the views that show them."""

import json
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count

from dbt_local_aws.redshift.backend import BackendError
from dbt_local_aws.redshift.errors import RedshiftError
from dbt_local_aws.redshift.tokens import Token, find_top_level, render, word_at

# The views in sql/6_history.sql
VIEWS = frozenset(
    [
        "sys_query_history",
        "sys_query_text",
        "stl_query",
        "stl_querytext",
        "svl_qlog",
        "svl_statementtext",
        "stl_ddltext",
        "stl_utilitytext",
        "stv_recents",
        "stv_inflight",
    ]
)
_KEPT_STATEMENTS = 2000
_KEPT_CHARACTERS = 16_000  # of a statement: four rows of SYS_QUERY_TEXT
_CANCELED = "57014"
_CHANGES = {"insert", "update", "delete", "copy", "unload", "select", "merge"}
_DEFINITIONS = {"create", "alter", "drop", "truncate", "grant", "revoke", "comment"}


def _now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat()


@dataclass
class Statement:
    """A statement that was begun, and what became of it."""

    query: int
    user: str
    database: str
    session: int
    type: str
    text: str
    start: str = field(default_factory=_now)
    end: str | None = None
    status: str = "running"
    error: str | None = None


class QueryHistory:
    """The latest statements of a server."""

    def __init__(self) -> None:
        self._statements: deque[Statement] = deque(maxlen=_KEPT_STATEMENTS)
        self._numbers = count(1)

    @contextmanager
    def running(self, tokens: Sequence[Token], user: str, database: str, session: int) -> Iterator[None]:
        """Writes a statement down for as long as the block lasts, and how it ended."""
        text = render(tokens).strip()[:_KEPT_CHARACTERS]
        statement = Statement(next(self._numbers), user, database, session, _type_of(tokens), text)
        self._statements.append(statement)
        try:
            yield
            statement.status = "success"
        except BackendError as error:
            statement.status = "canceled" if error.fields.get("C") == _CANCELED else "failed"
            statement.error = error.fields.get("M", "")
            raise
        except RedshiftError as error:
            statement.status, statement.error = "failed", error.message
            raise
        except BaseException:
            statement.status = "canceled"  # the client has gone
            raise
        finally:
            statement.end = _now()

    def as_json(self) -> str:
        """All of them, as the views read them."""
        return json.dumps([vars(statement) for statement in self._statements])


def _type_of(tokens: Sequence[Token]) -> str:
    """The types that SYS_QUERY_HISTORY lists."""
    word = word_at(tokens, 0)
    if word == "with":
        word = word_at(tokens, find_top_level(tokens, *_CHANGES))
    if word == "create" and word_at(tokens, find_top_level(tokens, "table", "as")) == "table":
        return "CTAS" if find_top_level(tokens, "as") > 0 else "DDL"
    if word in _CHANGES:
        return word.upper()
    return "DDL" if word in _DEFINITIONS else "UTILITY"
