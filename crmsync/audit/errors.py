"""What can go wrong with the audit log."""

from typing import ClassVar


class NeverChanged(Exception):
    """A programming error: nothing in the product changes or removes what was kept."""

    code: ClassVar[str] = "audit_never_changed"
    remedy: ClassVar[str] = "Add another entry that tells what is right."

    def __init__(self) -> None:
        super().__init__("An entry of the audit log is neither changed nor removed.")
