"""Records that wait for a parent: whether that parent has come meanwhile."""

from uuid import UUID

from crmsync.mapping.registry import all_mappings
from crmsync.sync.models import Coupling, Obstacle
from crmsync.terms import Outcome, Side


def has_ready_deferrals(*, mapping: str) -> bool:
    """Whether a deferred record of the mapping has its parent coupled by now."""
    waiting = Obstacle.objects.filter(mapping=mapping, outcome=Outcome.DEFERRED)
    return any(_parent_has_come(obstacle) for obstacle in waiting.iterator(chunk_size=500))


def _parent_has_come(obstacle: Obstacle) -> bool:
    parent = obstacle.details.get("parent", "")
    if parent not in {mapping.name for mapping in all_mappings()}:
        return False
    key = "ledger_id" if obstacle.side == Side.LEDGER else "crm_id"
    return Coupling.objects.filter(
        mapping=parent,
        removed_at__isnull=True,
        is_intent=False,
        **{key: UUID(obstacle.details["parent_id"])},
    ).exists()
