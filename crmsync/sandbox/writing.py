"""Create, update and delete rows, inside one transaction and on behalf of one caller."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from crmsync.sandbox import members, owning
from crmsync.sandbox.bootstrap import ROOT_BUSINESS_UNIT_ID
from crmsync.sandbox.callers import Caller
from crmsync.sandbox.errors import (
    CONCURRENCY_MISMATCH,
    DELETE_RESTRICTED,
    DUPLICATE_RECORD,
    DataverseError,
    does_not_exist,
    not_implemented,
)
from crmsync.sandbox.payloads import Reading, changes, lookup_target
from crmsync.sandbox.rules import Rates, check, check_deletable, derive
from crmsync.sandbox.schema import VERSION_COLUMN, Column, ManyToMany, OnDelete, Table
from crmsync.sandbox.sql import quoted
from crmsync.sandbox.store import Row, Transaction
from crmsync.sandbox.tables import TABLES, references_to

_ASSOCIATION_RIGHTS: Final = {
    "systemuserroles_association": ("role", "Assign"),
    "teamroles_association": ("role", "Assign"),
    "systemuserprofiles_association": ("fieldsecurityprofile", "Write"),
    "teamprofiles_association": ("fieldsecurityprofile", "Write"),
}


@dataclass(slots=True)
class Writer:
    """Writes for one caller in one transaction. `now` is a stored timestamp."""

    transaction: Transaction
    caller: Caller
    now: str
    rates: Rates = field(init=False)
    _known: set[tuple[str, str]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rates = Rates(self.transaction)

    def create(
        self, table: Table, bodies: Sequence[Mapping[str, object]], reading: Reading
    ) -> list[str]:
        """Insert one row for each body and return their ids in order.

        A body may choose its row's id; a taken one is refused with 412 0x80040237.
        """
        if not table.is_creatable:
            raise not_implemented(f"Creating rows of {table.entity_set}")
        self.caller.require(self.transaction, table, "Create")
        rows = [self._born(table, changes(table, body, reading)) for body in bodies]
        self.transaction.insert(table, rows)
        for row in rows:
            members.follow_birth(table, row, self.transaction)
        return [str(row[table.primary_id]) for row in rows]

    def update(
        self, table: Table, row_id: str, body: Mapping[str, object], reading: Reading
    ) -> None:
        """Change the columns of an existing row that `body` sets.

        Raises 404 0x80040217 where the row does not exist.
        """
        if not table.is_updatable:
            raise not_implemented(f"Updating rows of {table.entity_set}")
        self.caller.require(self.transaction, table, "Write")
        before = self.existing(table, row_id)
        changed = changes(table, body, reading)
        changed.pop(table.primary_id, None)
        self.caller.check_columns(self.transaction, table, changed, creating=False)
        self._check_lookups(table, changed)
        after = {**before, **changed}
        if changed.get("statecode", before.get("statecode")) != before.get("statecode"):
            # The old status belongs to the old state: without a new one, the default follows.
            after["statuscode"] = changed.get("statuscode")
        self._default_currency(table, after, changed)
        self._check_owner(table, after, changed)
        check(table, before, after, self.transaction)
        derive(table, after, self.rates)
        after.update(modifiedon=self.now, _modifiedby_value=self.caller.id)
        difference = {name: value for name, value in after.items() if before.get(name) != value}
        difference.pop(VERSION_COLUMN, None)
        self.transaction.update(table, row_id, _only_columns(table, difference))
        if table.name == "systemuser" and "isdisabled" in difference:
            members.check_administrator_left(self.transaction, members.ONLY_ADMINISTRATOR_DISABLED)

    def delete(self, table: Table, row_id: str) -> None:
        """Delete a row, and do to the rows that name it what their lookups say."""
        if not table.is_deletable:
            raise not_implemented(f"Deleting rows of {table.entity_set}")
        self.caller.require(self.transaction, table, "Delete")
        self.remove(table, row_id)

    def remove(self, table: Table, row_id: str) -> None:
        """Delete a row with what hangs on it, whatever the caller may do."""
        self._delete(table, self.existing(table, row_id))

    def associate(self, table: Table, row_id: str, relation: ManyToMany, other_id: str) -> None:
        """Tie two rows together; a pair that is tied already is refused with 412 (a guess)."""
        own, other, other_table = relation.seen_from(table.name)
        self._require_association(relation)
        self.existing(table, row_id)
        self.existing(TABLES[other_table], other_id)
        if self._pair_id(table, row_id, relation, other_id):
            raise DataverseError(412, DUPLICATE_RECORD, "Cannot insert duplicate key.")
        members.check_assignment(relation, {own: row_id, other: other_id}, self.transaction)
        intersect = TABLES[relation.intersect]
        pair: Row = {intersect.primary_id: str(uuid4()), own: row_id, other: other_id}
        self.transaction.insert(intersect, [pair])

    def dissociate(self, table: Table, row_id: str, relation: ManyToMany, other_id: str) -> None:
        self._require_association(relation)
        pair_id = self._pair_id(table, row_id, relation, other_id)
        if pair_id is None:
            raise does_not_exist(relation.intersect, other_id)
        self.transaction.delete(TABLES[relation.intersect], pair_id)
        if relation.intersect in {*members.ROLE_HOLDERS, "teammembership"}:
            members.check_administrator_left(self.transaction, members.ONLY_ADMINISTRATOR_REMOVED)

    def existing(self, table: Table, row_id: str) -> Row:
        row = self.transaction.row(table, row_id)
        if row is None:
            raise does_not_exist(table.name, row_id)
        return row

    def check_version(self, table: Table, row_id: str, etag: str | None) -> None:
        """Refuse with 412 0x80060882 unless the row carries `etag`; `*` fits any row."""
        if etag is None or etag == "*":
            return
        row = self.existing(table, row_id)
        if etag != f'W/"{row[VERSION_COLUMN]}"':
            raise DataverseError(
                412,
                CONCURRENCY_MISMATCH,
                "The version of the existing record doesn't match the RowVersion property "
                "provided.",
            )

    def _born(self, table: Table, given: Row) -> Row:
        self.caller.check_columns(self.transaction, table, given, creating=True)
        self._check_lookups(table, given)
        row = {**table.newborn, **given}
        row.setdefault(table.primary_id, None)
        row[table.primary_id] = row[table.primary_id] or str(uuid4())
        self._default_currency(table, row, given)
        self._default_owner(table, row)
        self._check_owner(table, row, given)
        members.fill_newborn(table, row, self.transaction)
        check(table, None, row, self.transaction)
        derive(table, row, self.rates)
        self._stamp(table, row)
        return row

    def _stamp(self, table: Table, row: Row) -> None:
        if "createdon" in table.by_name:
            # A given overriddencreatedon becomes the creation date (docs: overriddencreatedon).
            row["createdon"] = row.get("overriddencreatedon") or self.now
            row["_createdby_value"] = row["_modifiedby_value"] = self.caller.id
            row["modifiedon"] = self.now

    def _default_owner(self, table: Table, row: Row) -> None:
        if "_ownerid_value" in table.by_name:
            row.setdefault("_owningbusinessunit_value", ROOT_BUSINESS_UNIT_ID)
            if row.get("_ownerid_value") is None:
                column = table.by_name["_ownerid_value"]
                row[column.name], row[str(column.type_column)] = self.caller.id, "systemuser"

    def _check_owner(self, table: Table, row: Row, given: Mapping[str, object]) -> None:
        if not given.get("_ownerid_value"):
            return
        owner = (f"owner of {table.name}", str(row["_ownerid_value"]))
        if owner not in self._known:
            owning.check(table, row, self.transaction)
            self._known.add(owner)

    def _default_currency(self, table: Table, row: Row, given: Mapping[str, object]) -> None:
        gives_money = any(given.get(column.name) is not None for column in table.money)
        if gives_money and "_transactioncurrencyid_value" not in given:
            row["_transactioncurrencyid_value"] = (
                row.get("_transactioncurrencyid_value") or self.rates.base
            )

    def _check_lookups(self, table: Table, given: Row) -> None:
        for name in [name for name in given if name.endswith("_value") and given[name]]:
            column = table.by_name[name]
            if column.targets:
                self._check_lookup(column, given)

    def _check_lookup(self, column: Column, given: Row) -> None:
        target, row_id = lookup_target(column, given), str(given[column.name])
        if (target.name, row_id) in self._known:
            return
        if not self.transaction.exists(target, row_id):
            raise does_not_exist(target.name, row_id)
        self.caller.require(self.transaction, target, "AppendTo")
        self._known.add((target.name, row_id))

    def _delete(self, table: Table, row: Row) -> None:
        row_id = str(row[table.primary_id])
        check_deletable(table, row, self.transaction)
        for other, column in references_to(table):
            self._release(other, column, table, row_id)
        for relation in table.many_to_many:
            self._release_pairs(table, row_id, relation)
        self.transaction.delete(table, row_id)

    def _release(self, other: Table, column: Column, table: Table, row_id: str) -> None:
        where = f"{quoted(column.name)} = ?"
        if column.type_column:
            where += f" AND {quoted(column.type_column)} = {_literal(table.name)}"
        for row in self.transaction.rows(other, where, (row_id,)):
            if column.on_delete is OnDelete.RESTRICT:
                raise DataverseError(
                    405,
                    DELETE_RESTRICTED,
                    "The object you tried to delete is associated with another object and "
                    "cannot be deleted.",
                )
            if column.on_delete is OnDelete.CASCADE:
                self._delete(other, row)
            else:
                self._clear_lookup(other, column, row)

    def _clear_lookup(self, table: Table, column: Column, row: Row) -> None:
        cleared: Row = {column.name: None, "modifiedon": self.now}
        if column.type_column:
            cleared[column.type_column] = None
        self.transaction.update(table, str(row[table.primary_id]), _only_columns(table, cleared))

    def _release_pairs(self, table: Table, row_id: str, relation: ManyToMany) -> None:
        own, _, _ = relation.seen_from(table.name)
        intersect = TABLES[relation.intersect]
        for pair in self.transaction.rows(intersect, f"{quoted(own)} = ?", (row_id,)):
            self.transaction.delete(intersect, str(pair[intersect.primary_id]))

    def _pair_id(
        self, table: Table, row_id: str, relation: ManyToMany, other_id: str
    ) -> str | None:
        own, other, _ = relation.seen_from(table.name)
        intersect = TABLES[relation.intersect]
        where = f"{quoted(own)} = ? AND {quoted(other)} = ?"
        found = self.transaction.rows(intersect, where, (row_id, other_id))
        return str(found[0][intersect.primary_id]) if found else None

    def _require_association(self, relation: ManyToMany) -> None:
        """Giving and taking roles needs the right to assign roles; other ties need Write."""
        table, verb = _ASSOCIATION_RIGHTS.get(relation.navigation, ("team", "Write"))
        self.caller.require(self.transaction, TABLES[table], verb)


def _only_columns(table: Table, values: Mapping[str, object]) -> Row:
    return {name: value for name, value in values.items() if name in table.stored_names}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
