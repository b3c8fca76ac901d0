"""Our solution in Sales as a declaration; what its roles may do follows from the mappings. Pure.

The ids are ours and the same in every environment: a role is known by its id, not by its name.
"""

from collections.abc import Iterable, Iterator
from uuid import UUID

from crmsync.dataverse.solution import (
    NewTable,
    Publisher,
    RolePrivilege,
    Solution,
    SolutionRole,
    TextColumn,
)
from crmsync.mapping.conversions import Lookup
from crmsync.mapping.registry import declared, get_declared
from crmsync.mapping.types import FieldMapping, TableMapping

INTEGRATION_ADMINISTRATOR = UUID("899ecaef-bc6b-43e8-86b3-3f08620c730d")
INTEGRATION_USER = UUID("283f7e7b-38eb-4809-94ac-34410c865507")
PRODUCT_AVAILABILITY_USER = UUID("d085a8aa-d965-477d-9a7b-d0840ba4139c")
# What the integration user holds; the third role is for salespeople.
ROLES_OF_THE_INTEGRATION = (INTEGRATION_ADMINISTRATOR, INTEGRATION_USER)

# Privileges bear the name of the table's schema, and users that of a shorter word.
# Source: Microsoft docs "security roles and privileges", metadata of the service.
_NOUNS = {
    "account": "Account",
    "contact": "Contact",
    "systemuser": "User",
    "transactioncurrency": "TransactionCurrency",
}
# To know where one is: the organization, one's own user and roles, our solution, definitions.
_SURROUNDINGS = (
    *("prvReadOrganization", "prvReadBusinessUnit", "prvReadUser", "prvReadTeam", "prvReadRole"),
    *("prvReadSolution", "prvReadPublisher", "prvReadTransactionCurrency"),
    *("prvReadEntity", "prvReadAttribute", "prvReadOptionSet", "prvReadRelationship"),
    # Which secured columns it may read.
    *("prvReadFieldSecurityProfile", "prvReadFieldPermission"),
)
# Whom a row may be given to.
_OWNERS = ("prvReadUser", "prvAppendToUser", "prvReadTeam", "prvAppendToTeam")

CONNECTION_TABLE = NewTable(
    name="csy_connection",
    display_name="Financials Connection",
    plural_name="Financials Connections",
    entity_set="csy_connections",
    primary_column=TextColumn("csy_name", "Name", 100),
    columns=(
        TextColumn("csy_ledgerurl", "Financials URL", 400),
        TextColumn("csy_availabilityurl", "Item Availability URL", 400),
    ),
)


def privileges_of(mapping: TableMapping) -> frozenset[str]:
    """What must be allowed to exchange a table, as far as its declaration goes."""
    written = [mapped for mapped in mapping.fields if mapped.direction.writes_crm]
    lookups = [mapped for mapped in written if isinstance(mapped.conversion, Lookup)]
    verbs = {"Read"}
    if written:
        verbs.add("Write")
    if mapping.creates_in_crm:
        verbs.add("Create")
    if lookups:
        verbs.add("Append")
    if mapping.crm_owner:
        verbs.add("Assign")
    own = {_privilege(verb, mapping) for verb in verbs}
    owners = _OWNERS if mapping.crm_owner else ()
    return frozenset(own).union(owners, *(_of_lookup(mapped) for mapped in lookups))


def read_privilege(mapping: TableMapping) -> str:
    """What whoever owns rows of the table must be allowed, so that Sales takes them as owner."""
    return _privilege("Read", mapping)


def _of_lookup(mapped: FieldMapping) -> Iterator[str]:
    """What must be allowed on the table that a written lookup points to."""
    if isinstance(mapped.conversion, Lookup):
        parent = get_declared(mapped.conversion.parent)
        yield from (_privilege(verb, parent) for verb in ("Read", "AppendTo"))


def _privilege(verb: str, mapping: TableMapping) -> str:
    return f"prv{verb}{_NOUNS[mapping.crm.logical_name]}"


def _role(role_id: UUID, name: str, privileges: Iterable[str]) -> SolutionRole:
    return SolutionRole(role_id, name, tuple(RolePrivilege(one) for one in sorted(set(privileges))))


def _on_connections(*verbs: str) -> Iterator[str]:
    return (f"prv{verb}{CONNECTION_TABLE.name}" for verb in verbs)


def _solution() -> Solution:
    data = frozenset[str]().union(*(privileges_of(mapping) for mapping in declared()))
    return Solution(
        unique_name="crmsync",
        friendly_name="crmsync Integration",
        version=(1, 0, 0, 0),
        publisher=Publisher("crmsync", "crmsync", "csy", 23450),
        roles=(
            _role(
                INTEGRATION_ADMINISTRATOR,
                "crmsync Integration Administrator",
                (*_SURROUNDINGS, *_on_connections("Create", "Read", "Write")),
            ),
            _role(INTEGRATION_USER, "crmsync Integration User", data),
            _role(
                PRODUCT_AVAILABILITY_USER,
                "crmsync Product Availability User",
                _on_connections("Read"),
            ),
        ),
        tables=(CONNECTION_TABLE,),
    )


SOLUTION = _solution()


def needed_privileges() -> tuple[RolePrivilege, ...]:
    """Everything that the integration user must be allowed, by its two roles together."""
    roles = [role for role in SOLUTION.roles if role.role_id in ROLES_OF_THE_INTEGRATION]
    found = {privilege.name: privilege for role in roles for privilege in role.privileges}
    return tuple(found[name] for name in sorted(found))
