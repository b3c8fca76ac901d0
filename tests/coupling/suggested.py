"""Suggestions over the demo company, as tests of several files need them."""

from collections import Counter

from coupling import services
from coupling.matching import Certainty
from coupling.models import Suggestion
from crmsync.terms import FirstWinner


def match(mapping: str = "CUSTOMER") -> None:
    matching = services.request_matching(mapping=mapping, by="test", reads_sales=False)
    services.run_matching(matching_id=matching.pk, worker="test")


def suggested(certainty: Certainty) -> Suggestion:
    found = services.open_suggestions("CUSTOMER").filter(certainty=certainty).order_by("number")
    first = found.first()
    assert first is not None
    return first


def accept_chosen(
    mapping: str = "CUSTOMER", *, seen: services.Seen | None = None
) -> services.Accepted:
    return services.accept_chosen(
        mapping=mapping,
        first_winner=FirstWinner.LEDGER,
        by="test",
        seen=seen or all_seen(mapping),
    )


def all_seen(mapping: str = "CUSTOMER") -> services.Seen:
    """As a page without rows would tell it: what is ticked now, by kind."""
    ticked = services.open_suggestions(mapping).filter(is_chosen=True)
    kinds = Counter(map(Certainty, ticked.values_list("certainty", flat=True)))
    return services.Seen(services.found_by(mapping=mapping), frozenset(), kinds)
