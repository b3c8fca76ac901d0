"""Who may read and write secured columns: profiles, their permissions and their holders."""

from typing import Final

from crmsync.sandbox.schema import Access, Column, Kind, OnDelete, Table
from crmsync.sandbox.tables.declare import (
    choice,
    lookup,
    primary_key,
    standard_columns,
    text,
)
from crmsync.sandbox.tables.security import TEAM_PROFILES, USER_PROFILES, intersect

_ALLOWANCE: Final = {0: "Not Allowed", 4: "Allowed"}

FIELDSECURITYPROFILE: Final = Table(
    name="fieldsecurityprofile",
    schema_name="FieldSecurityProfile",
    display_name="Field Security Profile",
    entity_set="fieldsecurityprofiles",
    type_code=1200,
    primary_id="fieldsecurityprofileid",
    primary_name="name",
    many_to_many=(USER_PROFILES, TEAM_PROFILES),
    columns=(
        primary_key("fieldsecurityprofileid"),
        text("name", 100, required=True),
        text("description", 2000),
        *standard_columns(),
    ),
)

FIELDPERMISSION: Final = Table(
    name="fieldpermission",
    schema_name="FieldPermission",
    display_name="Field Permission",
    entity_set="fieldpermissions",
    type_code=1201,
    primary_id="fieldpermissionid",
    primary_name=None,
    columns=(
        primary_key("fieldpermissionid"),
        text("entityname", 128, required=True),
        text("attributelogicalname", 128, required=True),
        choice("canread", _ALLOWANCE, default=0),
        choice("cancreate", _ALLOWANCE, default=0),
        choice("canupdate", _ALLOWANCE, default=0),
        lookup(
            "fieldsecurityprofileid",
            "fieldsecurityprofile",
            on_delete=OnDelete.CASCADE,
            required=True,
        ),
        Column(name="versionnumber", kind=Kind.BIG_INTEGER, access=Access.READ_ONLY),
    ),
)

PROFILE_INTERSECTS: Final = (
    intersect(USER_PROFILES, entity_set="systemuserprofilescollection", type_code=1202),
    intersect(TEAM_PROFILES, entity_set="teamprofilescollection", type_code=1203),
)
