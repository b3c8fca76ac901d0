"""Who is who in an environment: the caller, the organization, users and their roles."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import UnreadableAnswer

# Role templates are the same in every environment; names are translated, ids are not.
# Source: Microsoft BCApps, CDSIntegrationImpl.
SYSTEM_ADMINISTRATOR = UUID("627090ff-40a3-4053-8790-584edc5be201")
SYSTEM_CUSTOMIZER = UUID("119f245c-3cc8-4b62-b31c-d1a046ced15d")


@dataclass(frozen=True, slots=True)
class Caller:
    user_id: UUID
    organization_id: UUID
    business_unit_id: UUID


@dataclass(frozen=True, slots=True)
class Organization:
    name: str
    base_currency_id: UUID
    base_currency_code: str


@dataclass(frozen=True, slots=True)
class User:
    user_id: UUID
    full_name: str
    is_disabled: bool
    is_licensed: bool
    access_mode: int
    application_id: UUID | None
    role_templates: frozenset[UUID]
    role_names: tuple[str, ...]

    @property
    def is_system_administrator(self) -> bool:
        return SYSTEM_ADMINISTRATOR in self.role_templates


def who_am_i(client: Client) -> Caller:
    """The identity behind the token. Raises NotAMember when Sales does not know it."""
    found = client.channel.send("GET", "WhoAmI").json()
    try:
        return Caller(
            user_id=UUID(found["UserId"]),
            organization_id=UUID(found["OrganizationId"]),
            business_unit_id=UUID(found["BusinessUnitId"]),
        )
    except (KeyError, ValueError) as error:
        raise UnreadableAnswer("Sales does not say who we are.") from error


def organization(client: Client) -> Organization:
    """The one organization of the environment and its base currency."""
    row = _first(client, "organizations", {"$select": "name,_basecurrencyid_value"})
    base_id = row["_basecurrencyid_value"]
    base = client.channel.send(
        "GET", f"transactioncurrencies({base_id})?$select=isocurrencycode"
    ).json()
    return Organization(
        name=row["name"],
        base_currency_id=UUID(base_id),
        base_currency_code=base["isocurrencycode"],
    )


def user(client: Client, user_id: UUID) -> User:
    """One user with the roles held directly and through teams."""
    columns = "systemuserid,fullname,isdisabled,islicensed,accessmode,applicationid"
    row = client.channel.send("GET", f"systemusers({user_id})?$select={columns}").json()
    roles = _roles(client, user_id)
    application = row.get("applicationid")
    return User(
        user_id=user_id,
        full_name=row.get("fullname") or "",
        is_disabled=bool(row.get("isdisabled")),
        is_licensed=bool(row.get("islicensed")),
        access_mode=int(row.get("accessmode") or 0),
        application_id=UUID(application) if application else None,
        role_templates=frozenset(
            UUID(role["_roletemplateid_value"])
            for role in roles
            if role.get("_roletemplateid_value")
        ),
        role_names=tuple(sorted({role["name"] for role in roles})),
    )


def _roles(client: Client, user_id: UUID) -> list[dict[str, Any]]:
    select = "$select=name,_roletemplateid_value"
    path = f"systemusers({user_id})"
    direct = client.channel.send("GET", f"{path}/systemuserroles_association?{select}").json()
    teams = client.channel.send(
        "GET",
        f"{path}/teammembership_association?$select=name&$expand=teamroles_association({select})",
    ).json()
    inherited = [role for team in teams["value"] for role in team["teamroles_association"]]
    return [*direct["value"], *inherited]


def user_by_name(client: Client, name: str) -> UUID | None:
    """The id of the user who signs in with this name, if there is one."""
    options = {"$select": "systemuserid", "$filter": f"domainname eq {odata.literal(name)}"}
    found = client.channel.send("GET", odata.query("systemusers", options)).json()["value"]
    return UUID(found[0]["systemuserid"]) if found else None


def user_by_application(client: Client, application_id: UUID) -> UUID | None:
    """The id of the application user of this application, if there is one."""
    options = {"$select": "systemuserid", "$filter": f"applicationid eq {application_id}"}
    found = client.channel.send("GET", odata.query("systemusers", options)).json()["value"]
    return UUID(found[0]["systemuserid"]) if found else None


def _first(client: Client, entity_set: str, options: dict[str, str]) -> dict[str, Any]:
    rows = client.channel.send("GET", odata.query(entity_set, options)).json().get("value")
    if not rows:
        raise UnreadableAnswer(f"Sales shows no {entity_set}.")
    first: dict[str, Any] = rows[0]
    return first
