"""Which account of the sandbox each customer of the demo company is.

Taken from the formula that made both sides, not from what the rows have in common.
"""

from collections.abc import Iterator
from dataclasses import replace

from crmsync.ledger.demo_population import typed_in_customers, words
from crmsync.sandbox import seed


def possible_accounts(customers: int) -> dict[str, set[str]]:
    """By the number of each customer the ids that its account can have in Sales."""
    typed_in = [seed.Company(**row) for row in words()["core_customers"]]
    generated = customers - len(typed_in_customers())
    made = [seed.company_at(index) for index in range(1, generated + 1)]
    return {company.number: set(_possible_ids(company)) for company in (*typed_in, *made)}


def _possible_ids(company: seed.Company) -> Iterator[str]:
    """An account's id is made of its name there: as here, in capitals, or renamed."""
    for name in (company.name, company.name.upper(), f"{company.name} Group"):
        yield str(seed.account_row(replace(company, name=name))["accountid"])
