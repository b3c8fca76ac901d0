"""The demo rows of the sandbox: what Sales holds beside the demo company of the ledger.

The sandbox imports nothing of the rest of the project, so it computes the ledger's customers
itself, from the shared words in ``crmsync/demo_words.json``; a test holds the two equal.

The formula, for company ``index`` (from 1); the sandbox always has the population of seed 1:

* place = (index x 618,041 + seed x 271,829) mod capacity, the number of different names; its
  digits, lowest first, in the bases of the lists ``trades``, ``name_starts`` and ``name_ends``,
  are the words of the name. The first factor is prime to the capacity: every name occurs once.
* draw = the BLAKE2b digest (16 bytes) of "seed/index", as a big-endian integer. Every other choice
  takes the remainder of the draw by the number of choices, and leaves the quotient to the next.

Sales then differs from the ledger as two systems do that people kept by hand: companies are
missing, written in capitals, renamed, moved, or have no number. Sales also has companies of its
own: they take the last indexes of the population, so that none of them meets its like.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from crmsync.sandbox.bootstrap import BASE_CURRENCY_ID, ROOT_BUSINESS_UNIT_ID

_WORDS_FILE: Final = Path(__file__).resolve().parent.parent / "demo_words.json"
_NAMESPACE: Final = uuid.UUID("7d0b9c52-41f6-4e0e-8c0a-5b3a7f6e2d10")
_SEED: Final = 1
_INDEX_STRIDE: Final = 618_041
_SEED_STRIDE: Final = 271_829
_HOUSES: Final = 180
# One company in twenty exists in Sales only.
_SALES_ONLY_SHARE: Final = 20
_FEWEST_SALES_ONLY: Final = 5

# The user who owns what no salesperson with a user owns. LT has none.
_OFFICE_MANAGER: Final = "KH"

Row = dict[str, object]


class CustomerCountError(ValueError):
    """There is no demo company of that size; the message says which sizes there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """A company in the terms of the shared words; a blank currency code is the base currency."""

    number: str = ""
    name: str
    contact: str = ""
    address: str = ""
    address_2: str = ""
    post_code: str = ""
    city: str = ""
    county: str = ""
    country_code: str = ""
    phone_no: str = ""
    fax_no: str = ""
    email: str = ""
    home_page: str = ""
    credit_limit: int = 0
    salesperson_code: str = ""
    currency_code: str = ""


def demo_rows(*, customers: int) -> dict[str, list[Row]]:
    """Make the rows that stand beside a demo company of ``customers`` customers.

    Rows are shaped as the Web API returns them, by logical table name, tables in an order in which
    they can be stored. The same number gives the same rows. Raises ``CustomerCountError``.
    """
    fewest = len(_words()["core_customers"]) + len(_words()["planted_customers"])
    most = _capacity() - _capacity() // _SALES_ONLY_SHARE
    if not fewest <= customers <= most:
        raise CustomerCountError(
            f"The demo company cannot have {customers} customers: ask for {fewest} to {most}."
        )
    volume = _volume(customers - fewest)
    return {
        "systemuser": [_user_row(**user) for user in _words()["sales_users"]],
        "transactioncurrency": [_currency_row(row) for row in _words()["sales_currencies"]],
        "account": [*_core(), *_planted(), *volume, *_sales_only(customers)],
    }


def company_at(index: int) -> Company:
    """Compute company ``index``, from 1 to the number of different names, as the ledger has it."""
    place = (index * _INDEX_STRIDE + _SEED * _SEED_STRIDE) % _capacity()
    stem, trade = _name_at(place)
    domain = f"{_ascii(stem)}-{_ascii(trade)}.example"
    draw = _Draw(f"{_SEED}/{index}")
    country = draw.among(_countries_by_weight())
    town = draw.among(country["towns"])
    # Arguments are evaluated as they stand, and their order is part of the formula.
    return Company(
        number=f"C{index:07d}",
        address=_address(country, draw),
        name=f"{stem} {trade} {draw.among(country['legal_forms'])}",
        contact=f"{draw.among(_words()['given_names'])} {stem}",
        email=f"{draw.among(_words()['mailboxes'])}@{domain}",
        home_page=draw.among(("", f"https://www.{domain}")),
        credit_limit=draw.among(_words()["credit_limits"]),
        salesperson_code=draw.among(_words()["salesperson_choices"]),
        phone_no=f"+{country['dialling_code']} 555 {place:07d}",
        country_code=country["code"],
        currency_code=country["currency_code"],
        **town,
    )


def account_row(company: Company, **columns: object) -> Row:
    """Write a company as an active account of type Customer; ``columns`` replace what differs."""
    row: Row = {
        "accountid": _id("account", company.name),
        "name": company.name,
        "accountnumber": company.number or None,
        "address1_primarycontactname": company.contact or None,
        "address1_line1": company.address or None,
        "address1_line2": company.address_2 or None,
        "address1_postalcode": company.post_code or None,
        "address1_city": company.city or None,
        "address1_stateorprovince": company.county or None,
        "address1_country": company.country_code or None,
        "telephone1": company.phone_no or None,
        "fax": company.fax_no or None,
        "emailaddress1": company.email or None,
        "websiteurl": company.home_page or None,
        "creditlimit": float(company.credit_limit),
        "customertypecode": 3,
        "statecode": 0,
        "statuscode": 1,
        "_ownerid_value": _owner_of(company.salesperson_code),
        "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname": "systemuser",
        "_transactioncurrencyid_value": _currency_of(company.currency_code),
    }
    return row | columns


def _user_row(*, code: str, name: str, email: str, mobilephone: str, isdisabled: bool) -> Row:
    first, last = name.split()
    return {
        "systemuserid": _id("systemuser", code),
        "fullname": name,
        "firstname": first,
        "lastname": last,
        "internalemailaddress": email,
        "domainname": email.lower(),
        "mobilephone": mobilephone,
        "isdisabled": isdisabled,
        "islicensed": True,
        "accessmode": 0,
        "_businessunitid_value": ROOT_BUSINESS_UNIT_ID,
    }


def _currency_row(columns: Row) -> Row:
    key = _id("transactioncurrency", str(columns["isocurrencycode"]))
    state = {"currencyprecision": 2, "statecode": 0, "statuscode": 1}
    return {"transactioncurrencyid": key} | columns | state


def _core() -> Iterator[Row]:
    for typed_in in _words()["core_customers"]:
        history = _words()["core_sales_histories"][typed_in["number"]]
        yield from _as_kept_in_sales(Company(**typed_in), history)


def _planted() -> Iterator[Row]:
    for planted in _words()["planted_accounts"]:
        yield account_row(Company(**planted["company"]), **planted["columns"])


def _volume(customers: int) -> Iterator[Row]:
    for index in range(1, customers + 1):
        history = _Draw(f"sales/{index}").among(_words()["sales_histories"])
        yield from _as_kept_in_sales(company_at(index), history)


def _sales_only(customers: int) -> Iterator[Row]:
    for taken in range(max(_FEWEST_SALES_ONLY, customers // _SALES_ONLY_SHARE)):
        yield account_row(_numberless(company_at(_capacity() - taken)))


def _as_kept_in_sales(company: Company, history: Sequence[str] | None) -> Iterator[Row]:
    """Yield the account of a company after its history in Sales; none where it never was entered.

    Whatever happened, number and e-mail, or name and e-mail, still say beyond doubt who it is.
    """
    if history is not None:
        for change in history:
            company = _CHANGES[change](company)
        yield account_row(company)


def _recased(company: Company) -> Company:
    return replace(company, name=company.name.upper())


def _renamed(company: Company) -> Company:
    return replace(company, name=f"{company.name} Group")


def _moved(company: Company) -> Company:
    draw = _Draw(f"moved/{company.name}")
    country = next(c for c in _words()["countries"] if c["code"] == company.country_code)
    other_towns = [town for town in country["towns"] if town["city"] != company.city]
    return replace(company, address=_address(country, draw), **draw.among(other_towns))


def _numberless(company: Company) -> Company:
    return replace(company, number="")


_CHANGES: Final[Mapping[str, Callable[[Company], Company]]] = {
    "recased": _recased,
    "renamed": _renamed,
    "moved": _moved,
    "numberless": _numberless,
}


class _Draw:
    """A large number that is taken apart, choice by choice."""

    __slots__ = ("_rest",)

    def __init__(self, text: str) -> None:
        digest = hashlib.blake2b(text.encode(), digest_size=16).digest()
        self._rest = int.from_bytes(digest, "big")

    def below(self, limit: int) -> int:
        self._rest, taken = divmod(self._rest, limit)
        return taken

    def among(self, choices: Sequence[Any]) -> Any:
        return choices[self.below(len(choices))]


def _name_at(place: int) -> tuple[str, str]:
    rest, trade = divmod(place, len(_words()["trades"]))
    end, start = divmod(rest, len(_words()["name_starts"]))
    stem = _words()["name_starts"][start] + _words()["name_ends"][end]
    return stem, _words()["trades"][trade]


def _address(country: Mapping[str, Any], draw: _Draw) -> str:
    street = draw.among(country["streets"])
    house = 1 + draw.below(_HOUSES)
    return f"{house} {street}" if country["house_first"] else f"{street} {house}"


def _ascii(word: str) -> str:
    return word.lower().translate(_ascii_letters())


def _id(table: str, key: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{table}/{key}"))


@cache
def _owner_of(salesperson_code: str) -> str:
    has_user = any(user["code"] == salesperson_code for user in _words()["sales_users"])
    return _id("systemuser", salesperson_code if has_user else _OFFICE_MANAGER)


@cache
def _currency_of(code: str) -> str:
    """Answer the base currency for those that Sales does not know; the ledger corrects that."""
    is_known = any(row["isocurrencycode"] == code for row in _words()["sales_currencies"])
    return _id("transactioncurrency", code) if is_known else BASE_CURRENCY_ID


@cache
def _words() -> Any:
    return json.loads(_WORDS_FILE.read_text(encoding="utf-8"))


@cache
def _capacity() -> int:
    """Count the different names that the words can make."""
    return len(_words()["trades"]) * len(_words()["name_starts"]) * len(_words()["name_ends"])


@cache
def _ascii_letters() -> dict[int, str]:
    return str.maketrans(_words()["ascii_letters"])


@cache
def _countries_by_weight() -> tuple[Mapping[str, Any], ...]:
    countries = _words()["countries"]
    return tuple(country for country in countries for _ in range(country["weight"]))
