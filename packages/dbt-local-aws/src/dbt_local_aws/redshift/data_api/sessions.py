"""Sessions: connections that stay open between statements, with their temporary tables and transactions."""

import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from dbt_local_aws.redshift.data_api.connection import Connection
from dbt_local_aws.redshift.data_api.errors import invalid, not_found

_LONGEST = 86_400


@dataclass
class Session:
    """A connection that stays open, used by one statement at a time."""

    members: dict[str, Any]  # what the request that opened it said of the cluster, the database and the user
    keep_alive: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    connection: Connection | None = None
    is_busy: bool = True
    expires: float = 0.0


class Sessions:
    """The sessions that are open."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: dict[str, Session] = {}

    def begin(self, members: dict[str, Any], keep_alive: int) -> Session:
        """A new session, for the statement that opens it."""
        if not 0 < keep_alive <= _LONGEST:
            raise invalid(f"SessionKeepAliveSeconds must be between 0 and {_LONGEST}")
        session = Session(members, keep_alive)
        with self._lock:
            self._open[session.id] = session
        return session

    def take(self, session_id: str, keep_alive: int | None) -> Session:
        """An open session, for the next statement."""
        with self._lock:
            self._end_idle()
            session = self._open.get(session_id)
            if session is None:
                raise not_found(f"Session {session_id} does not exist or has expired", session_id)
            if session.is_busy:
                raise invalid(f"Session {session_id} is busy: it runs one statement at a time")
            session.is_busy = True
            session.keep_alive = session.keep_alive if keep_alive is None else keep_alive
            return session

    def give_back(self, session: Session, connection: Connection) -> None:
        """The statement has ended; the session waits for the next one."""
        with self._lock:
            session.connection, session.is_busy = connection, False
            session.expires = time.monotonic() + session.keep_alive
            self._end_idle()

    def close(self) -> None:
        """Ends all of them."""
        with self._lock:
            for session in self._open.values():
                if session.connection is not None:
                    session.connection.close()
            self._open.clear()

    def _end_idle(self) -> None:
        for session in [one for one in self._open.values() if not one.is_busy and one.expires <= time.monotonic()]:
            del self._open[session.id]
            if session.connection is not None:
                session.connection.close()
