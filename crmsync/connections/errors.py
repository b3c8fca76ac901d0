"""What can go wrong with the connection itself.

ConnectionProblem
├── NotConnected
│   └── SetupUnfinished
├── Disabled
├── SecretUnreadable
└── KeysElsewhere
"""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class ConnectionProblem(Exception):
    """``str()`` says what is wrong, ``remedy`` what to do: on a page or at a terminal."""

    code: ClassVar[str] = "connection_problem"
    remedy: ClassVar[str | Promise] = _(
        "Ask the administrator to look at Dynamics 365 Connection Setup."
    )


class NotConnected(ConnectionProblem):
    code = "not_connected"
    remedy = _("Have the administrator connect to Sales in Dynamics 365 Connection Setup.")


class SetupUnfinished(NotConnected):
    remedy = _("Have the administrator continue the setup.")


class Disabled(ConnectionProblem):
    """``cause`` and ``service_code`` are the codes of what made the product disable itself; blank
    where a person disabled it."""

    code = "connection_disabled"
    remedy = _(
        "Have the administrator mend what disabled it, then enable it in "
        "Dynamics 365 Connection Setup."
    )

    def __init__(self, sentence: str, *, cause: str = "", service_code: str = "") -> None:
        super().__init__(sentence)
        self.cause = cause
        self.service_code = service_code


class SecretUnreadable(ConnectionProblem):
    code = "secret_unreadable"
    remedy = _(
        "Have the administrator restore the sealing key, or connect again in "
        "Dynamics 365 Connection Setup."
    )


class KeysElsewhere(ConnectionProblem):
    code = "keys_elsewhere"
    remedy = _("Put a new key in front of the others there, then run the command without --new.")
