"""The finish, driven to where a test wants it."""

from setup_wizard.finish.plan import ActName
from setup_wizard.models import SetupProgress
from tests.setup_wizard.finishes import one_act, states
from tests.setup_wizard.guide import Guide, leads_to


def do_until(act: str, guide: Guide) -> None:
    """The acts before this one, each without trouble."""
    for _ in range(20):
        if next((one for one in ActName if states().get(one) != "done"), None) == act:
            return
        one_act(guide)
    raise AssertionError(states())


def due_now() -> None:
    """As if the moment to ask again had come."""
    row = SetupProgress.objects.get()
    for kept in row.finish["acts"].values():
        kept.pop("not_before", None)
    row.save()


def open_again(act: ActName) -> None:
    """The act and those behind it are to be done, now; what they remember stays."""
    row = SetupProgress.objects.get()
    order = list(ActName)
    for one in order[order.index(act) :]:
        if one in row.finish["acts"]:
            row.finish["acts"][one]["state"] = "open"
    row.save()


def confirm_again(guide: Guide) -> None:
    """Where a fault asked for an answer again, it is given."""
    for _ in range(8):
        there = leads_to(guide.get("check"))
        if not there.startswith("/setup/"):
            break
        guide.post(there.strip("/").rpartition("/")[2])
    guide.post("check")
