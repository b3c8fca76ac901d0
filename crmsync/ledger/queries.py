"""Questions to the books."""

from django.db.models import FloatField, OuterRef, Subquery
from django.db.models.functions import Cast, Now, TruncDate

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
    # SQLite keeps whole decimals as integers and would divide them as such; the fifteen digits of
    # a float are more than the ten decimals that are used.
    rate = Cast("exchange_rate_amount", FloatField()) / Cast("relational_amount", FloatField())
    return Subquery(begun.annotate(rate=rate).values("rate")[:1])


def get_company() -> CompanyInformation | None:
    return CompanyInformation.objects.first()
