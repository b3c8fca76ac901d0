"""Run synchronization inside the test's own process and database, without Celery."""

from coupling import services as coupling
from crmsync.mapping.registry import all_mappings
from crmsync.sync import jobs
from crmsync.sync.models import Job
from crmsync.terms import FirstWinner

# A broken engine fails the test instead of trying for ever.
MOST_BREAKS = 10


def run(mapping: str, *, limit: int | None = None, retries_failed: bool = False) -> Job:
    """One pass over a mapping, to its end."""
    job = jobs.request(mapping=mapping, by="test", limit=limit, retries_failed=retries_failed)
    return jobs.drive(job_id=job.pk, worker="test", most_breaks=MOST_BREAKS)


def run_all() -> list[Job]:
    """One pass over every mapping, in dependency order."""
    return [run(mapping.name) for mapping in all_mappings()]


def couple_certain(mapping: str, winner: FirstWinner) -> int:
    """Read Sales and accept every certain proposal, as a person would."""
    jobs.read_sales(mapping=mapping, by="test")
    proposals = coupling.certain(coupling.suggest(mapping=mapping))
    accepted = coupling.accept(mapping=mapping, proposals=proposals, first_winner=winner, by="test")
    assert not accepted.refused
    return accepted.coupled


def settle() -> list[Job]:
    """Couple what certainly matches, then bring everything in line."""
    couple_certain("SALESPEOPLE", FirstWinner.CRM)
    couple_certain("CUSTOMER", FirstWinner.LEDGER)
    return run_all()
