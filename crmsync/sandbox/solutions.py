"""Carry out the import of a solution and its removal, each in one transaction."""

from collections.abc import Iterable
from typing import Final
from uuid import uuid4

from crmsync.sandbox import members
from crmsync.sandbox.added import FIRST_CUSTOM_TYPE_CODE, AddedColumn, AddedTable
from crmsync.sandbox.bootstrap import ORGANIZATION_ID, ROOT_BUSINESS_UNIT_ID
from crmsync.sandbox.catalogue import bring_up_to_date, granted, metadata_id, withdraw
from crmsync.sandbox.errors import bad_request
from crmsync.sandbox.schema import Ownership, Table
from crmsync.sandbox.solution_files import (
    ENTITY,
    FAILED,
    INVALID_XML,
    ROLE,
    AttributeFile,
    BadSolutionError,
    EntityFile,
    PublisherFile,
    RoleFile,
    SolutionFile,
    version_key,
)
from crmsync.sandbox.store import Row, Snapshot
from crmsync.sandbox.tables import TABLES
from crmsync.sandbox.tables.declare import owner_columns, standard_columns
from crmsync.sandbox.writing import Writer

MANAGED_OVER_UNMANAGED: Final = "0x80048040"
UNMANAGED_OVER_MANAGED: Final = "0x80048041"
ATTRIBUTE: Final = 2
_KINDS: Final = {
    "nvarchar": "TEXT",
    "ntext": "TEXT",
    "int": "INTEGER",
    "bit": "BOOLEAN",
    "datetime": "DATE_TIME",
    "decimal": "DECIMAL",
    "uniqueidentifier": "GUID",
}
# What every table gets besides the columns that it lists.
_STANDARD: Final = frozenset(
    {
        *(column.attribute_name for column in (*standard_columns(), *owner_columns())),
        "statecode",
        "statuscode",
        "organizationid",
        "timezoneruleversionnumber",
        "utcconversiontimezonecode",
    }
)
_SOLUTION: Final = TABLES["solution"]
_COMPONENT: Final = TABLES["solutioncomponent"]


def installed(snapshot: Snapshot, unique_name: str) -> Row | None:
    """Return the row of an installed solution; names ignore case."""
    found = snapshot.rows(_SOLUTION, "uniquename = ? COLLATE NOCASE", (unique_name,))
    return found[0] if found else None


def install(writer: Writer, solution: SolutionFile) -> str:
    """Bring everything of a solution into being, or up to date; return the solution's id.

    Raises BadSolutionError; then nothing of the transaction may be kept.
    """
    present = installed(writer.transaction, solution.unique_name)
    if present:
        _check_replaceable(present, solution)
    publisher_id = _publish(writer, solution.publisher)
    solution_id = _register(writer, solution, publisher_id, present)
    for entity in solution.entities:
        _add_entity(writer, solution_id, entity)
    bring_up_to_date(writer.transaction)
    for role in solution.roles:
        _add_role(writer, solution_id, role, is_managed=solution.is_managed)
    return solution_id


def uninstall(writer: Writer, solution_id: str) -> None:
    """Remove a solution with all it brought: roles, columns, and tables with their rows."""
    transaction = writer.transaction
    writer.caller.require(transaction, _SOLUTION, "Delete")
    solution = writer.existing(_SOLUTION, solution_id)
    if solution["uniquename"] in {"Default", "Active"}:
        raise bad_request("0x80048021", "The default solution cannot be deleted.")
    if solution["ismanaged"]:
        for part in transaction.rows(_COMPONENT, "_solutionid_value = ?", (solution_id,)):
            _remove(writer, part)
    transaction.delete(_SOLUTION, solution_id)
    for part in transaction.rows(_COMPONENT, "_solutionid_value = ?", (solution_id,)):
        transaction.delete(_COMPONENT, str(part["solutioncomponentid"]))


def _check_replaceable(present: Row, solution: SolutionFile) -> None:
    """Refuse a change of managed state and, as a guess, an older version."""
    if bool(present["ismanaged"]) != solution.is_managed:
        raise BadSolutionError(
            UNMANAGED_OVER_MANAGED if present["ismanaged"] else MANAGED_OVER_UNMANAGED,
            "The solution is already installed on this system as "
            f"{'a managed' if present['ismanaged'] else 'an unmanaged'} solution.",
        )
    if version_key(solution.version) < version_key(present["version"]):
        raise BadSolutionError(
            FAILED,
            f"The solution {solution.unique_name} is installed in the newer version "
            f"{present['version']}.",
        )


def _publish(writer: Writer, publisher: PublisherFile) -> str:
    table = TABLES["publisher"]
    values: Row = {
        "friendlyname": publisher.friendly_name,
        "customizationprefix": publisher.prefix,
        "customizationoptionvalueprefix": publisher.option_prefix,
        "modifiedon": writer.now,
    }
    found = writer.transaction.rows(
        table, "uniquename = ? COLLATE NOCASE", (publisher.unique_name,)
    )
    if found:
        writer.transaction.update(table, str(found[0]["publisherid"]), values)
        return str(found[0]["publisherid"])
    row = {"uniquename": publisher.unique_name, "_organizationid_value": ORGANIZATION_ID}
    return _insert(writer, table, {**values, **row})


def _register(
    writer: Writer, solution: SolutionFile, publisher_id: str, present: Row | None
) -> str:
    values: Row = {
        "friendlyname": solution.friendly_name,
        "version": solution.version,
        "solutionpackageversion": solution.package_version,
        "_publisherid_value": publisher_id,
        "updatedon": writer.now,
        "modifiedon": writer.now,
    }
    if present:
        writer.transaction.update(_SOLUTION, str(present["solutionid"]), values)
        return str(present["solutionid"])
    row: Row = {
        "uniquename": solution.unique_name,
        "ismanaged": solution.is_managed,
        "installedon": writer.now,
        "_organizationid_value": ORGANIZATION_ID,
    }
    return _insert(writer, _SOLUTION, {**values, **row})


def _add_entity(writer: Writer, solution_id: str, entity: EntityFile) -> None:
    transaction = writer.transaction
    name = entity.name.lower()
    known = transaction.schema.tables.get(name)
    added = tuple(_column(attribute) for attribute in entity.attributes if _is_own(attribute, name))
    if known is None:
        if entity.is_known:
            raise BadSolutionError(FAILED, f"The entity '{name}' does not exist.")
        table = _new_table(transaction.schema.tables.values(), entity, added)
        transaction.set_added(transaction.added.with_table(table))
        _own(writer, solution_id, ENTITY, metadata_id(name))
        return
    transaction.set_added(transaction.added.with_columns(name, added))
    if not known.is_custom:
        for column in added:
            _own(writer, solution_id, ATTRIBUTE, metadata_id(name, column.name))


def _is_own(attribute: AttributeFile, table: str) -> bool:
    """Say whether an attribute is a column to add, not one that comes by itself or is there."""
    built_in = TABLES.get(table)
    standing = {column.attribute_name for column in built_in.columns} if built_in else _STANDARD
    return attribute.type != "primarykey" and attribute.name not in standing


def _column(attribute: AttributeFile) -> AddedColumn:
    if attribute.type not in _KINDS:
        raise BadSolutionError(
            INVALID_XML,
            f"Columns of the type '{attribute.type}' are not implemented by this sandbox.",
        )
    return AddedColumn(
        name=attribute.name,
        kind=_KINDS[attribute.type],
        length=attribute.length,
        required=attribute.is_required,
    )


def _new_table(
    tables: Iterable[Table], entity: EntityFile, columns: tuple[AddedColumn, ...]
) -> AddedTable:
    name = entity.name.lower()
    primary = [a.name for a in entity.attributes if a.is_primary_name]
    texts = [column.name for column in columns if column.kind == "TEXT"]
    if not texts:
        raise BadSolutionError(FAILED, f"The entity '{name}' has no primary name.")
    ownership = Ownership.USER if entity.is_user_owned else Ownership.ORGANIZATION
    highest = max(table.type_code for table in tables)
    return AddedTable(
        name=name,
        schema_name=entity.name,
        display_name=entity.display_name,
        entity_set=entity.entity_set or f"{name}s",
        primary_name=(primary or texts)[0],
        ownership=ownership.value,
        type_code=max(highest + 1, FIRST_CUSTOM_TYPE_CODE),
        columns=columns,
    )


def _add_role(writer: Writer, solution_id: str, role: RoleFile, *, is_managed: bool) -> None:
    """Make a role in the root business unit, or bring an earlier import of it up to date."""
    table, transaction = TABLES["role"], writer.transaction
    if transaction.exists(table, role.id):
        for row in transaction.rows(table, "_parentrootroleid_value = ?", (role.id,)):
            transaction.update(table, str(row["roleid"]), {"name": role.name})
    else:
        row = {**table.newborn, "roleid": role.id, "name": role.name, "ismanaged": is_managed}
        where = {"_businessunitid_value": ROOT_BUSINESS_UNIT_ID, "organizationid": ORGANIZATION_ID}
        members.add_role(transaction, {**row, **where, **_authorship(writer)})
    _grant(writer, role)
    _own(writer, solution_id, ROLE, role.id)


def _grant(writer: Writer, role: RoleFile) -> None:
    """Give a role exactly the privileges of its file."""
    table, transaction = TABLES["roleprivileges"], writer.transaction
    for row in transaction.rows(table, "roleid = ?", (role.id,)):
        transaction.delete(table, str(row["roleprivilegeid"]))
    sql = "SELECT name FROM privilege WHERE name = ? COLLATE NOCASE"
    rows = []
    for wanted, depth in role.privileges:
        found = transaction.one(sql, (wanted,))
        if found is None:
            raise BadSolutionError(
                FAILED, f"The role '{role.name}' has an unknown privilege: '{wanted}'."
            )
        rows.append(granted(role.id, str(found[0]), depth=depth))
    if rows:
        transaction.insert(table, rows)


def _own(writer: Writer, solution_id: str, kind: int, object_id: str) -> None:
    """Remember that a solution brought a component."""
    where = "_solutionid_value = ? AND objectid = ?"
    if not writer.transaction.rows(_COMPONENT, where, (solution_id, object_id)):
        part: Row = {"componenttype": kind, "objectid": object_id, "rootcomponentbehavior": 0}
        part.update(solutioncomponentid=str(uuid4()), _solutionid_value=solution_id)
        writer.transaction.insert(_COMPONENT, [part])


def _remove(writer: Writer, part: Row) -> None:
    transaction, object_id = writer.transaction, str(part["objectid"])
    if part["componenttype"] == ROLE:
        # The copies in other business units and everybody's hold on the role go with it.
        if transaction.exists(TABLES["role"], object_id):
            writer.remove(TABLES["role"], object_id)
        for row in transaction.rows(TABLES["roleprivileges"], "roleid = ?", (object_id,)):
            transaction.delete(TABLES["roleprivileges"], str(row["roleprivilegeid"]))
        return
    for table in tuple(transaction.schema.tables.values()):
        if table.is_custom and metadata_id(table.name) == object_id:
            withdraw(transaction, table)
            transaction.set_added(transaction.added.without_table(table.name))
        for column in transaction.added.columns.get(table.name, ()):
            if metadata_id(table.name, column.name) == object_id:
                transaction.set_added(transaction.added.without_column(table.name, column.name))


def _insert(writer: Writer, table: Table, values: Row) -> str:
    row = {**table.newborn, table.primary_id: str(uuid4()), **values, **_authorship(writer)}
    writer.transaction.insert(table, [row])
    return str(row[table.primary_id])


def _authorship(writer: Writer) -> Row:
    return {
        "createdon": writer.now,
        "modifiedon": writer.now,
        "_createdby_value": writer.caller.id,
        "_modifiedby_value": writer.caller.id,
    }
