"""A session's second connection, on which the catalogue is read as it is now."""

from collections.abc import Awaitable, Callable

from dbt_local_aws.redshift.backend import Backend
from dbt_local_aws.redshift.quoting import literal

# By this name the catalogue leaves the connection out: the client has not opened it (sql/6_history.sql).
APPLICATION = "redshift_aside"
# SHOW takes no snapshot
_FOLLOWED = (
    "search_path",
    "datestyle",
    "timezone",
    "intervalstyle",
    "extra_float_digits",
    "client_encoding",
    "statement_timeout",
)
_SHOW = "; ".join(f"show {name}" for name in _FOLLOWED)


class Aside:
    """The second connection of a session: opened once it is wanted, with the session's own settings."""

    def __init__(self, connect: Callable[[], Awaitable[Backend]], main: Backend) -> None:
        self._connect = connect
        self.main = main
        self.is_stale = True  # the session may have other settings than this connection
        self.backend: Backend | None = None

    async def opened(self) -> Backend:
        """The connection; the session's own is not asked, and so keeps what it has prepared without a name."""
        if self.backend is None:
            self.backend = await self._connect()
        return self.backend

    async def ready(self) -> Backend:
        """The connection, with the settings that the session has now."""
        backend = await self.opened()
        if self.is_stale:
            settings = [row[0] or "" for row in (await self.main.query(_SHOW)).rows]
            changes = (
                f"set_config('{name}', {literal(value)}, false)"
                for name, value in zip(_FOLLOWED, settings, strict=True)
            )
            await backend.query(f"select {', '.join(changes)}")
            self.is_stale = False
        return backend

    async def close(self) -> None:
        """Ends the connection."""
        if self.backend is not None:
            await self.backend.close()
