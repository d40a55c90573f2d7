"""The endpoint's server: accepts clients, checks who they are, and gives each of them a session."""

import asyncio
import contextlib
import secrets
import ssl
import struct
from collections.abc import Coroutine
from dataclasses import dataclass
from importlib import resources

from dbt_local_aws.certificates import Certificates
from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.answers import as_redshift
from dbt_local_aws.redshift.backend import Backend, BackendError
from dbt_local_aws.redshift.cancelling import Cancellation
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.credentials import TemporaryLogins, is_temporary, password_matches
from dbt_local_aws.redshift.isolation.aside import APPLICATION, Aside
from dbt_local_aws.redshift.postgres import SUPERUSER, PostgresServer
from dbt_local_aws.redshift.quoting import identifier, literal
from dbt_local_aws.redshift.session import Client, Session, Shared
from dbt_local_aws.redshift.superuser import create_superuser, create_user
from dbt_local_aws.redshift.wire import Message

_CLEARTEXT_PASSWORD = 3
# Start-up parameters that PostgreSQL knows, too; the driver sends more
_KNOWN_PARAMETERS = ("application_name", "client_encoding", "DateStyle", "TimeZone", "extra_float_digits")


class _ClientReader(asyncio.StreamReader):
    """What a client sends, and whether it is still there: also while nobody reads."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop=loop)
        self.gone = asyncio.Event()

    def feed_eof(self) -> None:
        """Notes that nothing more comes."""
        super().feed_eof()
        self.gone.set()

    def set_exception(self, exc: Exception) -> None:
        """Notes that the connection is broken."""
        super().set_exception(exc)
        self.gone.set()


@dataclass(frozen=True)
class Configuration:
    """How an endpoint is set up."""

    user: str = "dbt"
    database: str = "dev"
    password: str = ""
    s3_endpoint_url: str | None = None
    region: str = "us-west-2"


class LoginRefusedError(Exception):
    """Somebody may not log in."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__()


class RedshiftServer:
    """Accepts clients for a PostgreSQL server that it has made Redshift-like."""

    def __init__(self, postgres: PostgresServer, certificates: Certificates, configuration: Configuration) -> None:
        self._postgres = postgres
        self._certificates = certificates
        self._configuration = configuration
        self.temporary_logins = TemporaryLogins()
        self._shared = Shared()
        self._sessions: set[asyncio.Task[None]] = set()
        self._cancellations: dict[bytes, Cancellation] = {}  # by the keys that the clients were given
        self._is_stopping = False

    async def start(self, port: int) -> asyncio.Server:
        """Prepares the database and begins to accept clients."""
        await self._prepare_database()
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.StreamReaderProtocol:
            return asyncio.StreamReaderProtocol(_ClientReader(loop), self._accept, loop=loop)

        return await loop.create_server(protocol, "127.0.0.1", port)

    async def _prepare_database(self) -> None:
        configuration = self._configuration
        # in the template, so that every database that is ever created has it
        template = await self._superuser("template1")
        for script in sorted(
            resources.files("dbt_local_aws.redshift").joinpath("sql").iterdir(), key=lambda file: file.name
        ):
            await template.query(script.read_text(encoding="utf-8"))
        await template.script(create_superuser(configuration.user, configuration.password))
        await template.close()
        maintenance = await self._superuser("postgres")
        names = (identifier(name) for name in (configuration.database, configuration.user))
        await maintenance.query("create database {} owner {}".format(*names))
        await maintenance.close()

    async def _superuser(self, database: str) -> Backend:
        return await Backend.connect(self._postgres.socket, user=SUPERUSER, database=database)

    def _load_environment(self, user: str, database: str, cancellation: Cancellation) -> LoadEnvironment:
        """What a COPY of this user's needs: where S3 is, and a connection that outlives a rollback."""
        return LoadEnvironment(
            user=user,
            database=database,
            endpoint_url=self._configuration.s3_endpoint_url,
            region=self._configuration.region,
            connect=lambda: self._superuser(database),
            cancellation=cancellation,
        )

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._sessions.add(task)
            task.add_done_callback(self._sessions.discard)
        # a client that vanishes, or speaks nonsense, is no concern of the others; at the end, who is left is cancelled
        with contextlib.suppress(
            asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError, ssl.SSLError, wire.ProtocolError
        ):
            await self._serve(reader, writer)
        with contextlib.suppress(ConnectionError):
            writer.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            code, body = await wire.read_startup(reader)
            if code == wire.SSL_REQUEST:
                writer.write(b"S")
                await writer.drain()
                await writer.start_tls(self._certificates.context)
            elif code == wire.GSSENC_REQUEST:
                writer.write(b"N")
                await writer.drain()
            elif code == wire.CANCEL_REQUEST:
                await self._cancel(body)
                return
            else:
                break
        if code != wire.PROTOCOL_3_0:
            writer.write(wire.error_message("0A000", "unsupported frontend protocol", severity="FATAL").encode())
            return
        parameters = wire.startup_parameters(body)
        login = parameters.get("user", "")
        database = parameters.get("database") or login
        try:
            user = await self._authenticate(login, reader, writer)
            backend = await self._open(user, database, parameters)
        except LoginRefusedError as refusal:
            writer.write(refusal.message.encode())
            await writer.drain()
            return
        aside = Aside(lambda: self._open_aside(user, database), backend)
        cancellation = Cancellation(lambda: self._cancel_both(backend, aside))
        self._cancellations[backend.key] = cancellation
        try:
            writer.write(Message(wire.AUTHENTICATION, struct.pack("!I", 0)).encode())
            for message in backend.greeting:
                if message.kind != wire.AUTHENTICATION:
                    writer.write(as_redshift(message).encode())
            writer.write(wire.ready(backend.status).encode())
            await writer.drain()
            client = Client(reader, writer, user, database, parameters.get("application_name", ""))
            environment = self._load_environment(user, database, cancellation)
            session = Session(aside, client, environment, cancellation, self._shared)
            await _while_client_is_there(session.run(), reader)
        finally:
            del self._cancellations[backend.key]
            if backend.is_busy and not self._is_stopping:
                await self._end_process(backend)
            await aside.close()
            await backend.close()

    async def _end_process(self, backend: Backend) -> None:
        """Ends what a client has left behind that went away: nothing of it is committed.

        PostgreSQL itself would notice at the end of the statement, and commit it. A request to cancel could come before
        the statement, and be forgotten; the end of the process cannot.
        """
        admin = await self._superuser("postgres")
        await admin.query(f"select pg_catalog.pg_terminate_backend({backend.process_id})")
        await admin.close()

    async def _open(self, user: str, database: str, parameters: dict[str, str]) -> Backend:
        known = {name: parameters[name] for name in _KNOWN_PARAMETERS if name in parameters}
        try:
            return await Backend.connect(self._postgres.socket, user=user, database=database, **known)
        except BackendError as error:
            raise LoginRefusedError(as_redshift(error.message)) from error

    async def _open_aside(self, user: str, database: str) -> Backend:
        # PostgreSQL does not see that the session waits for this connection, and would let it wait for the session
        return await Backend.connect(
            self._postgres.socket, user=user, database=database, application_name=APPLICATION, lock_timeout="10s"
        )

    async def _authenticate(self, login: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        """Asks for the password; gives the name of the database user that logs in."""
        writer.write(Message(wire.AUTHENTICATION, struct.pack("!I", _CLEARTEXT_PASSWORD)).encode())
        await writer.drain()
        answer = await wire.read_message(reader)
        if answer.kind != wire.PASSWORD:
            raise wire.ProtocolError("a password was expected")
        password, _ = wire.take_cstring(answer.body)
        try:
            admin = await self._superuser(self._configuration.database)
        except BackendError as error:  # there are too many already
            raise LoginRefusedError(as_redshift(error.message)) from error
        try:
            if is_temporary(login):
                return await self._temporary_user(login, password, admin)
            where = f"rolcanlogin and rolname = {literal(login)}"
            query = f"select rolpassword from pg_catalog.pg_authid where {where}"  # noqa: S608 - the name is a literal
            rows = (await admin.query(query)).rows
            if rows and password_matches(password, rows[0][0]):
                return login
        finally:
            await admin.close()
        raise _password_refused(login)

    async def _temporary_user(self, login: str, password: str, admin: Backend) -> str:
        credentials = self.temporary_logins.find(login, password)
        if credentials is None:
            raise _password_refused(login)
        query = f"select rolsuper from pg_catalog.pg_roles where rolname = {literal(credentials.user)}"  # noqa: S608
        known = (await admin.query(query)).rows
        if not known and credentials.creates_user:
            await admin.script(create_user(credentials.user))
        if known and known[0][0] == "t":
            raise _password_refused(login)  # PostgreSQL's own superuser
        return credentials.user

    async def _cancel(self, key: bytes) -> None:
        """Ends the statement of the client that was given the key; says nothing, also where there is none."""
        if cancellation := self._cancellations.get(key):
            await cancellation.request()

    async def _cancel_both(self, backend: Backend, aside: Aside) -> None:
        """A statement runs on one of a session's connections, and the other one has nothing to cancel."""
        await self._tell_postgres(backend.key)
        if aside.backend is not None:
            await self._tell_postgres(aside.backend.key)

    async def _tell_postgres(self, key: bytes) -> None:
        """PostgreSQL knows the key: it was its own. It closes the connection when it has told its process."""
        reader, writer = await asyncio.open_unix_connection(str(self._postgres.socket))
        writer.write(struct.pack("!II", len(key) + 8, wire.CANCEL_REQUEST) + key)
        await reader.read()
        writer.close()

    async def close_sessions(self) -> None:
        """Ends every session, whatever it is doing."""
        self._is_stopping = True
        for task in list(self._sessions):
            task.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)


async def _while_client_is_there(session: Coroutine[None, None, None], reader: asyncio.StreamReader) -> None:
    """Lets a session run to its end, or until its client is gone."""
    running = asyncio.ensure_future(session)
    gone = asyncio.ensure_future(reader.gone.wait() if isinstance(reader, _ClientReader) else asyncio.Event().wait())
    try:
        await asyncio.wait({running, gone}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        gone.cancel()
        running.cancel()
        await asyncio.wait({running})
    if not running.cancelled():
        running.result()


def _password_refused(login: str) -> LoginRefusedError:
    message = f'password authentication failed for user "{login}"'
    return LoginRefusedError(wire.error_message("28000", message, severity="FATAL"))


def new_password() -> str:
    """A password that Redshift would take."""
    return "Aa1" + secrets.token_urlsafe(24).replace("_", "x").replace("-", "y")
