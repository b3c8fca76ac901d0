"""What is kept on record of sign-ins."""

from django.contrib.auth.models import User

from crmsync.audit import services as audit
from crmsync.audit.actors import STRANGER, on_page
from crmsync.audit.acts import Act
from crmsync.frame.people import subject


def note_signed_in(*, user: User, address: str) -> None:
    audit.record(act=Act.SIGNED_IN, by=on_page(user), subject=subject(user), detail=address)


def note_refused(*, typed: str, address: str, begins_to_wait: bool) -> None:
    """A name that nobody has is not kept: people type passwords into the wrong field."""
    user = User.objects.filter(username=typed.replace("\x00", "")).first()
    audit.record(
        act=Act.SIGN_IN_LOCKED if begins_to_wait else Act.SIGN_IN_FAILED,
        by=STRANGER,
        subject=subject(user) if user else audit.Subject("person", "", ""),
        detail=address,
    )
