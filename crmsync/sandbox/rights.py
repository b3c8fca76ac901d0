"""The roles that every environment has, and what each of them may do."""

from typing import Final

from crmsync.sandbox.credentials import stable_id

# Microsoft's fixed ids of the role templates (BCApps, CDSIntegrationImpl).
SYSTEM_ADMINISTRATOR_TEMPLATE: Final = "627090ff-40a3-4053-8790-584edc5be201"
SYSTEM_CUSTOMIZER_TEMPLATE: Final = "119f245c-3cc8-4b62-b31c-d1a046ced15d"

SYSTEM_ADMINISTRATOR_ROLE: Final = stable_id("system.administrator.role")
SYSTEM_CUSTOMIZER_ROLE: Final = stable_id("system.customizer.role")
INTEGRATION_ROLE: Final = stable_id("integration.role")
SALESPERSON_ROLE: Final = stable_id("salesperson.role")

ALL_VERBS: Final = (
    "Create",
    "Read",
    "Write",
    "Delete",
    "Append",
    "AppendTo",
    "Assign",
    "Share",
)
# Privileges that belong to no table here.
IMPORT: Final = "prvImportCustomization"
PUBLISH: Final = "prvPublishCustomization"
WRITE_DEFINITION: Final = "prvWriteEntity"
NAMED_PRIVILEGES: Final = (
    IMPORT,
    "prvExportCustomization",
    PUBLISH,
    "prvCreateEntity",
    "prvReadEntity",
    WRITE_DEFINITION,
    "prvDeleteEntity",
    "prvReadAttribute",
    "prvReadOptionSet",
    "prvReadRelationship",
    "prvActOnBehalfOfAnotherUser",
    "prvBypassCustomBusinessLogic",
    "prvBypassCustomPlugins",
)

_DATA_TABLES: Final = ("account", "contact", "transactioncurrency")
_SETTINGS_TABLES: Final = ("organization", "businessunit", "team", "role")
_CUSTOMIZING_TABLES: Final = (
    "solution",
    "publisher",
    "importjob",
    "asyncoperation",
    "workflow",
    "sdkmessageprocessingstep",
    "duplicaterule",
)

# What each role may do: table to verbs. System Administrator needs no list: it may do everything.
GRANTS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    INTEGRATION_ROLE: {
        **dict.fromkeys(_DATA_TABLES, ALL_VERBS),
        **dict.fromkeys(_SETTINGS_TABLES, ("Read", "AppendTo")),
        "systemuser": ("Read", "Write", "Append", "AppendTo"),
    },
    SALESPERSON_ROLE: {
        **dict.fromkeys(("account", "contact"), ALL_VERBS),
        **dict.fromkeys(
            (*_SETTINGS_TABLES, "systemuser", "transactioncurrency"), ("Read", "AppendTo")
        ),
    },
    SYSTEM_CUSTOMIZER_ROLE: {
        **dict.fromkeys((*_DATA_TABLES, *_SETTINGS_TABLES, "systemuser"), ("Read",)),
        **dict.fromkeys(_CUSTOMIZING_TABLES, ALL_VERBS),
    },
}
NAMED_GRANTS: Final = {SYSTEM_CUSTOMIZER_ROLE: NAMED_PRIVILEGES[:10]}
