"""The receipt is made of facts, and read in the reader's language."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from setup_wizard.finish import receipt
from setup_wizard.finish.deeds import Deed
from setup_wizard.finish.plan import ActName

ORIGIN = "https://cronus.crm.sandbox.test"
DONE = {
    "solution": {"version": "1.0.0.0", "is_imported": True, "former": ""},
    "user": {"name": "crmsync Integration", "is_created": True},
    "roles": {"names": ["A", "B"], "given": ["B"], "user": "crmsync Integration"},
    "tracking": {"switched": ["account"], "off": []},
    "address": {"address": "https://books.example/"},
}
KEPT = {
    "administrator": "Sandbox Administrator",
    "had_administrator": True,
    "dropped_at": "2026-01-02T03:04:05+00:00",
    "environment": ORIGIN,
    "acts": {**DONE, "enabled": {"organization": "Cronus"}},
}


def test_everything_that_was_done_is_told_with_how_to_remove_it() -> None:
    with translation.override("en"):
        found = {entry.caption: entry for entry in receipt.entries(KEPT)}

    assert len(found) == len(DONE)
    assert all(entry.text and entry.removal for entry in found.values())
    roles = found["Roles of the integration user"]
    assert roles.text == "Given to crmsync Integration: B. Held already: A."
    address = found["Address of these books in Sales"].text
    assert address == "Sales was told the address https://books.example/ of these books."


@pytest.mark.parametrize(
    ("owner", "said"),
    [
        ({"ownership": "team", "name": "Sales Office"}, "The team Sales Office owns them."),
        ({"ownership": "salesperson", "name": "Ester Henderson"}, "otherwise Ester Henderson."),
        ({"ownership": "salesperson", "name": ""}, "otherwise the integration user."),
    ],
)
def test_the_owner_of_what_is_created_is_told(owner: dict[str, str], said: str) -> None:
    with translation.override("en"):
        (entry,) = receipt.entries({"acts": {}, "owner": owner})

    assert entry.text.endswith(said)


def test_what_was_there_already_has_nothing_to_remove() -> None:
    kept = {
        "acts": {
            "solution": {"version": "1.0.0.0"},
            "user": {"name": "integration"},
            "roles": {"names": ["A"]},
            "tracking": {"off": []},
            "address": {"address": ""},
        }
    }

    assert [entry.removal for entry in receipt.entries(kept)] == [""] * 5


def test_a_connection_from_before_has_an_empty_receipt() -> None:
    assert receipt.entries({}) == []
    assert receipt.accesses({}) == []


def test_the_moment_of_the_drop_is_told_only_where_there_was_an_access() -> None:
    (own,) = receipt.accesses(KEPT)
    assert (own.name, own.is_other) == ("Sandbox Administrator", False)
    assert receipt.accesses({**KEPT, "had_administrator": False}) == []


def test_what_a_cancelled_setup_did_is_told_as_an_earlier_one_with_its_administrator() -> None:
    at = datetime(2026, 5, 6, 7, 8, tzinfo=UTC)
    begun = {"is_imported": True, "job_id": "1", "former": "", "by": ["Another One"]}
    deed = Deed(ActName.SOLUTION, begun, ORIGIN, "", at.isoformat())
    access = {"administrator": "Another One", "at": at.isoformat(), "environment": ORIGIN}

    kept = receipt.with_cancelled(KEPT, done=[deed], accesses=[access])

    with translation.override("en"):
        last = receipt.entries(kept)[-1]
    assert last.text == "An import was begun; it goes on in Sales."
    assert (last.at, last.by) == (at, "Another One")
    assert "Delete the solution" in last.removal
    assert [one.name for one in receipt.accesses(kept)] == ["Sandbox Administrator", "Another One"]


def test_change_tracking_is_said_to_stay_on_by_the_check_and_by_the_receipt() -> None:
    with translation.override("en"):
        (entry,) = receipt.entries({"acts": {"tracking": DONE["tracking"]}})

    assert "cannot be switched off again" in entry.removal
    assert "Switch it off" not in entry.removal


@pytest.mark.parametrize("act", list(ActName))
def test_an_act_that_has_not_begun_says_nothing(act: ActName) -> None:
    assert receipt.seen(act, {}) == ""
    assert str(receipt.CAPTIONS[act])
