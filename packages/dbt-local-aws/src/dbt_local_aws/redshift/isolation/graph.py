"""Which transaction has to come before which: Redshift's serializable isolation, which counts whole tables.

"If no serial execution of those transactions can produce the same results, the transaction that runs a statement that
might break the ability to serialize is stopped": https://docs.aws.amazon.com/redshift/latest/dg/c_serial_isolation.html.
One transaction comes before another where it has read a table without what the other one wrote into it, and behind
another where it has read that. A circle of them has no order.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Which transactions had ended, as pg_current_snapshot() says it."""

    least: int  # whoever began before has ended
    next: int  # whoever begins from here on has not
    running: frozenset[int]

    @classmethod
    def of(cls, text: str) -> Self:
        """Reads PostgreSQL's `xmin:xmax:xip,…`."""
        least, following, running = text.split(":")
        return cls(int(least), int(following), frozenset(map(int, running.split(",") if running else ())))

    def has(self, number: int) -> bool:
        """Whether a transaction had ended."""
        return number < self.least or (number < self.next and number not in self.running)


@dataclass(eq=False)
class Transaction:
    """One transaction: what it sees, and the tables that it has read and written."""

    database: str
    process: int
    number: int = 0
    snapshot: Snapshot = Snapshot(0, 0, frozenset())
    reads: frozenset[int] = frozenset()
    writes: frozenset[int] = frozenset()
    is_running: bool = True

    def tables_before(self, other: "Transaction") -> frozenset[int]:
        """The tables for which this transaction has to come before another one."""
        if self.database != other.database:
            return frozenset()
        if other.snapshot.has(self.number):
            return self.writes & (other.reads | other.writes)
        return frozenset() if self.snapshot.has(other.number) else self.reads & other.writes


@dataclass
class Circle:
    """Transactions of which each has to come before the next, and the last before the first."""

    transactions: list[Transaction]

    @property
    def table(self) -> int:
        """A table for which the first has to come before the next."""
        first, following = (self.transactions * 2)[:2]
        return min(first.tables_before(following))


@dataclass
class Graph:
    """The transactions of a server that run, and those that one of them may have to come before."""

    _transactions: list[Transaction] = field(default_factory=list)

    def begin(self, database: str, process: int) -> Transaction:
        """Adds a transaction, before it takes its snapshot."""
        transaction = Transaction(database, process)
        self._transactions.append(transaction)
        return transaction

    def circle(self, transaction: Transaction) -> Circle | None:
        """A circle that a transaction is in."""
        ways = [[transaction]]
        seen: set[int] = set()
        while ways:
            way = ways.pop()
            for following in self._after(way[-1]):
                if following is transaction:
                    return Circle(way)
                if id(following) not in seen:
                    seen.add(id(following))
                    ways.append([*way, following])
        return None

    def _after(self, transaction: Transaction) -> Iterator[Transaction]:
        for other in self._transactions:
            if other is not transaction and transaction.tables_before(other):
                yield other

    def forget(self, transaction: Transaction) -> None:
        """A transaction was rolled back."""
        self._transactions = [other for other in self._transactions if other is not transaction]
        self._forget_those_of_before()

    def commit(self, transaction: Transaction) -> None:
        """A transaction was committed."""
        transaction.is_running = False
        self._forget_those_of_before()

    def _forget_those_of_before(self) -> None:
        """What every one that is left has seen can no longer be in a circle with one that runs."""
        kept = [transaction for transaction in self._transactions if transaction.is_running]
        for transaction in kept:  # which grows meanwhile
            kept += [
                other
                for other in self._transactions
                if other not in kept and not transaction.snapshot.has(other.number)
            ]
        self._transactions = kept
