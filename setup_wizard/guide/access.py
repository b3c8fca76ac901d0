"""How a user may work in Sales, in the words of Sales: access mode and licence. No effects."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from crmsync.dataverse.administration import AccessMode, User

_MODES: Mapping[int, str | Promise] = {
    AccessMode.READ_WRITE: gettext_lazy("Read-Write"),
    AccessMode.ADMINISTRATIVE: gettext_lazy("Administrative"),
    AccessMode.READ: pgettext_lazy("access mode", "Read"),
    AccessMode.SUPPORT: gettext_lazy("Support User"),
    AccessMode.NON_INTERACTIVE: gettext_lazy("Non-interactive"),
    AccessMode.DELEGATED_ADMINISTRATOR: gettext_lazy("Delegated Admin"),
}


@dataclass(frozen=True, slots=True)
class Access:
    """As it was seen; ``mode`` is a number that Sales may know more of than we do."""

    mode: int
    is_licensed: bool
    is_application: bool

    @classmethod
    def of(cls, user: User) -> "Access":
        return cls(user.access_mode, user.is_licensed, user.application_id is not None)

    def __str__(self) -> str:
        """Two sentences, or three of an application user."""
        who = (_("It is an application user."),) if self.is_application else ()
        return " ".join((*who, self._mode, self._licence))

    @property
    def _mode(self) -> str:
        return _("Its access mode is %(mode)s.") % {"mode": named(self.mode)}

    @property
    def _licence(self) -> str:
        if self.is_licensed:
            return _("A licence is assigned.")
        if self.mode == AccessMode.NON_INTERACTIVE:
            return _("No licence is assigned, and none is needed.")
        return _("No licence is assigned.")


def named(mode: int) -> str:
    return str(_MODES.get(mode, mode))
