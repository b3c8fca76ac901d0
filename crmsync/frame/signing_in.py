"""What is kept on record of sign-ins."""

from django.contrib.auth.models import User

from crmsync.audit import services as audit
from crmsync.audit.actors import STRANGER, on_page
from crmsync.audit.acts import Act
from crmsync.frame.people import subject
from crmsync.frame.sign_in_limits import address_waits


def note_signed_in(*, user: User, address: str) -> None:
    audit.record(act=Act.SIGNED_IN, by=on_page(user), subject=subject(user), detail=address)


def note_refused(*, typed: str, address: str, begins_to_wait: bool) -> None:
    """A name that nobody has is not kept: people type passwords into the wrong field.

    ``begins_to_wait``: with this attempt it was too often, for the name or for the address.
    """
    if begins_to_wait and address_waits(address):
        whole = audit.Subject("address", "", address)
        audit.record(act=Act.ADDRESS_LOCKED, by=STRANGER, subject=whole)
        return
    user = User.objects.filter(username=typed.replace("\x00", "")).first()
    audit.record(
        act=Act.SIGN_IN_LOCKED if begins_to_wait else Act.SIGN_IN_FAILED,
        by=STRANGER,
        subject=subject(user) if user else audit.Subject("person", "", ""),
        detail=address,
    )
