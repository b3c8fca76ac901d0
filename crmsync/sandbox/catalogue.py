"""Rows that follow from the table declarations: definitions, privileges, supported messages.

They are brought up to date whenever a data file is opened, so that tables added by a newer
version of the sandbox are known in an older file.
"""

from collections.abc import Iterable
from typing import Final
from uuid import UUID, uuid5

from crmsync.sandbox.rights import ALL_VERBS, GRANTS, NAMED_GRANTS, NAMED_PRIVILEGES
from crmsync.sandbox.schema import Ownership, Table
from crmsync.sandbox.sql import quoted
from crmsync.sandbox.store import Row, Transaction, among, value_list
from crmsync.sandbox.tables import TABLES

GLOBAL: Final = 3

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
    tables = tuple(transaction.schema.tables.values())
    for name, rows in (
        ("EntityMetadata", [_definition(table) for table in tables]),
        ("sdkmessage", _messages(tables)),
        ("sdkmessagefilter", _message_filters(tables)),
        ("privilege", _privileges(tables)),
        ("roleprivileges", _role_privileges()),
    ):
        table = TABLES[name]
        present = {row[table.primary_id] for row in transaction.rows(table)}
        missing = [row for row in rows if row[table.primary_id] not in present]
        if missing:
            transaction.insert(table, missing)


def withdraw(transaction: Transaction, table: Table) -> None:
    """Delete the catalogue rows of a table that is about to go."""
    privileges = [privilege_id(table.privilege(verb)) for verb in ALL_VERBS]
    messages = [_id("filter", table.name, message) for message in _messages_of(table)]
    for name, column, ids in (
        ("EntityMetadata", "MetadataId", [metadata_id(table.name)]),
        ("sdkmessagefilter", "sdkmessagefilterid", messages),
        ("roleprivileges", "privilegeid", privileges),
        ("privilege", "privilegeid", privileges),
    ):
        catalogue = TABLES[name]
        for row in transaction.rows(catalogue, among(quoted(column)), (value_list(ids),)):
            transaction.delete(catalogue, str(row[catalogue.primary_id]))


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
        "IsCustomEntity": table.is_custom,
        "IsIntersect": table.name in intersects,
        "IsManaged": True,
        "IsPrivate": False,
        "IsOptimisticConcurrencyEnabled": table.ownership is not Ownership.NONE,
    }


def _messages(tables: Iterable[Table]) -> list[Row]:
    names = sorted({m for table in tables for m in _messages_of(table)})
    return [{"sdkmessageid": _id("message", name), "name": name} for name in names]


def _message_filters(tables: Iterable[Table]) -> list[Row]:
    return [
        {
            "sdkmessagefilterid": _id("filter", table.name, message),
            "primaryobjecttypecode": table.name,
            "secondaryobjecttypecode": "none",
            "_sdkmessageid_value": _id("message", message),
        }
        for table in tables
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


def _privileges(tables: Iterable[Table]) -> list[Row]:
    found = {
        table.privilege(verb): _privilege(table.privilege(verb), table.ownership, 1 << position)
        for table in tables
        if table.is_secured
        for position, verb in enumerate(ALL_VERBS)
    }
    named = [_privilege(name, Ownership.NONE, 0) for name in NAMED_PRIVILEGES]
    return [*found.values(), *named]


def _privilege(name: str, ownership: Ownership, right: int) -> Row:
    """Rows without an owner are granted for the whole organization or not at all."""
    is_owned = ownership is Ownership.USER
    return {
        "privilegeid": privilege_id(name),
        "name": name,
        "accessright": right,
        "canbebasic": is_owned,
        "canbelocal": is_owned,
        "canbedeep": is_owned,
        "canbeglobal": True,
    }


def privilege_id(name: str) -> str:
    return _id("privilege", name)


def granted(role_id: str, privilege: str, *, depth: int) -> Row:
    """Make the row that gives a role a privilege; `depth` is 0 (user) to 3 (organization)."""
    return {
        "roleprivilegeid": _id("grant", role_id, privilege),
        "roleid": role_id,
        "privilegeid": privilege_id(privilege),
        "privilegedepthmask": 1 << depth,
    }


def _role_privileges() -> list[Row]:
    by_table = [
        granted(role_id, TABLES[name].privilege(verb), depth=GLOBAL)
        for role_id, grants in GRANTS.items()
        for name, verbs in grants.items()
        for verb in verbs
    ]
    by_name = [
        granted(role_id, name, depth=GLOBAL)
        for role_id, names in NAMED_GRANTS.items()
        for name in names
    ]
    return [*by_table, *by_name]


def _id(*names: str) -> str:
    return str(uuid5(_NAMESPACE, "/".join(names)))
