"""The company information, as administrators enter it."""

from django.db import transaction

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.ledger.models import CompanyInformation

FIELDS = ("name", "local_currency_code", "experience")


def save_company(*, name: str, local_currency_code: str, experience: str, by: Actor) -> None:
    """Whose books these are; what stands in the way was checked by the form."""
    after = {
        "name": name,
        "local_currency_code": local_currency_code,
        "experience": experience,
    }
    with transaction.atomic():
        before = CompanyInformation.objects.filter(pk=1).values(*FIELDS).first()
        if before == after:
            return
        CompanyInformation.objects.update_or_create(pk=1, defaults=after)
        audit.record(
            act=Act.COMPANY_CHANGED,
            by=by,
            subject=audit.Subject("company", "1", name),
            before=before,
            after=after,
        )
