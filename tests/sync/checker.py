"""The judge: raw ledger rows against raw rows there, with a mapping written independently.

It never looks at couplings, jobs or obstacles.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from crmsync.ledger.models import Currency, Customer, Salesperson
from tests.sandboxes import Sandbox

TEXTS = {
    "number": "accountnumber",
    "name": "name",
    "contact": "address1_primarycontactname",
    "address": "address1_line1",
    "address_2": "address1_line2",
    "post_code": "address1_postalcode",
    "city": "address1_city",
    "county": "address1_stateorprovince",
    "country_code": "address1_country",
    "home_page": "websiteurl",
}
PHONES = {"phone_no": "telephone1", "fax_no": "fax"}


def differences(
    sandbox: Sandbox, *, ledger_apart: Iterable[str], crm_apart: Iterable[str]
) -> list[str]:
    """Every in-scope customer and account that is lost, doubled or different.

    ``ledger_apart`` are numbers, ``crm_apart`` names of records known to stand apart.
    """
    accounts = [
        row
        for row in sandbox.dump("accounts")
        if row["statecode"] == 0
        and row["customertypecode"] == 3
        and row["name"] not in set(crm_apart)
    ]
    customers = Customer.objects.filter(blocked="").exclude(number__in=list(ledger_apart))
    codes = {
        row["transactioncurrencyid"]: row["isocurrencycode"]
        for row in sandbox.dump("transactioncurrencies")
    }
    users = {
        row["systemuserid"]: row["internalemailaddress"].lower()
        for row in sandbox.dump("systemusers")
        if row.get("internalemailaddress")
    }
    found = _doubles(accounts)
    by_number = {row["accountnumber"]: row for row in accounts}
    for customer in customers.select_related("currency", "salesperson"):
        row = by_number.pop(customer.number, None)
        if row is None:
            found.append(f"{customer.number} is not in Sales")
        else:
            found += [
                f"{customer.number}: {text}" for text in _compare(customer, row, codes, users)
            ]
    found += [f"{row['name']} is not in the ledger" for row in by_number.values()]
    return found


def _doubles(accounts: list[dict[str, Any]]) -> list[str]:
    numbers = Counter(row["accountnumber"] for row in accounts)
    return [f"{number} stands {n} times" for number, n in numbers.items() if n > 1]


def _compare(
    ours: Customer, row: dict[str, Any], codes: dict[str, str], users: dict[str, str]
) -> list[str]:
    pairs = {
        name: (_text(getattr(ours, name)), _text(row[column])) for name, column in TEXTS.items()
    }
    pairs |= {
        name: (_digits(getattr(ours, name)), _digits(row[column]))
        for name, column in PHONES.items()
    }
    pairs["email"] = (_text(ours.email).lower(), _text(row["emailaddress1"]).lower())
    pairs["credit_limit"] = (_number(ours.credit_limit), _number(row["creditlimit"]))
    here = ours.currency.code if ours.currency else "GBP"
    pairs["currency"] = (here, codes.get(str(row["_transactioncurrencyid_value"]), ""))
    if ours.salesperson and ours.salesperson.email.lower() in users.values():
        owner = users.get(row["_ownerid_value"], "")
        pairs["salesperson"] = (ours.salesperson.email.lower(), owner)
    return [
        f"{name} {here!r} is {there!r} there"
        for name, (here, there) in pairs.items()
        if here != there
    ]


def _text(value: object) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", str(value or ""))).strip()


def _digits(value: object) -> str:
    return re.sub(r"[^0-9]", "", _text(value)).removeprefix("00")


def currencies_missing_there(sandbox: Sandbox) -> list[str]:
    there = {row["isocurrencycode"] for row in sandbox.dump("transactioncurrencies")}
    return sorted(set(Currency.objects.values_list("code", flat=True)) - there)


def salespeople_unlike_users(sandbox: Sandbox) -> list[str]:
    users = {
        row["internalemailaddress"].lower(): row
        for row in sandbox.dump("systemusers")
        if row.get("internalemailaddress")
    }
    return [
        person.code
        for person in Salesperson.objects.all()
        if person.email.lower() in users and users[person.email.lower()]["fullname"] != person.name
    ]


def _number(value: object) -> Decimal:
    return Decimal(str(value or 0)).normalize()
