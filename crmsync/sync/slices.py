"""One bounded piece of work on a part: what every phase needs at hand."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import DataverseError, Throttled, TransientError
from crmsync.dataverse.governor import MOST_PARALLEL_REQUESTS
from crmsync.mapping.types import TableMapping
from crmsync.sync import leases
from crmsync.sync.leases import Lease
from crmsync.sync.models import Job, Part
from crmsync.terms import JobState

SLICE_SECONDS = 15.0
# A message may hold several requests; the lease is renewed at least this often meanwhile.
RENEW_SECONDS = 5.0

Result = TypeVar("Result")


@dataclass(slots=True)
class Slice:
    """A worker's hold on one part, with its job, its mapping and an open client."""

    lease: Lease
    part: Part
    job: Job
    mapping: TableMapping
    connection: Connection
    client: Client
    # How many records this part may still touch; None is no limit.
    allowance: int | None = None
    began: float = field(default_factory=time.monotonic)
    # Whether Sales answered the integration user in this slice, be it with a refusal of a record.
    has_answers: bool = False

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self.began > SLICE_SECONDS

    def page_size(self, largest: int) -> int:
        return largest if self.allowance is None else min(largest, self.allowance)

    def spend(self, touched: int) -> bool:
        """Count touched records against the limit; whether more may be touched."""
        if self.allowance is None:
            return True
        self.allowance -= touched
        return self.allowance > 0

    def before_request(self) -> None:
        """Hold the lease and look at the shared gate. Raises LeaseLost or Throttled."""
        leases.renew(self.lease)
        if wait_seconds := connections.gate_remaining():
            self.client.channel.gate.close(wait_seconds)
            raise Throttled("Sales asked us to wait.", retry_after=wait_seconds)

    def ask(self, request: Callable[[], Result]) -> Result:
        """One request, sent while the lease holds."""
        self.before_request()
        answer = request()
        self.has_answers = True
        return answer

    def threads(self) -> int:
        """The service's hint for parallel requests, shared among all parts that run now."""
        live = Part.objects.filter(state=JobState.RUNNING).count()
        allowed = min(self.client.channel.dop_hint, MOST_PARALLEL_REQUESTS)
        return max(1, allowed // max(1, live))


def send_all(
    work: Slice,
    messages: Iterator[Callable[[], Result]],
    broken_by: Callable[[Result], DataverseError | None],
) -> tuple[list[Result], DataverseError | None]:
    """Send messages side by side; all answers that came, and the error that ended it, if any.

    Threads send and nothing else; the lease is renewed here before each one starts, and while
    they run. After the first break no more are sent, those under way are waited for. Raises
    LeaseLost.
    """
    answers: list[Result] = []
    broken: DataverseError | None = None
    running: set[Future[Result]] = set()
    limit = work.threads()
    with ThreadPoolExecutor(max_workers=limit, thread_name_prefix="send") as pool:
        exhausted = False
        while running or not (exhausted or broken):
            while not (exhausted or broken) and len(running) < limit:
                broken, exhausted = _start_next(work, messages, pool, running)
            done, running = wait(running, RENEW_SECONDS, return_when=FIRST_COMPLETED)
            leases.renew(work.lease)
            for future in done:
                answers.append(future.result())
                error = broken_by(answers[-1])
                work.has_answers |= error is None
                if isinstance(error, Throttled):
                    # At once, for the other workers: those of this process share the gate itself.
                    connections.close_gate(seconds=error.retry_after)
                broken = _graver(broken, error)
    return answers, broken


def _start_next(
    work: Slice,
    messages: Iterator[Callable[[], Result]],
    pool: ThreadPoolExecutor,
    running: set[Future[Result]],
) -> tuple[DataverseError | None, bool]:
    message = next(messages, None)
    if message is None:
        return None, True
    try:
        work.before_request()
    except TransientError as error:
        return error, False
    running.add(pool.submit(message))
    return None, False


def _graver(first: DataverseError | None, second: DataverseError | None) -> DataverseError | None:
    """What to report when several messages failed: a wait or a refusal before a mere loss."""
    if first is None or second is None:
        return first or second
    if isinstance(second, Throttled) or not isinstance(second, TransientError):
        return second
    return first


def chunks(items: Sequence[Result], size: int) -> Iterator[Sequence[Result]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
