"""Financials: the books of one company, as crmsync sees and edits them.

Lengths are those of Microsoft's Financials tables (code fields 10 or 20, names 50 or 100, ...).
"""

import uuid
from decimal import Decimal
from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from crmsync.terms import Experience


class LedgerRecord(models.Model):
    """A record that can be coupled.

    ``id`` never changes, whatever number people give the record. ``stamp`` grows by one with
    every edit, whoever makes it: a database trigger sees to that (see ``stamps.py``).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stamp = models.BigIntegerField(default=1, editable=False)

    class Meta:
        abstract = True


class CompanyInformation(models.Model):
    """The one company whose books these are."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    name = models.CharField(max_length=100)
    local_currency_code = models.CharField(max_length=10)
    experience = models.CharField(
        max_length=10,
        choices=[(value, value) for value in Experience],
        default=Experience.SUITE,
    )

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(id=1), name="one_company"),
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The next number of a kind of record, for records that come in from elsewhere."""

    code = models.CharField(max_length=20, primary_key=True)
    prefix = models.CharField(max_length=10, blank=True)
    next_number = models.BigIntegerField(default=1)
    width = models.PositiveSmallIntegerField(default=6)

    def __str__(self) -> str:
        return f"{self.code} ({self.prefix}{self.next_number:0{self.width}d})"


class Salesperson(LedgerRecord):
    code = models.CharField(_("Code"), max_length=20, unique=True)
    name = models.CharField(_("Name"), max_length=50, blank=True)
    email = models.CharField(_("Email"), max_length=80, blank=True)
    phone_no = models.CharField(_("Phone No."), max_length=30, blank=True)
    job_title = models.CharField(_("Job Title"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("salesperson")
        verbose_name_plural = _("salespeople")

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Currency(LedgerRecord):
    """A foreign currency; the local one is not a row, it is named by the company."""

    code = models.CharField(_("Code"), max_length=10, unique=True)
    iso_code = models.CharField(_("ISO Code"), max_length=3, blank=True)
    symbol = models.CharField(_("Symbol"), max_length=10, blank=True)
    description = models.CharField(_("Description"), max_length=30, blank=True)

    class Meta:
        verbose_name = _("currency")
        verbose_name_plural = _("currencies")

    def __str__(self) -> str:
        return self.code


class CurrencyExchangeRate(models.Model):
    """``exchange_rate_amount`` of the currency is worth ``relational_amount`` local currency."""

    currency = models.ForeignKey(Currency, on_delete=models.CASCADE, related_name="exchange_rates")
    starting_date = models.DateField()
    exchange_rate_amount = models.DecimalField(max_digits=18, decimal_places=6)
    relational_amount = models.DecimalField(max_digits=18, decimal_places=6)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["currency", "starting_date"], name="one_rate_a_currency_and_date"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.currency_id} from {self.starting_date}"


class Customer(LedgerRecord):
    class Blocked(models.TextChoices):
        NOT = "", _("Not blocked")
        SHIP = "ship", _("Ship")
        INVOICE = "invoice", _("Invoice")
        ALL = "all", _("All")

    number = models.CharField(_("No."), max_length=20, unique=True)
    name = models.CharField(_("Name"), max_length=100, blank=True)
    contact = models.CharField(_("Contact"), max_length=100, blank=True)
    address = models.CharField(_("Address"), max_length=100, blank=True)
    address_2 = models.CharField(_("Address 2"), max_length=50, blank=True)
    post_code = models.CharField(_("Post Code"), max_length=20, blank=True)
    city = models.CharField(_("City"), max_length=30, blank=True)
    county = models.CharField(_("County"), max_length=30, blank=True)
    country_code = models.CharField(_("Country/Region Code"), max_length=10, blank=True)
    phone_no = models.CharField(_("Phone No."), max_length=30, blank=True)
    fax_no = models.CharField(_("Fax No."), max_length=30, blank=True)
    email = models.CharField(_("Email"), max_length=80, blank=True)
    home_page = models.CharField(_("Home Page"), max_length=255, blank=True)
    credit_limit = models.DecimalField(
        _("Credit Limit (LCY)"), max_digits=18, decimal_places=2, default=Decimal(0)
    )
    blocked = models.CharField(
        _("Blocked"), max_length=10, choices=Blocked.choices, blank=True, default=""
    )
    salesperson = models.ForeignKey(
        Salesperson,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("Salesperson Code"),
    )
    currency = models.ForeignKey(
        Currency,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="customers",
        verbose_name=_("Currency Code"),
    )

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        indexes: ClassVar = [
            models.Index(fields=["name", "id"], name="customer_by_name"),
            models.Index(fields=["city", "id"], name="customer_by_city"),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.name}"
