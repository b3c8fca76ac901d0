"""A state that was kept is laid in as it was: each test may begin with it as if it had made it."""

from crmsync.ledger.models import Currency, Customer
from tests.kept import keep, lay_in, rows_of_ours
from tests.sandboxes import Sandbox
from tests.sync.pairs import accounts
from tests.sync.runs import run


def test_what_is_laid_in_is_what_was_kept_on_both_sides(settled: Sandbox) -> None:
    kept, here, there = keep(settled), rows_of_ours(), accounts(settled)
    Customer.objects.create(number="NEW-1", name="Munson's Pickles")
    Currency.objects.first().exchange_rates.all().delete()  # type: ignore[union-attr]
    run("CUSTOMER")
    assert (rows_of_ours() == here, accounts(settled) == there) == (False, False)

    lay_in(kept, settled)

    assert (rows_of_ours(), accounts(settled)) == (here, there)
    mark = settled.mark()
    run("CUSTOMER")
    assert settled.writes(mark) == []
