"""Five hundred customers as two systems kept them by hand: nothing wrong is chosen beforehand."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from coupling import services
from coupling.matching import Certainty
from coupling.models import Suggestion
from crmsync.connections import services as connections
from crmsync.ledger import demo
from crmsync.ledger.models import Customer
from crmsync.sync.models import CrmRecord
from tests.conftest import connect
from tests.sandboxes import Sandbox, running_sandbox
from tests.truth import possible_accounts

CUSTOMERS = 500


@pytest.fixture(scope="module")
def large_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    data = tmp_path_factory.mktemp("large") / "sandbox.sqlite3"
    with running_sandbox(data, customers=CUSTOMERS) as sandbox:
        yield sandbox


@pytest.fixture
def matched(large_sandbox: Sandbox, db: None, settings: Settings) -> Sandbox:
    """Both sides with five hundred customers, read and matched as a person would begin."""
    settings.CRMSYNC_SANDBOX_PORT = large_sandbox.port
    connections._clients.clear()
    demo.plant(customers=CUSTOMERS, seed=1)
    connect(large_sandbox)
    services.match_now(mapping="CUSTOMER", by="test")
    return large_sandbox


def test_no_wrong_pair_of_five_hundred_customers_is_chosen_beforehand(matched: Sandbox) -> None:
    right = possible_accounts(CUSTOMERS)

    for one in Suggestion.objects.filter(mapping="CUSTOMER", is_chosen=True):
        assert str(one.crm_id) in right.get(one.number, set()), one.number


def test_nearly_all_that_have_an_account_are_chosen_beforehand(matched: Sandbox) -> None:
    there = {str(crm_id) for crm_id in CrmRecord.objects.values_list("crm_id", flat=True)}
    with_account = {number for number, ids in possible_accounts(CUSTOMERS).items() if ids & there}
    chosen = set(Suggestion.objects.filter(is_chosen=True).values_list("number", flat=True))

    assert chosen <= with_account
    assert len(chosen) >= 0.99 * len(with_account)


def test_what_is_left_to_a_person_are_the_two_planted_rivals(matched: Sandbox) -> None:
    kinds = {
        certainty: Suggestion.objects.filter(certainty=certainty).count() for certainty in Certainty
    }

    assert kinds == {Certainty.CERTAIN: 378, Certainty.LIKELY: 0, Certainty.AMBIGUOUS: 2}
    assert Customer.objects.count() == CUSTOMERS


@pytest.mark.parametrize(
    "names",
    [("city",), ("country_code",), ("city", "country_code"), ("post_code", "city"), ("contact",)],
)
def test_poor_criteria_choose_no_wrong_pair_either(
    matched: Sandbox, names: tuple[str, ...]
) -> None:
    right = possible_accounts(CUSTOMERS)
    fields = [services.FieldCriterion(name, is_matched=True) for name in names]
    services.save_criteria(mapping="CUSTOMER", fields=fields, by="Ann")

    services.match_now(mapping="CUSTOMER", by="test")

    for one in Suggestion.objects.filter(is_chosen=True):
        assert str(one.crm_id) in right.get(one.number, set()), one.number
