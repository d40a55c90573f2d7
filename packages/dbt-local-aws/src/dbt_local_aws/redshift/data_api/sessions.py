"""Sessions: connections that stay open between statements, with their temporary tables and transactions."""

import datetime as dt
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from dbt_local_aws.redshift.data_api.connection import Connection
from dbt_local_aws.redshift.data_api.errors import invalid, not_found
from dbt_local_aws.redshift.data_api.statements import now

AVAILABLE, BUSY, CLOSED = "AVAILABLE", "BUSY", "CLOSED"
_LONGEST = 86_400
_REMEMBERED = dt.timedelta(days=1)  # "the sessions that the caller created in the last 24 hours"


@dataclass
class Session:
    """A connection that stays open, used by one statement at a time."""

    members: dict[str, Any]  # what the request that opened it said of the cluster, the database and the user
    keep_alive: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    connection: Connection | None = None
    status: str = BUSY
    expires: float = 0.0
    created: dt.datetime = field(default_factory=now)
    updated: dt.datetime = field(default_factory=now)
    statement: str = ""  # the one that it runs, or ran last

    @property
    def ends(self) -> dt.datetime:
        """When it ends, or has ended, where no further statement comes."""
        return self.updated if self.status == CLOSED else self.updated + dt.timedelta(seconds=self.keep_alive)

    def turn(self, status: str) -> None:
        """Notes a new status."""
        self.status, self.updated = status, now()


class Sessions:
    """The sessions that are open, and those of the last day that are not any more."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Session] = {}

    def begin(self, members: dict[str, Any], keep_alive: int) -> Session:
        """A new session, for the statement that opens it."""
        if not 0 < keep_alive <= _LONGEST:
            raise invalid(f"SessionKeepAliveSeconds must be between 0 and {_LONGEST}")
        session = Session(members, keep_alive)
        with self._lock:
            self._known[session.id] = session
        return session

    def take(self, session_id: str, keep_alive: int | None) -> Session:
        """An open session, for the next statement."""
        with self._lock:
            self._end_idle()
            session = self._known.get(session_id)
            if session is None or session.status == CLOSED:
                raise not_found(f"Session {session_id} does not exist or has expired", session_id)
            if session.status == BUSY:
                raise invalid(f"Session {session_id} is busy: it runs one statement at a time")
            session.turn(BUSY)
            session.keep_alive = session.keep_alive if keep_alive is None else keep_alive
            return session

    def give_back(self, session: Session, connection: Connection) -> None:
        """The statement has ended; the session waits for the next one."""
        with self._lock:
            if session.status == CLOSED:
                connection.close()
                return
            session.connection = connection
            session.turn(AVAILABLE)
            session.expires = time.monotonic() + session.keep_alive
            self._end_idle()

    def listed(self) -> list[Session]:
        """All that are known, the newest first."""
        with self._lock:
            self._end_idle()
            return sorted(self._known.values(), key=lambda session: session.created, reverse=True)

    def end(self, session: Session) -> None:
        """The session ends now."""
        with self._lock:
            self._close(session)

    def close(self) -> None:
        """Ends all of them."""
        with self._lock:
            for session in self._known.values():
                self._close(session)

    def _end_idle(self) -> None:
        for session in list(self._known.values()):
            if session.status == AVAILABLE and session.expires <= time.monotonic():
                self._close(session)
            if session.status == CLOSED and session.created < now() - _REMEMBERED:
                del self._known[session.id]

    @staticmethod
    def _close(session: Session) -> None:
        if session.status != CLOSED:
            session.turn(CLOSED)
            if session.connection is not None:
                session.connection.close()
