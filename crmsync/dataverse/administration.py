"""Who is who in an environment: the caller, the organization, users and their roles."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from uuid import UUID

import orjson

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import (
    ConnectionLost,
    DuplicateRow,
    ServiceUnavailable,
    UnreadableAnswer,
)
from crmsync.dataverse.roles import (
    SYSTEM_ADMINISTRATOR,
    SYSTEM_CUSTOMIZER,
    HeldRole,
    roles_held,
)
from crmsync.dataverse.shapes import reads_an_answer

_JSON = {"Content-Type": "application/json; charset=utf-8"}


class AccessMode(IntEnum):
    """``systemuser.accessmode`` (Microsoft's Common Data Model, systemuser)."""

    READ_WRITE = 0
    ADMINISTRATIVE = 1
    READ = 2
    SUPPORT = 3
    NON_INTERACTIVE = 4
    DELEGATED_ADMINISTRATOR = 5


@dataclass(frozen=True, slots=True)
class Caller:
    user_id: UUID
    organization_id: UUID
    business_unit_id: UUID


@dataclass(frozen=True, slots=True)
class Organization:
    """``version`` is the service's, like ``9.2.26082.167``; ``base_currency_precision`` counts
    the decimals of amounts in the base currency."""

    name: str
    version: str
    base_currency_id: UUID
    base_currency_code: str
    base_currency_precision: int


@dataclass(frozen=True, slots=True)
class User:
    user_id: UUID
    business_unit_id: UUID
    full_name: str
    is_disabled: bool
    is_licensed: bool
    access_mode: int
    application_id: UUID | None
    roles: tuple[HeldRole, ...]

    @property
    def role_templates(self) -> frozenset[UUID]:
        return frozenset(role.template_id for role in self.roles if role.template_id)

    @property
    def role_names(self) -> tuple[str, ...]:
        return tuple(sorted({role.name for role in self.roles}))

    @property
    def is_system_administrator(self) -> bool:
        return SYSTEM_ADMINISTRATOR in self.role_templates

    @property
    def is_system_customizer(self) -> bool:
        return SYSTEM_CUSTOMIZER in self.role_templates

    def holds(self, root_role_id: UUID) -> bool:
        """Whether the user holds the role, by its id in the root business unit."""
        return any(role.root_role_id == root_role_id for role in self.roles)


def who_am_i(client: Client) -> Caller:
    """The identity behind the token. Raises NotAMember when Sales does not know it."""
    return _caller(client.channel.send("GET", "WhoAmI").json())


@reads_an_answer
def _caller(found: Mapping[str, Any]) -> Caller:
    return Caller(
        user_id=UUID(found["UserId"]),
        organization_id=UUID(found["OrganizationId"]),
        business_unit_id=UUID(found["BusinessUnitId"]),
    )


def version(client: Client) -> str:
    """The version of the service, four numbers with dots between."""
    found = client.channel.send("GET", "RetrieveVersion").json().get("Version")
    if not isinstance(found, str):
        raise UnreadableAnswer("Sales does not say its version.")
    return found


def organization(client: Client) -> Organization:
    """The one organization of the environment and its base currency."""
    columns = "name,_basecurrencyid_value,basecurrencyprecision"
    row = _first(client, "organizations", {"$select": columns})
    base_id = _base_currency_id(row)
    path = f"{odata.row_path('transactioncurrencies', base_id)}?$select=isocurrencycode"
    base = client.channel.send("GET", path).json()
    return _organization(row, base, version(client))


@reads_an_answer
def _base_currency_id(row: Mapping[str, Any]) -> UUID:
    return UUID(row["_basecurrencyid_value"])


@reads_an_answer
def _organization(
    row: Mapping[str, Any], base: Mapping[str, Any], service_version: str
) -> Organization:
    return Organization(
        name=row["name"],
        version=service_version,
        base_currency_id=UUID(row["_basecurrencyid_value"]),
        base_currency_code=base["isocurrencycode"],
        base_currency_precision=int(row["basecurrencyprecision"]),
    )


def user(client: Client, user_id: UUID) -> User:
    """One user with the roles held directly and through teams. Raises RowMissing."""
    columns = (
        "systemuserid,fullname,isdisabled,islicensed,accessmode,applicationid,_businessunitid_value"
    )
    row = client.channel.send("GET", f"systemusers({user_id})?$select={columns}").json()
    return _user(user_id, row, roles_held(client, user_id))


@reads_an_answer
def _user(user_id: UUID, row: Mapping[str, Any], roles: tuple[HeldRole, ...]) -> User:
    application = row.get("applicationid")
    return User(
        user_id=user_id,
        business_unit_id=UUID(row["_businessunitid_value"]),
        full_name=row.get("fullname") or "",
        is_disabled=bool(row.get("isdisabled")),
        is_licensed=bool(row.get("islicensed")),
        access_mode=int(row.get("accessmode") or 0),
        application_id=UUID(application) if application else None,
        roles=roles,
    )


def root_business_unit(client: Client) -> UUID:
    """The unit above all others, of which there is one in every environment."""
    where = "_parentbusinessunitid_value eq null"
    row = _first(client, "businessunits", {"$select": "businessunitid", "$filter": where})
    return _unit_id(row)


@reads_an_answer
def _unit_id(row: Mapping[str, Any]) -> UUID:
    return UUID(row["businessunitid"])


def create_application_user(
    client: Client,
    *,
    application_id: UUID,
    business_unit_id: UUID,
    first_name: str,
    last_name: str,
) -> UUID:
    """The id of the application's user, created when there is none.

    One application has one user in an environment. A lost answer does no harm: the user that may
    have been created is looked up. Raises PrivilegeMissing, Rejected and TransientErrors.
    """
    if found := user_by_application(client, application_id):
        return found
    body = {
        "applicationid": str(application_id),
        "businessunitid@odata.bind": f"/businessunits({business_unit_id})",
        "firstname": first_name,
        "lastname": last_name,
    }
    try:
        client.channel.send("POST", "systemusers", headers=_JSON, body=orjson.dumps(body))
    except (ConnectionLost, UnreadableAnswer, ServiceUnavailable, DuplicateRow):
        if found := user_by_application(client, application_id):
            return found
        raise
    found = user_by_application(client, application_id)
    if found is None:
        raise UnreadableAnswer("The application user that was created is not to be found.")
    return found


def set_access_mode(client: Client, user_id: UUID, mode: AccessMode) -> None:
    """How a user may use Sales. Raises RowMissing, PrivilegeMissing, Rejected."""
    client.channel.send(
        "PATCH",
        odata.row_path("systemusers", user_id),
        headers={**_JSON, "If-Match": "*"},
        body=orjson.dumps({"accessmode": int(mode)}),
    )


def user_by_name(client: Client, name: str) -> UUID | None:
    """The id of the user who signs in with this name, if there is one."""
    return _user_where(client, f"domainname eq {odata.literal(name)}")


def user_by_application(client: Client, application_id: UUID) -> UUID | None:
    """The id of the application user of this application, if there is one."""
    return _user_where(client, f"applicationid eq {application_id}")


def _user_where(client: Client, where: str) -> UUID | None:
    options = {"$select": "systemuserid", "$filter": where}
    return _first_user(client.channel.send("GET", odata.query("systemusers", options)).json())


@reads_an_answer
def _first_user(answer: Mapping[str, Any]) -> UUID | None:
    found = answer["value"]
    return UUID(found[0]["systemuserid"]) if found else None


def _first(client: Client, entity_set: str, options: dict[str, str]) -> dict[str, Any]:
    rows = client.channel.send("GET", odata.query(entity_set, options)).json().get("value")
    if not rows:
        raise UnreadableAnswer(f"Sales shows no {entity_set}.")
    return _as_row(rows)


@reads_an_answer
def _as_row(rows: Any) -> dict[str, Any]:
    return dict(rows[0])
