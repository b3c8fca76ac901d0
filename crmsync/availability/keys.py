"""Web service access keys: with them Sales, Excel or Power BI read item availability.

A key is 256 random bits, so that a plain SHA-256 of it cannot be reversed; a slow hash would only
let strangers keep the service busy.
"""

import hashlib
import hmac
import secrets

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.availability.errors import NoSuchHolder
from crmsync.availability.models import WebServiceKey

KEY_BYTES = 32
# No key has this hash: what is compared for a name that has none.
_NOBODYS = "0" * 64


def change_key(*, user_id: int, by: Actor) -> str:
    """A new key, to be shown this once; the former one opens nothing from now on.

    Raises NoSuchHolder.
    """
    key = secrets.token_urlsafe(KEY_BYTES)
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise NoSuchHolder(_("There is no such person (any more)."))
        former = WebServiceKey.objects.filter(user=user).values_list("changed_at", flat=True)
        audit.record(
            act=Act.ACCESS_KEY_CHANGED,
            by=by,
            subject=audit.Subject("person", str(user_id), user.username),
            before={"web_service_key": former.first()},
            after={"web_service_key": "new"},
        )
        WebServiceKey.objects.update_or_create(
            user=user,
            defaults={"hashed": _hash(key), "changed_at": Now(), "changed_by": by.name},
        )
    return key


def holder_of(*, name: str, key: str) -> int | None:
    """The id of the account that this key opens; None for a wrong, unknown or disabled one.

    The same work is done in each case, so that the time it takes tells nobody which names exist.
    """
    keys = WebServiceKey.objects.filter(
        user__username=name.replace("\x00", ""), user__is_active=True
    )
    user_id, kept = keys.values_list("user_id", "hashed").first() or (None, _NOBODYS)
    return user_id if hmac.compare_digest(kept, _hash(key)) else None


def has_key(*, user_id: int) -> bool:
    return WebServiceKey.objects.filter(user_id=user_id).exists()


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
