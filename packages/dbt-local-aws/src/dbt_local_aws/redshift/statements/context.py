"""What the translation of a statement has to know of the session and its database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dbt_local_aws.redshift.statements.late_binding import LateViews
from dbt_local_aws.redshift.wire import Field


@dataclass(frozen=True)
class Context:
    """What a translation has to know of the session and its database."""

    database: str
    case_sensitive_names: bool = False
    application: str = ""  # the client's program
    late_views: LateViews = field(default_factory=LateViews)
    functions: frozenset[str] = frozenset()  # the users' own
    views: frozenset[tuple[str, ...]] = (
        frozenset()
    )  # by name and schema, and by name alone where the search path finds it
    materialized_views: frozenset[tuple[str, ...]] = frozenset()  # of these views
    columns: Mapping[str, Sequence[Field]] = field(default_factory=dict)  # of queries, as PostgreSQL knows them

    def is_view(self, parts: tuple[str, ...]) -> bool:
        """Whether a name of one, two or three parts means a view, of whatever kind."""
        return parts[-2:] in self.views
