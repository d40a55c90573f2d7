"""What the endpoint itself does for a statement: scripts of several statements, and loads."""

from collections.abc import Callable

from dbt_local_aws.redshift import wire
from dbt_local_aws.redshift.backend import Backend, BackendError, said
from dbt_local_aws.redshift.cancelling import Cancellation
from dbt_local_aws.redshift.copy.environment import LoadEnvironment
from dbt_local_aws.redshift.copy.load import load
from dbt_local_aws.redshift.errors import ACTIVE_SQL_TRANSACTION, RedshiftError
from dbt_local_aws.redshift.statements.plans import Load, Script, Unload
from dbt_local_aws.redshift.unload.run import unload
from dbt_local_aws.redshift.wire import Message

Send = Callable[[Message], None]


class Performer:
    """Performs plans: each of them leaves everything that it does, or nothing."""

    def __init__(self, backend: Backend, load_environment: LoadEnvironment, cancellation: Cancellation) -> None:
        self._backend = backend
        self._load_environment = load_environment
        self._cancellation = cancellation

    async def perform(self, plan: Script | Load | Unload, send: Send) -> None:
        """Performs a plan, and says that it is done."""
        if isinstance(plan, (Load, Unload)):
            await self._load(plan, send)
        else:
            await self._run_script(plan, send)

    async def _run_script(self, plan: Script, send: Send) -> None:
        if plan.alone and self._backend.status != wire.IDLE:
            raise RedshiftError(ACTIVE_SQL_TRANSACTION, f"{plan.alone} cannot run inside a transaction block")
        commits = plan.commits and self._backend.status == wire.IN_TRANSACTION
        if plan.apart:
            tags = [(await self._backend.query(step)).tag for step in plan.steps]
            send(wire.command_complete(plan.tag or tags[0]))
            return
        tags = await self._backend.script((*plan.steps, "commit") if commits else plan.steps)
        send(wire.command_complete(plan.tag or tags[0]))

    async def _load(self, plan: Load | Unload, send: Send) -> None:
        alone = self._backend.status == wire.IDLE
        if alone:
            await self._backend.query("begin")
        try:
            if isinstance(plan, Load):
                notices = await load(plan.command, self._backend, self._load_environment)
            else:
                notices = await unload(plan.command, plan.sql, self._backend, self._load_environment)
            self._cancellation.check()
            if alone:
                await self._backend.query("commit")
        except RedshiftError as error:
            failure = await self._backend.fail(error) if self._backend.status == wire.IN_TRANSACTION else said(error)
            if alone:
                await self._backend.roll_back()
            raise failure from error
        except BackendError:
            if alone:
                await self._backend.roll_back()
            raise
        for notice in notices:
            send(notice)
        send(wire.command_complete("COPY" if isinstance(plan, Load) else "UNLOAD"))
