"""The messages of the phase *to CRM*: what goes into one, and what each row's answer was.

They run in threads, so nothing here touches the database.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from crmsync.dataverse import administration
from crmsync.dataverse.client import Client, Table, Update
from crmsync.dataverse.errors import (
    DataverseError,
    DuplicateRow,
    NotAMember,
    OwnerRefused,
    PrivilegeMissing,
    RecordError,
    TeamRefused,
)
from crmsync.dataverse.governor import MessageSize
from crmsync.sync.steps import Step

# A batch runs its operations one after the other, about 0.1 s each (field tests).
LARGEST_BATCH = 100
# So often a record that breaks its message is sent; the last time alone, to be sure that it does.
TRIES = 5

Answered = list[tuple[Step, DataverseError | None]]


@dataclass(slots=True)
class Sizes:
    """How large messages are at the moment, learnt from how long they took."""

    creates: MessageSize
    batches: MessageSize

    @classmethod
    def up_to(cls, rows: int) -> "Sizes":
        return cls(MessageSize(rows), MessageSize(min(rows, LARGEST_BATCH), rows=50))


@dataclass(frozen=True, slots=True)
class Sender:
    """Makes the messages of one page and understands their answers.

    ``owner`` is the name that writes who owns a row; blank where rows have no owners. ``team`` is
    the id of the one that owns every row which is created; blank where no team does.
    ``broken_off`` says how many messages Sales broke off with a record, by the record's id.
    """

    client: Client
    table: Table
    sizes: Sizes
    takes_create_multiple: bool
    owner: str = ""
    team: str = ""
    broken_off: Mapping[str, int] = field(default_factory=dict)

    def messages(
        self, creates: Sequence[Step], updates: Sequence[Step]
    ) -> Iterator[Callable[[], Answered]]:
        """One at a time, as a thread becomes free, so that sizes can be learnt meanwhile."""
        together = self.takes_create_multiple
        create_size = self.sizes.creates if together else self.sizes.batches
        create = self._create_together if together else self._create_each
        yield from self._cut(creates, create_size, create)
        yield from self._cut(updates, self.sizes.batches, self._update_each)

    def _cut(
        self, steps: Sequence[Step], size: MessageSize, send: Callable[[Sequence[Step]], Answered]
    ) -> Iterator[Callable[[], Answered]]:
        """Whoever was in no broken message goes first, and in large ones."""
        for times, alike in groupby(sorted(steps, key=self._breaks_of), self._breaks_of):
            left = list(alike)
            while left:
                together = rows_together(size.rows, times)
                some, left = left[:together], left[together:]
                yield _message(some, size, send)

    def _breaks_of(self, step: Step) -> int:
        return self.broken_off.get(str(step.record_id), 0)

    def _create_together(self, steps: Sequence[Step]) -> Answered:
        """All or nothing; a refusal says not of whom, so they are sent again one by one."""
        try:
            self.client.create_multiple(self.table, [step.body for step in steps])
        except RecordError:
            return self._create_each(steps)
        except (PrivilegeMissing, NotAMember) as error:
            told = self._told(steps, error)
            if isinstance(told, OwnerRefused):
                return self._create_each(steps)
            raise told from error
        return [(step, None) for step in steps]

    def _create_each(self, steps: Sequence[Step]) -> Answered:
        """One by one in batches; a row that stands there under our own id is ours."""
        answered: Answered = []
        for start in range(0, len(steps), LARGEST_BATCH):
            some = steps[start : start + LARGEST_BATCH]
            errors = self.client.create_each(self.table, [step.body for step in some])
            answered += self._told_apart(some, errors)
        doubted = {
            step.coupling.crm_id
            for step, error in answered
            if step.coupling and isinstance(error, DuplicateRow)
        }
        ours = self.client.existing(self.table, doubted) if doubted else {}
        return [
            (step, None if step.coupling and step.coupling.crm_id in ours else error)
            for step, error in answered
        ]

    def _update_each(self, steps: Sequence[Step]) -> Answered:
        updates = [
            Update(step.coupling.crm_id, step.body, step.etag) for step in steps if step.coupling
        ]
        return self._told_apart(steps, self.client.update_each(self.table, updates))

    def _told_apart(
        self, steps: Sequence[Step], errors: Sequence[DataverseError | None]
    ) -> Answered:
        """A refusal of the row's owner is the row's own problem, one of us is everybody's."""
        return [
            (step, self._told([step], error))
            if isinstance(error, PrivilegeMissing | NotAMember)
            else (step, error)
            for step, error in zip(steps, errors, strict=True)
        ]

    def _told(self, steps: Sequence[Step], error: PrivilegeMissing | NotAMember) -> DataverseError:
        """The error itself, unless Sales names an owner, or knows us after all.

        A team that owns whatever is created is refused for all rows alike.
        """
        bound = {str(step.body.get(f"{self.owner}@odata.bind", "")) for step in steps}
        owners = {path.partition("(")[2].rstrip(")") for path in bound if path}
        is_named = any(owner in error.sentence.lower() for owner in owners)
        if not is_named and not (
            owners and isinstance(error, NotAMember) and _knows_us(self.client)
        ):
            return error
        kind = TeamRefused if owners == {self.team} else OwnerRefused
        return kind(error.sentence, error.trace)


def _knows_us(client: Client) -> bool:
    try:
        administration.who_am_i(client)
    except DataverseError:
        return False
    return True


def rows_together(rows: int, times: int) -> int:
    """Rows of a message of records with which so many were broken off: a quarter each time."""
    return 1 if times >= TRIES - 1 else max(1, rows >> 2 * times)


def _message(
    steps: Sequence[Step], size: MessageSize, send: Callable[[Sequence[Step]], Answered]
) -> Callable[[], Answered]:
    """An error of the whole message is the answer of each of its rows."""

    def run() -> Answered:
        began = time.monotonic()
        try:
            answered = send(steps)
        except DataverseError as error:
            return [(step, error) for step in steps]
        size.took(rows=len(steps), seconds=time.monotonic() - began)
        return answered

    return run


def break_in(answered: Answered) -> DataverseError | None:
    """The first error that is not a single record's: it ends the sending."""
    return next((error for _, error in answered if is_break(error)), None)


def is_break(error: DataverseError | None) -> bool:
    """Whether the row had no answer of its own, neither consent nor refusal."""
    return error is not None and not isinstance(error, RecordError)
