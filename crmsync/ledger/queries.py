"""Questions to the books."""

from django.db.models import DecimalField, ExpressionWrapper, F, OuterRef, Subquery
from django.db.models.functions import Now, TruncDate

from crmsync.ledger.models import CompanyInformation, CurrencyExchangeRate


def current_exchange_rate() -> Subquery:
    """Foreign units per unit of local currency, of the newest rate that has begun; or null.

    Ten decimals: what Sales keeps of an exchange rate.
    """
    begun = CurrencyExchangeRate.objects.filter(
        currency=OuterRef("pk"),
        starting_date__lte=TruncDate(Now()),
        relational_amount__gt=0,
    ).order_by("-starting_date")
    rate = ExpressionWrapper(
        F("exchange_rate_amount") / F("relational_amount"),
        output_field=DecimalField(max_digits=28, decimal_places=10),
    )
    return Subquery(begun.annotate(rate=rate).values("rate")[:1])


def get_company() -> CompanyInformation | None:
    return CompanyInformation.objects.first()
