"""Who may log in: users with their passwords, and those who were given temporary ones through IAM."""

import base64
import datetime as dt
import hashlib
import hmac
import re
import secrets
import threading
from dataclasses import dataclass

_VERIFIER = re.compile(r"SCRAM-SHA-256\$(\d+):([^$]+)\$([^:]+):(.+)")
_PREFIX = re.compile(r"^IAM[AR]?:")


def password_matches(password: str, verifier: str | None) -> bool:
    """Whether a password is the one that PostgreSQL keeps the verifier of."""
    match = _VERIFIER.fullmatch(verifier or "")
    if match is None:
        return False
    salt, stored_key = base64.b64decode(match[2]), base64.b64decode(match[3])
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, int(match[1]))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), stored_key)


@dataclass(frozen=True)
class TemporaryCredentials:
    """A user name and a password for some minutes."""

    login: str  # with the prefix that IAM gives it
    user: str
    password: str
    expires: dt.datetime
    creates_user: bool = False


class TemporaryLogins:
    """The temporary credentials that were given out; one thread gives them out, another one asks for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: dict[str, list[TemporaryCredentials]] = {}

    def issue(self, user: str, seconds: int, *, creates_user: bool = False) -> TemporaryCredentials:
        """Gives out credentials for a user."""
        credentials = TemporaryCredentials(
            login=("IAMA:" if creates_user else "IAM:") + user,
            user=user,
            password=secrets.token_urlsafe(32),
            expires=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=seconds),
            creates_user=creates_user,
        )
        with self._lock:
            self._given.setdefault(credentials.login, []).append(credentials)
        return credentials

    def find(self, login: str, password: str) -> TemporaryCredentials | None:
        """The credentials that somebody logs in with, if they were given out and have not expired."""
        now = dt.datetime.now(dt.UTC)
        with self._lock:
            valid = [given for given in self._given.get(login, []) if given.expires > now]
            self._given[login] = valid
        return next((given for given in valid if hmac.compare_digest(given.password, password)), None)


def is_temporary(login: str) -> bool:
    """Whether a user name is one that IAM gives out."""
    return _PREFIX.match(login) is not None
