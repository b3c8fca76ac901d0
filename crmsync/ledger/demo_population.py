"""The customers of the demo company, as values: nothing here reads or writes the database.

The words come from ``crmsync/demo_words.json``, where also the customers stand that were typed in.
The sandbox computes the same population in its ``seed.py``, from the same words and by the same
formula, because neither side may import the other; a test holds the two equal.

The formula, for customer ``index`` (from 1) of the population ``seed``:

* place = (index x 618,041 + seed x 271,829) mod capacity, where the capacity is the product of the
  lengths of ``name_starts``, ``name_ends`` and ``trades``. The factor of the index is a prime that
  does not divide the capacity, so no two customers share a place. The digits of the place, lowest
  first, in the bases of those three lists in the order trades, starts, ends, are the words of the
  name; so no two customers share a name, a domain or a phone number.
* draw = the BLAKE2b digest (16 bytes) of "seed/index", as a big-endian integer. Every other choice
  takes the remainder of the draw by the number of choices, and leaves the quotient to the next.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

_WORDS_FILE: Final = Path(__file__).resolve().parent.parent / "demo_words.json"
_INDEX_STRIDE: Final = 618_041
_SEED_STRIDE: Final = 271_829
_HOUSES: Final = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCustomer:
    """A customer before it is a row; a blank currency code is the local currency."""

    number: str
    name: str = ""
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
    blocked: str = ""
    salesperson_code: str = ""
    currency_code: str = ""


@cache
def words() -> Any:
    """Read the word lists, once a process."""
    return json.loads(_WORDS_FILE.read_text(encoding="utf-8"))


@cache
def typed_in_customers() -> tuple[DemoCustomer, ...]:
    """Return the CRONUS customers and the planted ones, which every demo company has."""
    rows = words()["core_customers"] + words()["planted_customers"]
    return tuple(DemoCustomer(**row) for row in rows)


@cache
def capacity() -> int:
    """Count the different names that the words can make."""
    return len(words()["trades"]) * len(words()["name_starts"]) * len(words()["name_ends"])


def customer_at(index: int, *, seed: int) -> DemoCustomer:
    """Compute customer ``index``, from 1 to the capacity, of the population ``seed``."""
    place = (index * _INDEX_STRIDE + seed * _SEED_STRIDE) % capacity()
    stem, trade = _name_at(place)
    domain = f"{_ascii(stem)}-{_ascii(trade)}.example"
    draw = _Draw(f"{seed}/{index}")
    country = draw.among(_countries_by_weight())
    town = draw.among(country["towns"])
    # Python evaluates these in the order they stand in, and that order is part of the formula.
    return DemoCustomer(
        number=f"C{index:07d}",
        address=_address(country, draw),
        name=f"{stem} {trade} {draw.among(country['legal_forms'])}",
        contact=f"{draw.among(words()['given_names'])} {stem}",
        email=f"{draw.among(words()['mailboxes'])}@{domain}",
        home_page=draw.among(("", f"https://www.{domain}")),
        credit_limit=draw.among(words()["credit_limits"]),
        salesperson_code=draw.among(words()["salesperson_choices"]),
        phone_no=f"+{country['dialling_code']} 555 {place:07d}",
        country_code=country["code"],
        currency_code=country["currency_code"],
        **town,
    )


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
    rest, trade = divmod(place, len(words()["trades"]))
    end, start = divmod(rest, len(words()["name_starts"]))
    stem = words()["name_starts"][start] + words()["name_ends"][end]
    return stem, words()["trades"][trade]


def _address(country: Mapping[str, Any], draw: _Draw) -> str:
    street = draw.among(country["streets"])
    house = 1 + draw.below(_HOUSES)
    return f"{house} {street}" if country["house_first"] else f"{street} {house}"


def _ascii(word: str) -> str:
    return word.lower().translate(_ascii_letters())


@cache
def _ascii_letters() -> dict[int, str]:
    return str.maketrans(words()["ascii_letters"])


@cache
def _countries_by_weight() -> tuple[Mapping[str, Any], ...]:
    countries = words()["countries"]
    return tuple(country for country in countries for _ in range(country["weight"]))
