"""Secured columns: values that Sales keeps even from those who may read the row.

A column is secured by its definition; a field security profile allows it to users and teams, and
whoever may not read it gets no value, without any error (Microsoft docs: "column-level
security"). So an unreadable column looks like an empty one: only the permissions tell.
"""

from collections.abc import Iterable
from uuid import UUID

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client, Row
from crmsync.dataverse.errors import PrivilegeMissing
from crmsync.dataverse.roles import SYSTEM_ADMINISTRATOR, roles_held
from crmsync.dataverse.shapes import reads_an_answer

# fieldpermission.canread: 0 not allowed, 4 allowed.
_ALLOWED = 4


def unreadable_columns(
    client: Client, *, user_id: UUID, table: str, columns: Iterable[str]
) -> tuple[str, ...]:
    """Those of a table's columns that the user may not read, in their order.

    ``client`` must be able to read field security profiles: an administrator's. System
    Administrators read every column.
    """
    secured = _secured(client, table)
    asked = [column for column in columns if column in secured]
    if not asked or _is_administrator(client, user_id):
        return ()
    readable = _readable(client, table, _profiles(client, user_id))
    return tuple(column for column in asked if column not in readable)


def hidden_columns(
    client: Client, *, user_id: UUID, table: str, columns: Iterable[str]
) -> tuple[str, ...]:
    """The same for the user's own client.

    Where it may not look into the profiles, every secured column counts: a value that is not taken
    can be fetched later, one that was overwritten cannot.
    """
    wanted = tuple(columns)
    try:
        return unreadable_columns(client, user_id=user_id, table=table, columns=wanted)
    except PrivilegeMissing:
        secured = _secured(client, table)
        return tuple(column for column in wanted if column in secured)


def _secured(client: Client, table: str) -> frozenset[str]:
    path = f"EntityDefinitions(LogicalName={odata.literal(table)})/Attributes"
    options = {"$select": "LogicalName,IsSecured", "$filter": "IsSecured eq true"}
    return _names(client.channel.send("GET", odata.query(path, options)).json())


@reads_an_answer
def _names(answer: Row) -> frozenset[str]:
    return frozenset(column["LogicalName"] for column in answer["value"])


def _is_administrator(client: Client, user_id: UUID) -> bool:
    held = roles_held(client, user_id)
    return any(role.template_id == SYSTEM_ADMINISTRATOR for role in held)


def _profiles(client: Client, user_id: UUID) -> frozenset[str]:
    path = odata.row_path("systemusers", user_id)
    select = "$select=fieldsecurityprofileid"
    direct = client.every(f"{path}/systemuserprofiles_association?{select}")
    expand = f"$expand=teamprofiles_association({select})"
    teams = client.every(f"{path}/teammembership_association?$select=teamid&{expand}")
    return _profile_ids(tuple(direct), tuple(teams))


@reads_an_answer
def _profile_ids(direct: Iterable[Row], teams: Iterable[Row]) -> frozenset[str]:
    rows = [*direct, *(row for team in teams for row in team["teamprofiles_association"])]
    return frozenset(row["fieldsecurityprofileid"] for row in rows)


def _readable(client: Client, table: str, profiles: frozenset[str]) -> frozenset[str]:
    options = {
        "$select": "attributelogicalname,canread,_fieldsecurityprofileid_value",
        "$filter": f"entityname eq {odata.literal(table)}",
    }
    return _allowed(tuple(client.every(odata.query("fieldpermissions", options))), profiles)


@reads_an_answer
def _allowed(permissions: Iterable[Row], profiles: frozenset[str]) -> frozenset[str]:
    return frozenset(
        row["attributelogicalname"]
        for row in permissions
        if row.get("canread") == _ALLOWED and row["_fieldsecurityprofileid_value"] in profiles
    )
