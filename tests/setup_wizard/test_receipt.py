"""The receipt is made of facts, and read in the reader's language."""

import pytest
from django.utils import translation

from setup_wizard import receipt
from setup_wizard.plan import ActName

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
    assert receipt.dropped_at({}) is None


def test_the_moment_of_the_drop_is_told_only_where_there_was_an_access() -> None:
    assert receipt.dropped_at(KEPT) is not None
    assert receipt.dropped_at({**KEPT, "had_administrator": False}) is None


@pytest.mark.parametrize("act", list(ActName))
def test_an_act_that_has_not_begun_says_nothing(act: ActName) -> None:
    assert receipt.seen(act, {}) == ""
    assert str(receipt.CAPTIONS[act])
