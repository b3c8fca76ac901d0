"""Solutions, who publishes them, what they brought, and the jobs that import them."""

from typing import Final

from crmsync.sandbox.schema import Access, Column, Kind, OnDelete, Table
from crmsync.sandbox.tables.declare import (
    boolean,
    choice,
    decimal,
    guid,
    integer,
    lookup,
    moment,
    primary_key,
    standard_columns,
    text,
)

PUBLISHER: Final = Table(
    name="publisher",
    schema_name="Publisher",
    display_name="Publisher",
    entity_set="publishers",
    type_code=7101,
    primary_id="publisherid",
    primary_name="friendlyname",
    is_creatable=False,
    is_updatable=False,
    columns=(
        primary_key("publisherid"),
        text("uniquename", 256, required=True),
        text("friendlyname", 256),
        text("description", 2000),
        text("customizationprefix", 8),
        integer("customizationoptionvalueprefix", 10_000, 99_999),
        text("emailaddress", 100),
        text("supportingwebsiteurl", 200),
        boolean("isreadonly", default=False, access=Access.READ_ONLY),
        lookup("organizationid", "organization", access=Access.READ_ONLY),
        *standard_columns(),
    ),
)

SOLUTION: Final = Table(
    name="solution",
    schema_name="Solution",
    display_name="Solution",
    entity_set="solutions",
    type_code=7100,
    primary_id="solutionid",
    primary_name="friendlyname",
    is_creatable=False,
    is_updatable=False,
    columns=(
        primary_key("solutionid"),
        text("uniquename", 65, required=True),
        text("friendlyname", 256),
        text("description", 2000),
        text("version", 256),
        text("solutionpackageversion", 256),
        boolean("ismanaged", labels=("Unmanaged", "Managed"), default=False),
        boolean("isvisible", default=True),
        moment("installedon"),
        moment("updatedon"),
        integer("solutiontype"),
        lookup("publisherid", "publisher", on_delete=OnDelete.RESTRICT),
        lookup("organizationid", "organization", access=Access.READ_ONLY),
        lookup("parentsolutionid", "solution", access=Access.READ_ONLY),
        *standard_columns(),
    ),
)

COMPONENT_TYPES: Final = {1: "Entity", 2: "Attribute", 20: "Role"}

SOLUTIONCOMPONENT: Final = Table(
    name="solutioncomponent",
    schema_name="SolutionComponent",
    display_name="Solution Component",
    entity_set="solutioncomponents",
    type_code=7103,
    primary_id="solutioncomponentid",
    primary_name=None,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    is_secured=False,
    columns=(
        primary_key("solutioncomponentid"),
        choice("componenttype", COMPONENT_TYPES),
        guid("objectid"),
        integer("rootcomponentbehavior"),
        lookup("solutionid", "solution", on_delete=OnDelete.CASCADE),
        Column(name="versionnumber", kind=Kind.BIG_INTEGER, access=Access.READ_ONLY),
    ),
)

IMPORTJOB: Final = Table(
    name="importjob",
    schema_name="ImportJob",
    display_name="Import Job",
    entity_set="importjobs",
    type_code=9107,
    primary_id="importjobid",
    primary_name="name",
    is_creatable=False,
    is_updatable=False,
    columns=(
        primary_key("importjobid"),
        text("name", 256),
        decimal("progress", 0, 100, 2),
        moment("startedon"),
        moment("completedon"),
        text("solutionname", 256),
        guid("solutionid"),
        text("importcontext", 256),
        text("operationcontext", 256),
        text("data", 1_073_741_823),
        *standard_columns(),
    ),
)

ASYNC_STATES: Final = {0: "Ready", 1: "Suspended", 2: "Locked", 3: "Completed"}
ASYNC_STATUSES: Final = {
    0: "Waiting For Resources",
    10: "Waiting",
    20: "In Progress",
    21: "Pausing",
    22: "Canceling",
    30: "Succeeded",
    31: "Failed",
    32: "Canceled",
}

ASYNCOPERATION: Final = Table(
    name="asyncoperation",
    schema_name="AsyncOperation",
    display_name="System Job",
    entity_set="asyncoperations",
    type_code=4700,
    primary_id="asyncoperationid",
    primary_name="name",
    is_creatable=False,
    is_updatable=False,
    columns=(
        primary_key("asyncoperationid"),
        text("name", 256),
        choice("operationtype", {202: "Import Solution Async Operation"}),
        choice("statecode", ASYNC_STATES),
        choice("statuscode", ASYNC_STATUSES),
        text("message", 1_073_741_823),
        text("friendlymessage", 1_073_741_823),
        integer("errorcode"),
        moment("startedon"),
        moment("completedon"),
        text("messagename", 160),
        *standard_columns(),
    ),
)
