"""One call of the Web API: who asks, and the transaction or snapshot it works in."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from crmsync.sandbox.callers import Caller
from crmsync.sandbox.environment import Environment
from crmsync.sandbox.errors import bad_request
from crmsync.sandbox.messages import Request
from crmsync.sandbox.reading import Reader
from crmsync.sandbox.store import Transaction, timestamp
from crmsync.sandbox.writing import Writer


@dataclass(slots=True)
class Call:
    """A caller at work. In a change set all writes share `transaction`.

    `references` maps Content-ID numbers to the addresses of the rows they made.
    """

    environment: Environment
    caller: Caller
    rows_written: int = 0
    transaction: Transaction | None = None
    references: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def reading(self, request: Request) -> Iterator[Reader]:
        if self.transaction is not None:
            yield Reader(self.transaction, self.caller, request)
            return
        with self.environment.store.read() as snapshot:
            yield Reader(snapshot, self.caller, request)

    @contextmanager
    def writing(self) -> Iterator[Writer]:
        """Open a transaction, or join that of the change set."""
        if self.transaction is not None:
            yield self._writer(self.transaction)
            return
        with self.environment.store.write() as transaction:
            yield self._writer(transaction)
        self.rows_written += transaction.rows_written

    @contextmanager
    def change_set(self) -> Iterator[None]:
        """Make every write inside happen at once or, after an exception, not at all."""
        with self.environment.store.write() as transaction:
            self.transaction = transaction
            try:
                yield
            finally:
                self.transaction = None
                self.references.clear()
        self.rows_written += transaction.rows_written

    def resolve(self, reference: str) -> str:
        """Return the address that `$n` at the start of a reference stands for."""
        number, slash, rest = reference.removeprefix("$").partition("/")
        if number not in self.references:
            raise bad_request(
                "0x80048d19",
                f"Content-ID Reference: '${number}' does not exist in the batch context.",
            )
        return self.references[number] + slash + rest

    def _writer(self, transaction: Transaction) -> Writer:
        return Writer(transaction, self.caller, timestamp(self.environment.store.now()))
