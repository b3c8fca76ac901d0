"""Rows that follow from the table declarations: definitions, privileges, supported messages.

They are brought up to date whenever a data file is opened, so that tables added by a newer
version of the sandbox are known in an older file.
"""

from typing import Final
from uuid import UUID, uuid5

from crmsync.sandbox.bootstrap import ALL_VERBS, GRANTS
from crmsync.sandbox.schema import Ownership, Table
from crmsync.sandbox.store import Row, Transaction
from crmsync.sandbox.tables import TABLES

_NAMESPACE: Final = UUID("0c7f5b9e-6a1d-4e2f-9b83-d5a4c2e1f007")
# The account definition's id is the same in every environment (Microsoft docs:
# define-alternate-keys-entity); the others here are made up.
_KNOWN_METADATA_IDS: Final = {"account": "70816501-edb9-4740-a16c-6a5efbc05d84"}


def metadata_id(*names: str) -> str:
    """Return the id of a definition: of a table, or of a table's column."""
    known = _KNOWN_METADATA_IDS.get(names[0]) if len(names) == 1 else None
    return known or str(uuid5(_NAMESPACE, "/".join(("metadata", *names))))


def bring_up_to_date(transaction: Transaction) -> None:
    """Insert the catalogue rows that the data file does not have yet."""
    for name, rows in (
        ("EntityMetadata", [_definition(table) for table in TABLES.values()]),
        ("sdkmessage", _messages()),
        ("sdkmessagefilter", _message_filters()),
        ("privilege", _privileges()),
        ("roleprivileges", _role_privileges()),
    ):
        table = TABLES[name]
        present = {row[table.primary_id] for row in transaction.rows(table)}
        missing = [row for row in rows if row[table.primary_id] not in present]
        if missing:
            transaction.insert(table, missing)


def _definition(table: Table) -> Row:
    intersects = {r.intersect for t in TABLES.values() for r in t.many_to_many}
    return {
        "MetadataId": metadata_id(table.name),
        "LogicalName": table.name.lower(),
        "SchemaName": table.schema_name,
        "EntitySetName": table.entity_set,
        "LogicalCollectionName": table.entity_set.lower(),
        "CollectionSchemaName": table.entity_set,
        "PrimaryIdAttribute": table.primary_id,
        "PrimaryNameAttribute": table.primary_name,
        "OwnershipType": table.ownership.value,
        "ObjectTypeCode": table.type_code,
        "ChangeTrackingEnabled": table.change_tracking,
        "IsCustomEntity": False,
        "IsIntersect": table.name in intersects,
        "IsManaged": True,
        "IsPrivate": False,
        "IsOptimisticConcurrencyEnabled": table.ownership is not Ownership.NONE,
    }


def _messages() -> list[Row]:
    names = sorted({m for table in TABLES.values() for m in _messages_of(table)})
    return [{"sdkmessageid": _id("message", name), "name": name} for name in names]


def _message_filters() -> list[Row]:
    return [
        {
            "sdkmessagefilterid": _id("filter", table.name, message),
            "primaryobjecttypecode": table.name,
            "secondaryobjecttypecode": "none",
            "_sdkmessageid_value": _id("message", message),
        }
        for table in TABLES.values()
        for message in _messages_of(table)
    ]


def _messages_of(table: Table) -> list[str]:
    allowed = {
        "Create": table.is_creatable,
        "Update": table.is_updatable,
        "Delete": table.is_deletable,
        "Retrieve": True,
        "RetrieveMultiple": True,
    }
    return sorted({name for name, yes in allowed.items() if yes} | table.bulk_messages)


def _privileges() -> list[Row]:
    return [
        {
            "privilegeid": privilege_id(table, verb),
            "name": table.privilege(verb),
            "accessright": 1 << position,
            "canbebasic": table.ownership is Ownership.USER,
            "canbelocal": True,
            "canbedeep": True,
            "canbeglobal": True,
        }
        for table in TABLES.values()
        if table.is_secured
        for position, verb in enumerate(ALL_VERBS)
    ]


def privilege_id(table: Table, verb: str) -> str:
    return _id("privilege", table.privilege(verb))


def _role_privileges() -> list[Row]:
    return [
        {
            "roleprivilegeid": _id("grant", role_id, TABLES[name].privilege(verb)),
            "roleid": role_id,
            "privilegeid": privilege_id(TABLES[name], verb),
        }
        for role_id, grants in GRANTS.items()
        for name, verbs in grants.items()
        for verb in verbs
    ]


def _id(*names: str) -> str:
    return str(uuid5(_NAMESPACE, "/".join(names)))
