"""Rotate the sealing keys: whatever is stored sealed is sealed anew with the newest key."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import models, transaction
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from crmsync.connections import secrets
from crmsync.connections.errors import KeysElsewhere
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.keyfiles import add_key


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of stored secrets; ``place`` is what each is bound to, with ``pk`` left open."""

    model: type[models.Model]
    column: str
    place: str


# Every column that holds secrets at rest.
SEALED = (Sealed(Connection, "sealed_secret", SECRET_PLACE),)


@dataclass(frozen=True, slots=True)
class Rotated:
    """How many secrets were sealed anew, and how many were under the newest key already."""

    resealed: int
    already: int


def rotate(*, by: Actor, with_new_key: bool = False) -> Rotated:
    """Seal every stored secret with the newest key, all or none; safe to repeat.

    ``with_new_key`` first puts a new key in front of those in the key file, which stay. Raises
    SecretUnreadable when one does not open, and KeysElsewhere where the keys are no file of ours;
    nothing has changed then.
    """
    if with_new_key:
        _add_key()
    with transaction.atomic():
        rotated = Rotated(*_reseal())
        if rotated.resealed or with_new_key:
            audit.record(
                act=Act.SECRETS_ROTATED,
                by=by,
                subject=audit.Subject("connection", "", _("this installation")),
                after={"resealed": rotated.resealed, "new_key": with_new_key},
            )
    return rotated


def _add_key() -> None:
    """Only where everything opens: a new key beside a lost one would hide what is wrong."""
    if settings.CRMSYNC_SEALING_KEYS:
        raise KeysElsewhere(_("The sealing keys are given by CRMSYNC_SEALING_KEYS."))
    for row in _rows():
        row.open()
    add_key(secrets.key_file())


def _reseal() -> tuple[int, int]:
    """How many were sealed anew, and how many needed it not. Raises SecretUnreadable."""
    rows = list(_rows())
    for row in rows:
        row.open()
    old = [row for row in rows if not secrets.is_sealed_with_newest_key(row.sealed)]
    for row in old:
        row.seal_anew()
    return len(old), len(rows) - len(old)


@dataclass(frozen=True, slots=True)
class _Row:
    """One stored secret."""

    of: Sealed
    pk: object
    sealed: str

    def open(self) -> str:
        return secrets.unseal(self.sealed, place=self._place)

    def seal_anew(self) -> None:
        """Unless somebody stored another one meanwhile, which is under the newest key then."""
        rows = self.of.model._default_manager.filter(pk=self.pk, **{self.of.column: self.sealed})
        rows.update(**{self.of.column: secrets.seal(self.open(), place=self._place)})

    @property
    def _place(self) -> str:
        return self.of.place.format(pk=self.pk)


def _rows() -> Iterator[_Row]:
    for of in SEALED:
        stored = of.model._default_manager.exclude(**{of.column: ""}).values_list("pk", of.column)
        for pk, sealed in stored:
            yield _Row(of, pk, sealed)
