"""What a solution for Dataverse carries, as plain data. It knows nothing of mappings.

Source of the terms: Microsoft docs "solution concepts", "security roles and privileges".
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from crmsync.dataverse.errors import SolutionUnreadable

# Four numbers, compared one by one: 1.10.0.0 is newer than 1.9.0.0.
Version = tuple[int, int, int, int]

_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,3}")


class Depth(StrEnum):
    """How far a privilege reaches, as solution files name it."""

    USER = "Basic"
    BUSINESS_UNIT = "Local"
    BUSINESS_UNITS_BELOW = "Deep"
    ORGANIZATION = "Global"

    @property
    def reach(self) -> int:
        """0 to 3: the value that the Web API's PrivilegeDepth has."""
        return list(Depth).index(self)


@dataclass(frozen=True, slots=True)
class Publisher:
    """``prefix`` stands before the names of what it makes; 2 to 8 small letters.

    ``option_value_prefix`` is a number from 10000 to 99999.
    """

    unique_name: str
    friendly_name: str
    prefix: str
    option_value_prefix: int


@dataclass(frozen=True, slots=True)
class RolePrivilege:
    """A privilege by its name, for example ``prvReadAccount``."""

    name: str
    depth: Depth = Depth.ORGANIZATION


@dataclass(frozen=True, slots=True)
class SolutionRole:
    """``role_id`` is the role's in the root business unit of every environment."""

    role_id: UUID
    name: str
    privileges: tuple[RolePrivilege, ...]


@dataclass(frozen=True, slots=True)
class TextColumn:
    """``name`` is the logical name, in small letters and with the publisher's prefix."""

    name: str
    display_name: str
    max_length: int


@dataclass(frozen=True, slots=True)
class NewTable:
    """A table that belongs to the organization. ``name`` is its logical name; its primary key is
    that with ``id`` behind it."""

    name: str
    display_name: str
    plural_name: str
    entity_set: str
    primary_column: TextColumn
    columns: tuple[TextColumn, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    unique_name: str
    friendly_name: str
    version: Version
    publisher: Publisher
    roles: tuple[SolutionRole, ...] = ()
    tables: tuple[NewTable, ...] = ()


def parse_version(text: str) -> Version:
    """``"1.2"`` is ``(1, 2, 0, 0)``. Raises SolutionUnreadable."""
    if not _VERSION.fullmatch(text):
        raise SolutionUnreadable("The solution's version is not one to four numbers.")
    numbers = [int(part) for part in text.split(".")]
    first, second, third, fourth = [*numbers, 0, 0, 0][:4]
    return first, second, third, fourth


def version_text(version: Version) -> str:
    return ".".join(str(number) for number in version)
