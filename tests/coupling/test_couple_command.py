"""The terminal's couple: the same services as the pages, said in lines or JSON."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from coupling import services
from crmsync.ledger.models import Customer
from crmsync.sync.models import Coupling
from tests.sandboxes import Sandbox


def couple(*arguments: str) -> str:
    out = StringIO()
    call_command("couple", *arguments, stdout=out)
    return out.getvalue()


def test_suggestions_are_told_with_reasons_and_counted(connected: Sandbox) -> None:
    said = couple("suggest", "CUSTOMER")

    assert "10000 Adatum Corporation = Adatum Corporation (Same No., Same Name" in said
    assert "2 ambiguous" in said
    assert not Coupling.objects.exists()


def test_suggestions_as_json_name_both_records(connected: Sandbox) -> None:
    pairs = json.loads(couple("suggest", "SALESPEOPLE", "--json"))

    assert {pair["certainty"] for pair in pairs} == {"certain"}
    assert {"ledger_id", "ledger", "crm_id", "crm", "reasons"} < set(pairs[0])


def test_certain_pairs_are_coupled_but_for_those_excepted(connected: Sandbox) -> None:
    said = couple("accept", "CUSTOMER", "--certain", "--except", "10000")

    assert f"{Coupling.objects.count()} pairs coupled" in said
    assert Coupling.objects.count() > 20
    excepted = Customer.objects.get(number="10000")
    assert not Coupling.objects.filter(ledger_id=excepted.pk).exists()


def test_what_was_unticked_on_a_page_is_certain_in_the_terminal_all_the_same(
    connected: Sandbox,
) -> None:
    services.match_now(mapping="SALESPEOPLE", by="test")
    shown = services.open_suggestions("SALESPEOPLE").values_list("ledger_id", "crm_id")
    services.choose(mapping="SALESPEOPLE", shown=list(shown), chosen=[])

    assert "6 pairs coupled" in couple("accept", "SALESPEOPLE", "--certain")


def test_an_exception_that_would_not_be_coupled_is_refused(connected: Sandbox) -> None:
    with pytest.raises(CommandError, match="99999 would not be coupled"):
        couple("accept", "CUSTOMER", "--certain", "--except", "99999")

    assert not Coupling.objects.exists()


def test_couplings_are_listed_and_removed(connected: Sandbox) -> None:
    couple("accept", "SALESPEOPLE", "--certain")
    assert "6 couplings" in couple("list", "SALESPEOPLE")

    couple("remove", "SALESPEOPLE", "--number", "BC")

    assert "5 couplings" in couple("list", "SALESPEOPLE")


@pytest.mark.django_db
def test_without_a_connection_it_says_what_to_do() -> None:
    with pytest.raises(CommandError, match="connect"):
        couple("suggest", "CUSTOMER")
