"""Kinds of values, and the canonical form in which they are compared.

Lengths and types of the columns there: Microsoft Common Data Model.
"""

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from crmsync.mapping.types import (
    Canonical,
    Common,
    ConversionError,
    LeftOut,
    ParentNotCoupled,
    Resolver,
)

_SPACES = re.compile(r"\s+")
_SEPARATORS = re.compile(r"[\s().\-/]+")


def clean(value: object) -> str | None:
    """Trimmed, in Unicode's composed form (NFC); nothing left is None."""
    text = unicodedata.normalize("NFC", str(value)).strip() if value is not None else ""
    return text or None


@dataclass(frozen=True, slots=True)
class Text:
    """Text up to ``crm_length`` characters there and ``ledger_length`` here."""

    crm_length: int
    ledger_length: int

    def from_ledger(self, value: Any, resolver: Resolver) -> Common:
        return clean(value)

    def from_crm(self, value: Any, resolver: Resolver) -> Common:
        return clean(value)

    def canonical(self, value: Common) -> Canonical:
        return None if value is None else _SPACES.sub(" ", str(value))

    def body(self, column: str, value: Common) -> dict[str, Any]:
        return {column: _within(value, self.crm_length, "Sales")}

    def to_ledger(self, value: Common, resolver: Resolver) -> Any:
        return _within(value, self.ledger_length, "Financials") or ""


class Email(Text):
    """An e-mail address; its letter case is not a difference."""

    def canonical(self, value: Common) -> Canonical:
        return None if value is None else unicodedata.normalize("NFC", str(value).lower())


class Phone(Text):
    """A telephone number; separators and a leading 00 for + are not differences."""

    def canonical(self, value: Common) -> Canonical:
        if value is None:
            return None
        dialled = _SEPARATORS.sub("", str(value)).lower()
        dialled = f"+{dialled[2:]}" if dialled.startswith("00") else dialled
        return dialled or str(value)


class Code(Text):
    """A code such as a country's; its letter case is not a difference."""

    def canonical(self, value: Common) -> Canonical:
        return None if value is None else unicodedata.normalize("NFC", str(value).upper())


@dataclass(frozen=True, slots=True)
class Number:
    """A decimal number of ``decimals`` places; written as JSON number, compared as text."""

    decimals: int
    missing: str = ""

    def from_ledger(self, value: Any, resolver: Resolver) -> Common:
        if value is None and self.missing:
            raise ConversionError(self.missing, "The currency has no exchange rate.")
        return self._common(value)

    def from_crm(self, value: Any, resolver: Resolver) -> Common:
        return self._common(value)

    def canonical(self, value: Common) -> Canonical:
        return value

    def body(self, column: str, value: Common) -> dict[str, Any]:
        return {column: None if value is None else float(Decimal(str(value)))}

    def to_ledger(self, value: Common, resolver: Resolver) -> Any:
        return Decimal(str(value or 0))

    def _common(self, value: Any) -> Common:
        if value is None:
            return None
        try:
            number = Decimal(str(value)).quantize(Decimal(1).scaleb(-self.decimals))
        except InvalidOperation as error:
            raise ConversionError(
                "not_a_number", f"{value!r} is not a number.", value=str(value)
            ) from error
        if not number.is_finite():
            raise ConversionError("not_a_number", f"{value!r} is not a number.", value=str(value))
        text = format(number + 0, "f")  # a negative zero is zero
        return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True, slots=True)
class Lookup:
    """A reference to a record of another mapping; its common form is the id of the row there.

    ``navigation`` is the case-sensitive name that writes it. ``blank_is_base_currency``: no
    currency here means the local one, which is the base currency there.
    """

    parent: str
    navigation: str
    entity_set: str
    blank_is_base_currency: bool = False

    def from_ledger(self, value: Any, resolver: Resolver) -> Common:
        if value is None:
            return self._blank(resolver)
        crm_id = resolver.crm_id(self.parent, value)
        if crm_id is None:
            raise ParentNotCoupled(self.parent, value)
        return str(crm_id)

    def from_crm(self, value: Any, resolver: Resolver) -> Common:
        return self._blank(resolver) if value is None else str(value).lower()

    def _blank(self, resolver: Resolver) -> Common:
        return str(resolver.base_currency_id) if self.blank_is_base_currency else None

    def canonical(self, value: Common) -> Canonical:
        return value

    def body(self, column: str, value: Common) -> dict[str, Any]:
        path = None if value is None else f"/{self.entity_set}({value})"
        return {f"{self.navigation}@odata.bind": path}

    def to_ledger(self, value: Common, resolver: Resolver) -> Any:
        if value is None:
            return None
        crm_id = UUID(str(value))
        if self.blank_is_base_currency and crm_id == resolver.base_currency_id:
            return None
        ledger_id = resolver.ledger_id(self.parent, crm_id)
        if ledger_id is None:
            raise ParentNotCoupled(self.parent, crm_id)
        return ledger_id


class Owner(Lookup):
    """Who owns the row there: the user of a salesperson.

    It cannot be empty, so a blank here leaves it as it is; so does everything where owners do not
    follow salespeople.
    """

    def from_ledger(self, value: Any, resolver: Resolver) -> Common:
        if value is None or not resolver.owners_follow:
            raise LeftOut
        return super().from_ledger(value, resolver)


def _within(value: Common, length: int, side: str) -> str | None:
    if value is None:
        return None
    text = str(value)
    # Dataverse counts UTF-16 code units, as .NET does.
    size = len(text.encode("utf-16-le")) // 2
    if size > length:
        raise ConversionError(
            "value_too_long",
            f"{size} characters; {side} takes at most {length}.",
            size=size,
            most=length,
            in_product=side,
        )
    return text
