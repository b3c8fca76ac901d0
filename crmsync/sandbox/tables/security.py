"""Users, teams, business units, roles and privileges: who may do what."""

from typing import Final

from crmsync.sandbox.schema import (
    Access,
    Column,
    Kind,
    ManyToMany,
    OnDelete,
    Table,
)
from crmsync.sandbox.tables.declare import (
    boolean,
    choice,
    guid,
    integer,
    lookup,
    primary_key,
    standard_columns,
    text,
)

USER_ROLES: Final = ManyToMany(
    navigation="systemuserroles_association",
    intersect="systemuserroles",
    ends=(("systemuser", "systemuserid"), ("role", "roleid")),
)
TEAM_MEMBERS: Final = ManyToMany(
    navigation="teammembership_association",
    intersect="teammembership",
    ends=(("team", "teamid"), ("systemuser", "systemuserid")),
)
TEAM_ROLES: Final = ManyToMany(
    navigation="teamroles_association",
    intersect="teamroles",
    ends=(("team", "teamid"), ("role", "roleid")),
)
ROLE_PRIVILEGES: Final = ManyToMany(
    navigation="roleprivileges_association",
    intersect="roleprivileges",
    ends=(("role", "roleid"), ("privilege", "privilegeid")),
)

USER_PROFILES: Final = ManyToMany(
    navigation="systemuserprofiles_association",
    intersect="systemuserprofiles",
    ends=(("systemuser", "systemuserid"), ("fieldsecurityprofile", "fieldsecurityprofileid")),
)
TEAM_PROFILES: Final = ManyToMany(
    navigation="teamprofiles_association",
    intersect="teamprofiles",
    ends=(("team", "teamid"), ("fieldsecurityprofile", "fieldsecurityprofileid")),
)

ACCESS_MODES: Final = {
    0: "Read-Write",
    1: "Administrative",
    2: "Read",
    3: "Support User",
    4: "Non-interactive",
    5: "Delegated Admin",
}
LICENCE_TYPES: Final = dict(
    enumerate(
        (
            "Professional",
            "Administrative",
            "Basic",
            "Device Professional",
            "Device Basic",
            "Essential",
            "Device Essential",
            "Enterprise",
            "Device Enterprise",
            "Sales",
            "Service",
            "Field Service",
            "Project Service",
        )
    )
)

SYSTEMUSER: Final = Table(
    name="systemuser",
    schema_name="SystemUser",
    display_name="User",
    privilege_noun="User",
    entity_set="systemusers",
    type_code=8,
    primary_id="systemuserid",
    primary_name="fullname",
    many_to_many=(USER_ROLES, TEAM_MEMBERS, USER_PROFILES),
    is_deletable=False,
    columns=(
        primary_key("systemuserid"),
        guid("ownerid", access=Access.READ_ONLY),
        text("fullname", 200, access=Access.READ_ONLY),
        text("firstname", 64),
        text("middlename", 50),
        text("lastname", 64),
        text("nickname", 50),
        text("title", 128),
        text("jobtitle", 100),
        text("domainname", 1024),
        text("internalemailaddress", 100),
        text("personalemailaddress", 100),
        text("mobilealertemail", 100),
        text("mobilephone", 64),
        text("homephone", 50),
        text("address1_telephone1", 64),
        text("windowsliveid", 1024),
        text("employeeid", 100),
        choice("accessmode", ACCESS_MODES, default=0),
        choice("caltype", LICENCE_TYPES, default=0),
        boolean("isdisabled", labels=("Enabled", "Disabled"), default=False),
        boolean("islicensed", default=False, access=Access.READ_ONLY),
        boolean("issyncwithdirectory", default=False, access=Access.READ_ONLY),
        boolean("isintegrationuser", default=False),
        boolean("setupuser", default=False),
        guid("applicationid", access=Access.CREATE_ONLY),
        guid("azureactivedirectoryobjectid", access=Access.CREATE_ONLY),
        guid("organizationid", access=Access.READ_ONLY),
        lookup("businessunitid", "businessunit", required=True, on_delete=OnDelete.RESTRICT),
        lookup("parentsystemuserid", "systemuser"),
        lookup("transactioncurrencyid", "transactioncurrency"),
        *standard_columns(),
    ),
)

TEAM: Final = Table(
    name="team",
    schema_name="Team",
    display_name="Team",
    entity_set="teams",
    type_code=9,
    primary_id="teamid",
    primary_name="name",
    many_to_many=(TEAM_MEMBERS, TEAM_ROLES, TEAM_PROFILES),
    columns=(
        primary_key("teamid"),
        guid("ownerid", access=Access.READ_ONLY),
        text("name", 160, required=True),
        text("description", 2000),
        text("emailaddress", 100),
        choice(
            "teamtype",
            {0: "Owner", 1: "Access", 2: "Security Group", 3: "Office Group"},
            default=0,
        ),
        boolean("isdefault", default=False, access=Access.READ_ONLY),
        boolean("systemmanaged", default=False, access=Access.READ_ONLY),
        guid("organizationid", access=Access.READ_ONLY),
        lookup("administratorid", "systemuser"),
        lookup("businessunitid", "businessunit", on_delete=OnDelete.RESTRICT),
        *standard_columns(),
    ),
)

BUSINESSUNIT: Final = Table(
    name="businessunit",
    schema_name="BusinessUnit",
    display_name="Business Unit",
    entity_set="businessunits",
    type_code=10,
    primary_id="businessunitid",
    primary_name="name",
    is_deletable=False,
    columns=(
        primary_key("businessunitid"),
        text("name", 160, required=True),
        text("description", 2000),
        text("divisionname", 100),
        text("emailaddress", 100),
        text("websiteurl", 200),
        text("costcenter", 100),
        boolean("isdisabled", labels=("Enabled", "Disabled"), default=False),
        lookup("organizationid", "organization", access=Access.READ_ONLY),
        lookup("parentbusinessunitid", "businessunit"),
        lookup("transactioncurrencyid", "transactioncurrency", access=Access.READ_ONLY),
        *standard_columns(),
    ),
)

ROLE: Final = Table(
    name="role",
    schema_name="Role",
    display_name="Security Role",
    entity_set="roles",
    type_code=1036,
    primary_id="roleid",
    primary_name="name",
    many_to_many=(USER_ROLES, TEAM_ROLES, ROLE_PRIVILEGES),
    columns=(
        primary_key("roleid"),
        text("name", 100, required=True),
        guid("organizationid", access=Access.READ_ONLY),
        boolean("ismanaged", default=False, access=Access.READ_ONLY),
        lookup("businessunitid", "businessunit", required=True, on_delete=OnDelete.RESTRICT),
        # The copies of a role in lower business units go with it.
        lookup("parentroleid", "role", access=Access.READ_ONLY, on_delete=OnDelete.CASCADE),
        lookup("parentrootroleid", "role", access=Access.READ_ONLY),
        # The template's own table is not imitated; the id is what clients compare.
        Column(name="_roletemplateid_value", kind=Kind.GUID, access=Access.READ_ONLY),
        *standard_columns(),
    ),
)

PRIVILEGE: Final = Table(
    name="privilege",
    schema_name="Privilege",
    display_name="Privilege",
    entity_set="privileges",
    type_code=1023,
    primary_id="privilegeid",
    primary_name="name",
    many_to_many=(ROLE_PRIVILEGES,),
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    is_secured=False,
    columns=(
        primary_key("privilegeid"),
        text("name", 100),
        integer("accessright"),
        boolean("canbebasic", default=True),
        boolean("canbelocal", default=True),
        boolean("canbedeep", default=True),
        boolean("canbeglobal", default=True),
        Column(name="versionnumber", kind=Kind.BIG_INTEGER, access=Access.READ_ONLY),
    ),
)


def intersect(
    relation: ManyToMany, *, entity_set: str, type_code: int, further: tuple[Column, ...] = ()
) -> Table:
    """Declare the table behind a many-to-many relation."""
    (_, first), (_, second) = relation.ends
    name = relation.intersect
    return Table(
        name=name,
        schema_name=name.capitalize(),
        display_name=name.capitalize(),
        entity_set=entity_set,
        type_code=type_code,
        primary_id=f"{name.removesuffix('s')}id",
        primary_name=None,
        is_secured=False,
        is_creatable=False,
        is_updatable=False,
        is_deletable=False,
        columns=(
            primary_key(f"{name.removesuffix('s')}id"),
            guid(first),
            guid(second),
            *further,
            Column(name="versionnumber", kind=Kind.BIG_INTEGER, access=Access.READ_ONLY),
        ),
    )


INTERSECTS: Final = (
    intersect(USER_ROLES, entity_set="systemuserrolescollection", type_code=15),
    intersect(TEAM_MEMBERS, entity_set="teammemberships", type_code=23),
    intersect(TEAM_ROLES, entity_set="teamrolescollection", type_code=40),
    intersect(
        ROLE_PRIVILEGES,
        entity_set="roleprivilegescollection",
        type_code=12,
        further=(integer("privilegedepthmask"),),
    ),
)
