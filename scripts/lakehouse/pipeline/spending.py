"""What a run costs while it goes on, and the guard that stops it when that is more than it may.

Athena says of every query what it scanned, and dbt-athena asks it. Redshift Serverless tells what it charged only after
a minute or more: so what it can have charged at most is worked out, from the capacity and the time that dbt asked it.
"""

import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from botocore import handlers

from lakehouse.errors import ExitCode, LakehouseError, SettingsError

CAPACITY_VARIABLE = "REDSHIFT_RPUS"
ATHENA_PRICE_VARIABLE, REDSHIFT_PRICE_VARIABLE = "ATHENA_USD_PER_TB", "REDSHIFT_USD_PER_RPU_HOUR"
MEGABYTE, TERABYTE = 1_000_000, 1_000_000_000_000
_LEAST_SECONDS = 60  # that are charged: https://docs.aws.amazon.com/redshift/latest/mgmt/serverless-billing.html
_EVENT = "after-call.athena.GetQueryExecution"


class OverBudgetError(LakehouseError):
    """The run was stopped, since it cost more than it may."""

    exit_code = ExitCode.OVER_BUDGET


@dataclass(frozen=True)
class Budget:
    """What a run may cost; None for as much as it takes.

    Attributes:
        bytes: Of what Athena scans.
        rpu_seconds: Of Redshift Serverless.
    """

    bytes: int | None = None
    rpu_seconds: float | None = None


class Spending:
    """What a run has cost so far. Threads of dbt add to it."""

    def __init__(
        self, target: str, budget: Budget, environment: Mapping[str, str], prices: Mapping[str, float]
    ) -> None:
        """Takes the engine, what may be spent, and the list prices, which the environment may say otherwise.

        Raises:
            SettingsError: The budget is not one of this engine's, or a setting is missing or makes no sense.
        """
        self._is_athena, self._budget = target == "athena", budget
        self.rpus = _number(environment, CAPACITY_VARIABLE, None) if target == "redshift" else None
        self._usd_per_tb = _number(environment, ATHENA_PRICE_VARIABLE, prices.get("athena_terabyte"))
        self._usd_per_rpu_hour = _number(environment, REDSHIFT_PRICE_VARIABLE, prices.get("redshift_rpu_hour"))
        if budget.bytes is not None and not self._is_athena:
            raise SettingsError(f"--budget-bytes is for Athena, which is paid by the byte; the target is {target}")
        if budget.rpu_seconds is not None and self.rpus is None:
            raise SettingsError(
                f"--budget-rpu-seconds is for Redshift Serverless (the target is {target}), and needs "
                f"{CAPACITY_VARIABLE} in the environment: the most RPUs that the work group may take"
            )
        self._scanned: dict[str, int] = {}
        self._charged: dict[str, int] = {}
        self._seconds = 0.0
        self._lock = threading.Lock()
        self.over: str = ""
        """What was spent when it was more than allowed, in words."""

    @property
    def queries(self) -> int:
        """How many queries Athena was asked about."""
        return len(self._scanned)

    @property
    def bytes_scanned(self) -> int | None:
        """What they scanned."""
        return sum(self._scanned.values()) if self._is_athena else None

    @property
    def rpu_seconds(self) -> float | None:
        """The most that Redshift Serverless can have charged."""
        if self.rpus is None:
            return None
        return self.rpus * max(self._seconds, _LEAST_SECONDS) if self._seconds else 0.0

    @property
    def cost_usd(self) -> float | None:
        """What it comes to, by the prices."""
        if self._is_athena and self._usd_per_tb is not None:
            return round(sum(self._charged.values()) / TERABYTE * self._usd_per_tb, 6)
        if self.rpu_seconds is not None and self._usd_per_rpu_hour is not None:
            return round(self.rpu_seconds / 3600 * self._usd_per_rpu_hour, 6)
        return None

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Counts what Athena tells any client of this process that is made in the block."""
        if not self._is_athena:
            yield
            return
        entry = (_EVENT, self.hear)
        handlers.BUILTIN_HANDLERS.append(entry)  # which every new session registers
        try:
            yield
        finally:
            handlers.BUILTIN_HANDLERS.remove(entry)

    def hear(self, parsed: Mapping[str, Any], **_: object) -> None:
        """Takes Athena's description of a query, which may be under way; each counts once, as it was told last."""
        execution = parsed.get("QueryExecution", {})
        scanned = execution.get("Statistics", {}).get("DataScannedInBytes")
        if scanned is None:
            return
        with self._lock:
            name = execution["QueryExecutionId"]
            self._scanned[name] = scanned
            self._charged[name] = billed_bytes(
                execution["Status"]["State"], execution.get("StatementType", ""), scanned
            )
            total = sum(self._scanned.values())
        if self._budget.bytes is not None and total > self._budget.bytes:
            self._stop(
                f"Athena has scanned {total:,} bytes in {self.queries:,} queries, "
                f"--budget-bytes is {self._budget.bytes:,}"
            )

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Holds while dbt asks the engine: Redshift's time runs."""
        if self.rpus is None:
            yield
            return
        allowed, watch = self._budget.rpu_seconds, None
        if allowed is not None:
            watch = threading.Timer(max(0.0, allowed / self.rpus - self._seconds), self._stop_redshift)
            watch.daemon = True
            watch.start()
        started = time.monotonic()
        try:
            yield
        finally:
            self._seconds += time.monotonic() - started
            if watch is not None:
                watch.cancel()

    def _stop_redshift(self) -> None:
        allowed = self._budget.rpu_seconds
        self._stop(f"Redshift may have charged {allowed:,.0f} RPU seconds ({self.rpus:g} RPUs), which is the budget")

    def _stop(self, why: str) -> None:
        """Interrupts the run, as SIGTERM does: dbt cancels its queries, and begins no other."""
        with self._lock:
            is_first, self.over = not self.over, self.over or why
        if is_first:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def billed_bytes(state: str, kind: str, scanned: int) -> int:
    """What Athena bills of a query: by the megabyte, 10 MB at least; nothing of one that failed, and of DML only.

    https://aws.amazon.com/athena/pricing
    """
    if state == "FAILED" or kind != "DML":
        return 0
    return max(10 * MEGABYTE, -(-scanned // MEGABYTE) * MEGABYTE)


def _number(environment: Mapping[str, str], name: str, default: float | None) -> float | None:
    text = environment.get(name, "")
    try:
        number = float(text) if text else default
    except ValueError:
        number = -1.0
    if number is not None and not 0 < number < float("inf"):
        raise SettingsError(f"{name} is {text!r}: set it to a number greater than 0")
    return number
