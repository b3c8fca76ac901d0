"""Short ways to declare columns, so that a table file reads like a table.

Lengths, options and required levels are those of the published Common Data Model; access flags are
those that Microsoft's own integration states for its proxy tables.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from crmsync.sandbox.schema import Access, Column, Kind, OnDelete, State

MONEY_LIMIT: Final = 100_000_000_000_000.0
INTEGER_LIMIT: Final = 2_147_483_647.0

ACTIVE_INACTIVE: Final[Mapping[int, State]] = MappingProxyType(
    {
        0: State(label="Active", statuses=MappingProxyType({1: "Active"})),
        1: State(label="Inactive", statuses=MappingProxyType({2: "Inactive"})),
    }
)

FREIGHT_TERMS: Final = {1: "FOB", 2: "No Charge"}
SHIPPING_METHODS: Final = {
    1: "Airborne",
    2: "DHL",
    3: "FedEx",
    4: "UPS",
    5: "Postal Mail",
    6: "Full Load",
    7: "Will Call",
}
PAYMENT_TERMS: Final = {1: "Net 30", 2: "2% 10, Net 30", 3: "Net 45", 4: "Net 60"}
DEFAULT_ONLY: Final = {1: "Default Value"}

_ADDRESS_LENGTHS: Final = {
    "name": 200,
    "primarycontactname": 100,
    "line1": 250,
    "line2": 250,
    "line3": 250,
    "city": 80,
    "stateorprovince": 50,
    "county": 50,
    "country": 80,
    "postalcode": 20,
    "postofficebox": 20,
    "upszone": 4,
    "fax": 50,
    "telephone1": 50,
    "telephone2": 50,
    "telephone3": 50,
}
_DO_NOT: Final = (
    "donotphone",
    "donotfax",
    "donotemail",
    "donotpostalmail",
    "donotbulkemail",
    "donotbulkpostalmail",
)
_CONTACT_METHODS: Final = {1: "Any", 2: "Email", 3: "Phone", 4: "Fax", 5: "Mail"}
_WEEKDAYS: Final = {
    0: "Sunday",
    1: "Monday",
    2: "Tuesday",
    3: "Wednesday",
    4: "Thursday",
    5: "Friday",
    6: "Saturday",
}


def text(
    name: str,
    length: int,
    *,
    required: bool = False,
    access: Access = Access.FREE,
    default: str | None = None,
) -> Column:
    return Column(
        name=name, kind=Kind.TEXT, length=length, required=required, access=access, default=default
    )


def integer(
    name: str,
    minimum: float = -INTEGER_LIMIT,
    maximum: float = INTEGER_LIMIT,
    *,
    required: bool = False,
    access: Access = Access.FREE,
    default: int | None = None,
) -> Column:
    return Column(
        name=name,
        kind=Kind.INTEGER,
        minimum=minimum,
        maximum=maximum,
        required=required,
        access=access,
        default=default,
    )


def decimal(
    name: str,
    minimum: float,
    maximum: float,
    precision: int,
    *,
    required: bool = False,
    access: Access = Access.FREE,
) -> Column:
    return Column(
        name=name,
        kind=Kind.DECIMAL,
        minimum=minimum,
        maximum=maximum,
        precision=precision,
        required=required,
        access=access,
    )


def money(name: str, minimum: float = 0.0) -> tuple[Column, Column]:
    """Declare a money column and its read-only twin in the base currency."""
    own = Column(name=name, kind=Kind.MONEY, minimum=minimum, maximum=MONEY_LIMIT, precision=2)
    base = Column(
        name=f"{name}_base",
        kind=Kind.MONEY,
        minimum=-MONEY_LIMIT,
        maximum=MONEY_LIMIT,
        precision=4,
        access=Access.READ_ONLY,
    )
    return own, base


def boolean(
    name: str,
    *,
    labels: tuple[str, str] = ("No", "Yes"),
    access: Access = Access.FREE,
    default: bool | None = None,
) -> Column:
    return Column(
        name=name,
        kind=Kind.BOOLEAN,
        options=MappingProxyType(dict(enumerate(labels))),
        access=access,
        default=default,
    )


def choice(
    name: str,
    options: Mapping[int, str],
    *,
    required: bool = False,
    access: Access = Access.FREE,
    default: int | None = None,
) -> Column:
    return Column(
        name=name,
        kind=Kind.CHOICE,
        options=MappingProxyType(dict(options)),
        required=required,
        access=access,
        default=default,
    )


def guid(name: str, *, access: Access = Access.FREE) -> Column:
    return Column(name=name, kind=Kind.GUID, access=access)


def primary_key(name: str) -> Column:
    return Column(name=name, kind=Kind.GUID, access=Access.CREATE_ONLY)


def moment(name: str, *, access: Access = Access.FREE) -> Column:
    return Column(name=name, kind=Kind.DATE_TIME, access=access)


def day(name: str) -> Column:
    return Column(name=name, kind=Kind.DATE)


def lookup(
    attribute: str,
    *targets: str,
    on_delete: OnDelete = OnDelete.REMOVE_LINK,
    required: bool = False,
    access: Access = Access.FREE,
) -> Column:
    """Declare a lookup written through a navigation property of its own name."""
    return Column(
        name=f"_{attribute}_value",
        kind=Kind.LOOKUP,
        navigations=MappingProxyType({attribute: targets}),
        on_delete=on_delete,
        required=required,
        access=access,
    )


def lookup_by_target(
    attribute: str, *targets: str, on_delete: OnDelete = OnDelete.REMOVE_LINK
) -> Column:
    """Declare a lookup with one navigation property for each table, as `customerid_account`."""
    navigations = {f"{attribute}_{target}": (target,) for target in targets}
    return Column(
        name=f"_{attribute}_value",
        kind=Kind.LOOKUP,
        navigations=MappingProxyType(navigations),
        on_delete=on_delete,
    )


def state_columns(states: Mapping[int, State]) -> tuple[Column, Column]:
    """Declare statecode and statuscode for a table's states; the pair is checked as a rule.

    A statecode is not taken at creation: rows start in the first state
    (access flag of Microsoft's proxy tables).
    """
    statuses: dict[int, str] = {}
    for state in states.values():
        statuses.update(state.statuses)
    return (
        choice("statecode", {n: s.label for n, s in states.items()}, access=Access.UPDATE_ONLY),
        choice("statuscode", statuses),
    )


def standard_columns() -> tuple[Column, ...]:
    """Declare what every table has: who and when, and the row's version."""
    return (
        moment("createdon", access=Access.READ_ONLY),
        moment("modifiedon", access=Access.READ_ONLY),
        lookup("createdby", "systemuser", access=Access.READ_ONLY),
        lookup("modifiedby", "systemuser", access=Access.READ_ONLY),
        moment("overriddencreatedon", access=Access.CREATE_ONLY),
        integer("importsequencenumber"),
        Column(name="versionnumber", kind=Kind.BIG_INTEGER, access=Access.READ_ONLY),
    )


def owner_columns() -> tuple[Column, ...]:
    """Declare what every user-owned table has besides."""
    return (
        lookup("ownerid", "systemuser", "team", on_delete=OnDelete.RESTRICT),
        lookup("owninguser", "systemuser", access=Access.READ_ONLY),
        lookup("owningteam", "team", access=Access.READ_ONLY),
        lookup("owningbusinessunit", "businessunit", access=Access.READ_ONLY),
    )


def currency_columns() -> tuple[Column, ...]:
    """Declare what every table with money has."""
    return (
        lookup("transactioncurrencyid", "transactioncurrency", on_delete=OnDelete.RESTRICT),
        decimal("exchangerate", 0.000000000001, 1e11, 12, access=Access.READ_ONLY),
    )


def address(prefix: str) -> Iterable[Column]:
    """Declare one address group (address1, address2)."""
    return (
        *(text(f"{prefix}_{name}", length) for name, length in _ADDRESS_LENGTHS.items()),
        text(f"{prefix}_composite", 1000, access=Access.READ_ONLY),
        choice(
            f"{prefix}_addresstypecode",
            {1: "Bill To", 2: "Ship To", 3: "Primary", 4: "Other"},
        ),
        choice(f"{prefix}_freighttermscode", FREIGHT_TERMS),
        choice(f"{prefix}_shippingmethodcode", SHIPPING_METHODS),
    )


def contact_preferences() -> tuple[Column, ...]:
    """Declare the do-not-disturb switches that accounts and contacts share."""
    return (
        *(boolean(name, labels=("Allow", "Do Not Allow"), default=False) for name in _DO_NOT),
        boolean("donotsendmm", labels=("Send", "Do Not Send"), default=False),
        boolean("followemail", labels=("Do Not Allow", "Allow"), default=True),
        boolean("participatesinworkflow", default=False),
        boolean("creditonhold", default=False),
        boolean("marketingonly", default=False),
        choice("preferredcontactmethodcode", _CONTACT_METHODS, default=1),
        choice("preferredappointmentdaycode", _WEEKDAYS),
        choice("preferredappointmenttimecode", {1: "Morning", 2: "Afternoon", 3: "Evening"}),
    )
