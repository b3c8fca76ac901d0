"""The judge: raw ledger rows against raw rows there, with a mapping written independently.

It never looks at couplings, jobs or obstacles.
"""

import re
import unicodedata
from collections import Counter
from decimal import Decimal
from typing import Any

from crmsync.ledger.demo import planted_attention
from crmsync.terms import Side
from tests.sandboxes import Sandbox

_CUSTOMERS = """
    SELECT c.number, c.name, c.contact, c.address, c.address_2, c.post_code, c.city, c.county,
           c.country_code, c.home_page, c.phone_no, c.fax_no, c.email, c.credit_limit,
           cu.code AS currency, s.email AS salesperson
    FROM ledger_customer c
    LEFT JOIN ledger_currency cu ON cu.id = c.currency_id
    LEFT JOIN ledger_salesperson s ON s.id = c.salesperson_id
    WHERE c.blocked = ''
"""


def planted(side: Side) -> set[str]:
    """Customers by number, or accounts by name, that were planted to stand apart."""
    return {
        one.key for one in planted_attention() if one.mapping == "CUSTOMER" and one.side is side
    }


def rows(cursor: Any, query: str) -> list[dict[str, Any]]:  # a cursor of any DB-API driver
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


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


def differences(sandbox: Sandbox, cursor: Any) -> list[str]:
    """Every customer and account in scope that is lost, doubled or different; not the planted."""
    accounts = [
        row
        for row in sandbox.dump("accounts")
        if row["statecode"] == 0
        and row["customertypecode"] == 3
        and row["name"] not in planted(Side.CRM)
    ]
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
    for ours in rows(cursor, _CUSTOMERS):
        if ours["number"] in planted(Side.LEDGER):
            continue
        row = by_number.pop(ours["number"], None)
        if row is None:
            found.append(f"{ours['number']} is not in Sales")
        else:
            found += [f"{ours['number']}: {text}" for text in _compare(ours, row, codes, users)]
    found += [f"{row['name']} is not in the ledger" for row in by_number.values()]
    return found


def _doubles(accounts: list[dict[str, Any]]) -> list[str]:
    numbers = Counter(row["accountnumber"] for row in accounts)
    return [f"{number} stands {n} times" for number, n in numbers.items() if n > 1]


def _compare(
    ours: dict[str, Any], row: dict[str, Any], codes: dict[str, str], users: dict[str, str]
) -> list[str]:
    pairs: dict[str, tuple[object, object]] = {
        name: (_text(ours[name]), _text(row[column])) for name, column in TEXTS.items()
    }
    pairs |= {name: (_digits(ours[name]), _digits(row[column])) for name, column in PHONES.items()}
    pairs["email"] = (_text(ours["email"]).lower(), _text(row["emailaddress1"]).lower())
    pairs["credit_limit"] = (_number(ours["credit_limit"]), _number(row["creditlimit"]))
    there = codes.get(str(row["_transactioncurrencyid_value"]), "")
    pairs["currency"] = (ours["currency"] or "GBP", there)
    salesperson = (ours["salesperson"] or "").lower()
    if salesperson in users.values():
        pairs["salesperson"] = (salesperson, users.get(row["_ownerid_value"], ""))
    return [
        f"{name} {here!r} is {there!r} there"
        for name, (here, there) in pairs.items()
        if here != there
    ]


def _text(value: object) -> str:
    return re.sub(r"\s+", " ", unicodedata.normalize("NFC", str(value or ""))).strip()


def _digits(value: object) -> str:
    return re.sub(r"[^0-9]", "", _text(value)).removeprefix("00")


def currencies_missing_there(sandbox: Sandbox, cursor: Any) -> list[str]:
    there = {row["isocurrencycode"] for row in sandbox.dump("transactioncurrencies")}
    here = {row["code"] for row in rows(cursor, "SELECT code FROM ledger_currency")}
    return sorted(here - there)


def salespeople_unlike_users(sandbox: Sandbox, cursor: Any) -> list[str]:
    users = {
        row["internalemailaddress"].lower(): row
        for row in sandbox.dump("systemusers")
        if row.get("internalemailaddress")
    }
    people = rows(cursor, "SELECT code, name, email FROM ledger_salesperson")
    return [
        person["code"]
        for person in people
        if (user := users.get(person["email"].lower())) and user["fullname"] != person["name"]
    ]


def _number(value: object) -> Decimal:
    return Decimal(str(value or 0)).normalize()
