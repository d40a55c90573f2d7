"""What the endpoint does for a statement: the outcome of translating it."""

from dataclasses import dataclass, field

from dbt_local_aws.redshift.copy.command import CopyCommand
from dbt_local_aws.redshift.unload.command import UnloadCommand


@dataclass(frozen=True, slots=True)
class Forward:
    """PostgreSQL runs it, in these words."""

    sql: str
    # Its text holds definitions of late-binding views, or columns of tables: they are looked up again before every run.
    late_bound: bool = False
    # What the session has to know once it ran: whether quoted names keep their case from now on.
    case_sensitive_names: bool | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """PostgreSQL runs several statements, all of them or none."""

    steps: tuple[str, ...]
    tag: str | None = None  # the command tag; that of the first step where there is none
    commits: bool = False  # it ends the transaction that it runs in, as TRUNCATE does
    apart: bool = False  # each step commits by itself: PostgreSQL makes a database outside of transactions only
    alone: str | None = None  # the command's name, where it cannot run inside a transaction block


@dataclass(frozen=True, slots=True)
class Load:
    """The endpoint itself reads files from S3 into a table."""

    command: CopyCommand = field()


@dataclass(frozen=True, slots=True)
class Unload:
    """The endpoint itself writes what a query gives into files of S3."""

    command: UnloadCommand
    sql: str  # the query, as PostgreSQL runs it


Plan = Forward | Script | Load | Unload
