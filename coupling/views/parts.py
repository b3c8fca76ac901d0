"""What the views of this package share: the record an address names, and the undo on offer."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from coupling.actions import MOST_RECORDS, Asked, known_ids
from coupling.errors import MatchingProblem
from coupling.panel import Panel, show_panel
from coupling.queries.cards import Card, read_card
from crmsync.connections.errors import ConnectionProblem
from crmsync.mapping.registry import get_mapping
from crmsync.mapping.types import TableMapping
from crmsync.sync.refusals import Refused

Problem = ConnectionProblem | MatchingProblem | Refused

_UNDO = "coupling.undo"
UNDO_FOR = timedelta(minutes=10)


def mapping_or_404(name: str) -> TableMapping:
    try:
        return get_mapping(name)
    except LookupError as error:
        raise Http404(str(error)) from error


def card_or_404(mapping: str, record_id: UUID) -> Card:
    card = read_card(mapping_or_404(mapping), record_id)
    if card is None:
        raise Http404
    return card


def panel_of(card: Card) -> Panel:
    return show_panel(
        card.mapping,
        record_id=card.record.pk,
        number=card.number,
        title=card.title,
        facts=card.facts,
    )


def chosen_ids(request: HttpRequest, mapping: TableMapping) -> list[UUID]:
    """The records that a form ticked; what is none of this table's is passed over, and said."""
    ticked = list(dict.fromkeys(request.POST.getlist("ids")))
    taken = ticked[:MOST_RECORDS]
    if len(ticked) > len(taken):
        messages.warning(
            request,
            _("At most %(most)d records at once: the other %(count)d were passed over.")
            % {"most": MOST_RECORDS, "count": len(ticked) - len(taken)},
        )
    said = [one for text in taken if (one := read_uuid(text))]
    known = known_ids(mapping=mapping.name, record_ids=said)
    ignored = len(taken) - len(known)
    if ignored:
        messages.warning(
            request,
            _("Records that are not in this table were passed over: %(count)d.")
            % {"count": ignored},
        )
    if not known and not ignored:
        messages.warning(request, _("Nothing was done: tick the records first."))
    return known


def read_uuid(said: str | None) -> UUID | None:
    """None for anything that is no id."""
    try:
        return UUID(said or "")
    except ValueError:
        return None


def next_page(request: HttpRequest, mapping: TableMapping) -> str:
    """The page that the form stood on, if it is one of ours, or the list."""
    wanted: str = request.POST.get("next", "")
    is_path = wanted.startswith("/")
    if is_path and url_has_allowed_host_and_scheme(
        wanted, {request.get_host()}, request.is_secure()
    ):
        return wanted
    return reverse("coupling:list", kwargs={"mapping": mapping.name})


def back(request: HttpRequest, mapping: TableMapping) -> HttpResponseRedirect:
    return HttpResponseRedirect(next_page(request, mapping))


def tell(request: HttpRequest, problem: Problem) -> None:
    """What was refused, and what helps."""
    messages.error(request, f"{problem} {problem.remedy}")


def say_job(request: HttpRequest, asked: Asked) -> None:
    if not asked.is_new:
        messages.warning(
            request,
            _(
                "A synchronization of this table is under way, so none was started. "
                "Choose Synchronize Now again when it is over."
            ),
        )


def offer_undo(request: HttpRequest, mapping: TableMapping, coupling_ids: Sequence[int]) -> None:
    """Keep in the session what was uncoupled, so that the next page can offer to take it back."""
    request.session[_UNDO] = {
        "mapping": mapping.name,
        "ids": list(coupling_ids),
        "until": (timezone.now() + UNDO_FOR).isoformat(),
    }


def undo_on_offer(request: HttpRequest, mapping: TableMapping) -> list[int]:
    """Ids of the couplings that can be taken back; empty when there is nothing, or too late."""
    offer = request.session.get(_UNDO)
    if not offer or offer["mapping"] != mapping.name:
        return []
    is_over = datetime.fromisoformat(offer["until"]) < timezone.now()
    return [] if is_over else list(offer["ids"])


def keep_on_offer(request: HttpRequest, mapping: TableMapping, left: Sequence[int]) -> None:
    """Only these can still be taken back, as long as before; an offer of another table stays."""
    offer = request.session.get(_UNDO)
    if not offer or offer["mapping"] != mapping.name:
        return
    if left:
        request.session[_UNDO] = {**offer, "ids": list(left)}
    else:
        del request.session[_UNDO]
