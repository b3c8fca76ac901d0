"""What reacts to written rows: flows, plug-in steps and rules that look for duplicates."""

from types import MappingProxyType
from typing import Final

from crmsync.sandbox.schema import Ownership, State, Table
from crmsync.sandbox.tables.declare import (
    boolean,
    choice,
    integer,
    lookup,
    owner_columns,
    primary_key,
    standard_columns,
    state_columns,
    text,
)

_WORKFLOW_STATES: Final = MappingProxyType(
    {
        0: State(label="Draft", statuses=MappingProxyType({1: "Draft"})),
        1: State(label="Activated", statuses=MappingProxyType({2: "Activated"})),
        2: State(label="Suspended", statuses=MappingProxyType({3: "CompanyDLPViolation"})),
    }
)
_STEP_STATES: Final = MappingProxyType(
    {
        0: State(label="Enabled", statuses=MappingProxyType({1: "Enabled"})),
        1: State(label="Disabled", statuses=MappingProxyType({2: "Disabled"})),
    }
)
_RULE_STATES: Final = MappingProxyType(
    {
        0: State(label="Inactive", statuses=MappingProxyType({0: "Unpublished", 1: "Publishing"})),
        1: State(label="Active", statuses=MappingProxyType({2: "Published"})),
    }
)

WORKFLOW: Final = Table(
    name="workflow",
    schema_name="Workflow",
    display_name="Process",
    entity_set="workflows",
    type_code=4703,
    primary_id="workflowid",
    primary_name="name",
    ownership=Ownership.USER,
    states=_WORKFLOW_STATES,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    columns=(
        primary_key("workflowid"),
        text("name", 100, required=True),
        text("uniquename", 256),
        text("description", 2000),
        choice(
            "category",
            {
                0: "Workflow",
                1: "Dialog",
                2: "Business Rule",
                3: "Action",
                4: "Business Process Flow",
                5: "Modern Flow",
                6: "Desktop Flow",
            },
        ),
        choice("type", {1: "Definition", 2: "Activation", 3: "Template"}, default=1),
        choice("mode", {0: "Background", 1: "Real-time"}, default=0),
        choice(
            "scope",
            {
                1: "User",
                2: "Business Unit",
                3: "Parent: Child Business Units",
                4: "Organization",
            },
        ),
        # A table's name, or "none" for cloud flows: those name their tables in clientdata.
        text("primaryentity", 128),
        boolean("triggeroncreate", default=False),
        boolean("triggerondelete", default=False),
        text("triggeronupdateattributelist", 1_073_741_823),
        boolean("ondemand", default=False),
        text("clientdata", 1_073_741_823),
        boolean("ismanaged", default=False),
        *state_columns(_WORKFLOW_STATES),
        *owner_columns(),
        *standard_columns(),
    ),
)

PROCESSINGSTEP: Final = Table(
    name="sdkmessageprocessingstep",
    schema_name="SdkMessageProcessingStep",
    display_name="Sdk Message Processing Step",
    entity_set="sdkmessageprocessingsteps",
    type_code=4608,
    primary_id="sdkmessageprocessingstepid",
    primary_name="name",
    states=_STEP_STATES,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    columns=(
        primary_key("sdkmessageprocessingstepid"),
        text("name", 256),
        text("description", 256),
        choice("stage", {10: "Pre-validation", 20: "Pre-operation", 40: "Post-operation"}),
        choice("mode", {0: "Synchronous", 1: "Asynchronous"}),
        integer("rank", default=1),
        text("filteringattributes", 100_000),
        boolean("ismanaged", default=False),
        lookup("sdkmessageid", "sdkmessage"),
        lookup("sdkmessagefilterid", "sdkmessagefilter"),
        *state_columns(_STEP_STATES),
        *standard_columns(),
    ),
)

DUPLICATERULE: Final = Table(
    name="duplicaterule",
    schema_name="DuplicateRule",
    display_name="Duplicate Detection Rule",
    entity_set="duplicaterules",
    type_code=4414,
    primary_id="duplicateruleid",
    primary_name="name",
    ownership=Ownership.USER,
    states=_RULE_STATES,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    columns=(
        primary_key("duplicateruleid"),
        text("name", 160, required=True),
        text("uniquename", 256),
        text("description", 2000),
        text("baseentityname", 160),
        text("matchingentityname", 160),
        boolean("iscasesensitive", default=False),
        boolean("excludeinactiverecords", default=False),
        *state_columns(_RULE_STATES),
        *owner_columns(),
        *standard_columns(),
    ),
)
