"""Keeps two loads out of one S3 prefix, though either may be killed and no two machines agree on the time.

The lock is an object. Its holder replaces it every few seconds; whoever finds that it stays the same for a whole lease
by its own stopwatch takes it over. All steps are conditional writes, of which S3 lets one succeed. A holder that was
asleep for longer than the lease finds out before it deletes anything; what it writes has names of its own, and its
ledger is refused by S3 if another one took effect.
"""

import os
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from lakehouse.errors import LandingError
from lakehouse.storage.folder import Say
from lakehouse.storage.s3_errors import GONE, OTHER_VERSION, read_body

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

LOCK_KEY = "loader/lock.json"
LEASE_SECONDS = 30.0


class _Holder(msgspec.Struct, frozen=True):
    """The content of the lock."""

    host: str
    process: int
    nonce: str
    renewed: int


class S3Lock:
    """The lock of one S3 prefix."""

    def __init__(self, client: "S3Client", bucket: str, root: str) -> None:
        """Takes where the prefix is: what all its keys begin with, to the slash."""
        self._client = client
        self._zone = f"s3://{bucket}/{root}".rstrip("/")
        self._bucket = bucket
        self._key = root + LOCK_KEY
        self._holder = _Holder(socket.gethostname(), os.getpid(), os.urandom(8).hex(), 0)
        self._version = ""
        self._renewed_at = 0.0
        self._lost = False
        self._stop = threading.Event()
        self._renewal = threading.Thread(target=self._keep, name="lock renewal", daemon=True)

    def acquire(self, say: Say) -> None:
        """Takes the lock, if need be after having seen for the length of a lease that its holder is gone.

        Raises:
            LandingError: Another load holds it, or S3 keeps nobody from overwriting another's object.
        """
        while not self._put(IfNoneMatch="*"):
            abandoned = self._watch(say)
            if abandoned and self._put(IfMatch=f'"{abandoned}"'):
                break
        self._probe()
        self._renewal.start()

    def check(self) -> None:
        """Says whether the lock is still held.

        Raises:
            LandingError: It was not renewed in time; another load may have it.
        """
        if self._lost or _now() - self._renewed_at > LEASE_SECONDS:
            raise LandingError(f"{self._zone}: another load has taken over, this one was asleep too long: land again")

    def release(self) -> None:
        """Gives the lock back, unless it was lost."""
        self._stop.set()
        if self._renewal.is_alive():
            self._renewal.join()
        try:
            if not self._lost and self._put(IfMatch=f'"{self._version}"'):
                self._client.delete_object(Bucket=self._bucket, Key=self._key)
        except (ClientError, BotoCoreError, LandingError):
            pass  # it lapses by itself, and what the load did or failed to do is the news

    def _probe(self) -> None:
        """Makes sure that S3 minds the conditions on which everything rests: asks for two writes that it must refuse.

        Raises:
            LandingError: It takes one.
        """
        for condition in ({"IfNoneMatch": "*"}, {"IfMatch": f'"{"0" * 32}"'}):
            try:
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=self._key,
                    Body=msgspec.json.encode(self._holder),
                    **condition,  # type: ignore[arg-type]  # it takes either
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in (*OTHER_VERSION, *GONE):
                    raise
            else:
                self._client.delete_object(Bucket=self._bucket, Key=self._key)
                raise LandingError(
                    f"{self._zone}: this store takes a write whose condition ({' '.join(condition)}) does not hold, so "
                    "two loads could overwrite each other's ledger: land in a store that minds conditions, or a folder"
                )

    def _keep(self) -> None:
        """Renews the lock until it is released."""
        while not self._stop.wait(LEASE_SECONDS / 4):
            try:
                self._lost = not self._put(IfMatch=f'"{self._version}"')
            except (ClientError, BotoCoreError):
                continue  # `check` notices if no later attempt succeeds in time
            except LandingError:
                self._lost = True
            if self._lost:
                return

    def _put(self, **condition: Any) -> bool:  # noqa: ANN401 - boto3's own argument
        """Writes the lock under a condition, and says whether that held."""
        began = _now()
        self._holder = msgspec.structs.replace(self._holder, renewed=self._holder.renewed + 1)
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._key, Body=msgspec.json.encode(self._holder), **condition
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in (*OTHER_VERSION, *GONE):
                raise
            found = self._find()
            if found is None or found[0].nonce != self._holder.nonce:
                return False
            self._version = found[1]  # an attempt whose answer was lost had succeeded
        else:
            self._version = answer["ETag"].strip('"')
        self._renewed_at = began
        return True

    def _watch(self, say: Say) -> str | None:
        """Watches the lock for a lease: gives its version if nobody renews it, None where it is gone.

        Raises:
            LandingError: Its holder is alive.
        """
        first = found = self._find()
        began = time.monotonic()
        if found is not None:
            say(
                f"{self._zone} is locked by {_who(found[0])}: watching for {LEASE_SECONDS:.0f} s whether it still lives"
            )
        while found is not None and first is not None:
            if found[1] != first[1]:
                raise LandingError(
                    f"another load ({_who(found[0])}) is writing to {self._zone}: wait until it is done, then try again"
                )
            if time.monotonic() - began > LEASE_SECONDS:
                return found[1]
            time.sleep(LEASE_SECONDS / 20)
            found = self._find()
        return None

    def _find(self) -> tuple[_Holder, str] | None:
        """The lock's content and version.

        Raises:
            LandingError: What is there is no lock.
        """
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if error.response["Error"]["Code"] in GONE:
                return None
            raise
        try:
            return msgspec.json.decode(read_body(answer), type=_Holder), answer["ETag"].strip('"')
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise LandingError(
                f"s3://{self._bucket}/{self._key} is no lock of a load: if no load is at work, delete it"
            ) from error


def _now() -> float:
    """A time in seconds that goes on while the machine sleeps, unlike Linux's monotonic clock."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def _who(holder: _Holder) -> str:
    return f"process {holder.process} on {holder.host}"
