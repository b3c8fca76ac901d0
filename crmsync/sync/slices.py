"""One bounded piece of work on a part: what every phase needs at hand."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from django.conf import settings

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
    began: float = field(default_factory=time.monotonic)

    @property
    def is_over(self) -> bool:
        return time.monotonic() - self.began > SLICE_SECONDS

    @property
    def is_cautious(self) -> bool:
        return self.part.cautious_until is not None

    def before_request(self) -> None:
        """Hold the lease and look at the shared gate. Raises LeaseLost or Throttled."""
        leases.renew(self.lease)
        if wait_seconds := connections.gate_remaining():
            self.client.channel.gate.close(wait_seconds)
            raise Throttled("Sales asked us to wait.", retry_after=wait_seconds)

    def ask(self, request: Callable[[], Result]) -> Result:
        """One request, sent while the lease holds."""
        self.before_request()
        return request()

    def threads(self) -> int:
        """The service's hint for parallel requests, shared among all parts that run now."""
        live = Part.objects.filter(state=JobState.RUNNING).count()
        allowed = min(self.client.channel.dop_hint, MOST_PARALLEL_REQUESTS)
        return max(1, allowed // max(1, live))

    def most_rows(self) -> int:
        return 1 if self.is_cautious else settings.CRMSYNC_MAX_MESSAGE_ROWS


@dataclass(slots=True)
class Sent(list[Result]):
    """Answers of the requests that got one, and the error that broke the sending off, if any."""


def send_all(
    work: Slice, messages: Iterator[Callable[[], Result]]
) -> tuple[list[Result], DataverseError | None]:
    """Send messages side by side; the answers that came, and the error that ended it, if any.

    Threads send and nothing else; the lease is renewed here before each one starts. After the
    first error no more are sent, but those under way are waited for. Raises LeaseLost.
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
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                error = future.exception()
                if error is None:
                    answers.append(future.result())
                elif isinstance(error, DataverseError):
                    broken = _graver(broken, error)
                else:
                    raise error
    if isinstance(broken, Throttled):
        connections.close_gate(seconds=broken.retry_after)
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


def _graver(first: DataverseError | None, second: DataverseError) -> DataverseError:
    """What to report when several messages failed: a wait or a refusal before a mere loss."""
    if first is None or isinstance(second, Throttled):
        return second
    return second if not isinstance(second, TransientError) else first


def chunks(items: Sequence[Result], size: int) -> Iterator[Sequence[Result]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
