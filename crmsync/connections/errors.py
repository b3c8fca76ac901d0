"""What can go wrong with the connection itself.

ConnectionProblem
├── NotConnected
├── Disabled
└── SecretUnreadable
"""

from typing import ClassVar


class ConnectionProblem(Exception):
    """``str()`` says what is wrong, ``remedy`` what to do."""

    code: ClassVar[str] = "connection_problem"
    remedy: ClassVar[str] = "Run 'manage.py doctor'."


class NotConnected(ConnectionProblem):
    code = "not_connected"
    remedy = "Connect to Sales first: 'manage.py connect --help' says how."


class Disabled(ConnectionProblem):
    code = "connection_disabled"
    remedy = "Mend what disabled the connection, then connect again with 'manage.py connect'."


class SecretUnreadable(ConnectionProblem):
    code = "secret_unreadable"
    remedy = "Restore the sealing key, or connect again with 'manage.py connect'."
