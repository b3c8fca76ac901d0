"""Every address of the product: who may look, who may change something, and how it is reached.

The table is held against the URL configuration: an address without an entry fails a test, and so
does an entry without an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.urls import URLPattern, URLResolver, get_resolver, reverse

from crmsync.frame.people import Role

ADMINISTRATORS, ACCOUNTANTS, OPERATIONS = Role.ADMINISTRATORS, Role.ACCOUNTANTS, Role.OPERATIONS
EVERYBODY = frozenset(Role)
ANYBODY = None  # also people who have not signed in


@dataclass(frozen=True, slots=True)
class Address:
    """``look`` may GET, ``change`` may POST; None is anybody. ``shown``: a whole page by GET."""

    look: frozenset[Role] | None
    change: frozenset[Role] | None
    kwargs: Mapping[str, str] = field(default_factory=dict)
    shown: bool = True


def roles(*names: Role) -> frozenset[Role]:
    return frozenset(names)


SET_UP = roles(ADMINISTRATORS)
COUPLE = roles(ADMINISTRATORS, ACCOUNTANTS)
OPERATE = roles(ADMINISTRATORS, OPERATIONS)
BOTH = EVERYBODY
CUSTOMER = {"mapping": "CUSTOMER"}
NOBODY = {"user_id": "0"}
NO_ID = "00000000-0000-4000-8000-000000000000"
RECORD = {"mapping": "CUSTOMER", "record_id": NO_ID}

ADDRESSES: dict[str, Address] = {
    "health": Address(ANYBODY, ANYBODY, shown=False),
    "frame:home": Address(EVERYBODY, EVERYBODY),
    "frame:sign-in": Address(ANYBODY, ANYBODY),
    "frame:sign-out": Address(ANYBODY, ANYBODY, shown=False),
    "frame:password": Address(EVERYBODY, EVERYBODY),
    "frame:language": Address(ANYBODY, ANYBODY, shown=False),
    "frame:company": Address(EVERYBODY, SET_UP),
    "frame:people": Address(SET_UP, SET_UP),
    "frame:add-person": Address(SET_UP, SET_UP),
    "frame:person": Address(SET_UP, SET_UP, NOBODY),
    "frame:change-group": Address(SET_UP, SET_UP, NOBODY, shown=False),
    "frame:disable-person": Address(SET_UP, SET_UP, NOBODY, shown=False),
    "frame:enable-person": Address(SET_UP, SET_UP, NOBODY, shown=False),
    "frame:reset-password": Address(SET_UP, SET_UP, NOBODY, shown=False),
    "frame:change-key": Address(SET_UP, SET_UP, NOBODY, shown=False),
    "frame:audit": Address(SET_UP, SET_UP),
    "frame:audit-export": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:start": Address(SET_UP, SET_UP),
    "setup_wizard:cancel": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:finish": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:done": Address(SET_UP, SET_UP),
    "setup_wizard:signed-in": Address(SET_UP, SET_UP),
    "setup_wizard:mappings": Address(SET_UP, SET_UP),
    "setup_wizard:mapping": Address(SET_UP, SET_UP, CUSTOMER),
    "setup_wizard:default-mappings": Address(SET_UP, SET_UP),
    "setup_wizard:connection": Address(SET_UP, SET_UP),
    "setup_wizard:connection-status": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:test-connection": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:enable": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:disable": Address(SET_UP, SET_UP),
    "setup_wizard:credentials": Address(SET_UP, SET_UP),
    "setup_wizard:rotate-keys": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:redeploy": Address(SET_UP, SET_UP, shown=False),
    "setup_wizard:reset": Address(SET_UP, SET_UP),
    "setup_wizard:step": Address(SET_UP, SET_UP, {"step": "environment"}),
    "coupling:list": Address(EVERYBODY, BOTH, CUSTOMER),
    "coupling:synchronize": Address(EVERYBODY, BOTH, CUSTOMER, shown=False),
    "coupling:uncouple-many": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:undo": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:leave-out": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:take-back-in": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:match": Address(EVERYBODY, COUPLE, CUSTOMER),
    "coupling:match-state": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:match-find": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:match-decide": Address(EVERYBODY, COUPLE, CUSTOMER, shown=False),
    "coupling:match-criteria": Address(EVERYBODY, COUPLE, CUSTOMER),
    "coupling:card": Address(EVERYBODY, COUPLE, RECORD),
    "coupling:log": Address(EVERYBODY, COUPLE, RECORD),
    "coupling:uncouple": Address(EVERYBODY, COUPLE, RECORD, shown=False),
    "coupling:accept": Address(EVERYBODY, COUPLE, RECORD, shown=False),
    "coupling:couple": Address(EVERYBODY, COUPLE, RECORD),
    "coupling:create": Address(EVERYBODY, COUPLE, RECORD, shown=False),
    "coupling:read": Address(EVERYBODY, COUPLE, RECORD, shown=False),
    "coupling:result": Address(EVERYBODY, COUPLE, {**RECORD, "job_id": "1"}),
    "fullsync:review": Address(EVERYBODY, OPERATE),
    "fullsync:start": Address(EVERYBODY, OPERATE, shown=False),
    "fullsync:restart": Address(EVERYBODY, OPERATE, shown=False),
    "fullsync:reset": Address(EVERYBODY, OPERATE, shown=False),
    "fullsync:cancel": Address(EVERYBODY, OPERATE, shown=False),
    "fullsync:runs": Address(EVERYBODY, OPERATE),
    "fullsync:run": Address(EVERYBODY, OPERATE, {"run_id": "1"}),
    "fullsync:side-by-side": Address(EVERYBODY, OPERATE, {"run_id": "1"}),
    "fullsync:jobs": Address(EVERYBODY, OPERATE),
    "fullsync:job": Address(EVERYBODY, OPERATE, {"job_id": "1"}),
    "fullsync:cancel-job": Address(EVERYBODY, OPERATE, {"job_id": "1"}, shown=False),
    "fullsync:records": Address(EVERYBODY, OPERATE, {"job_id": "1", "way": "to-crm"}),
    "fullsync:errors": Address(EVERYBODY, BOTH),
    "fullsync:search": Address(EVERYBODY, BOTH),
    "fullsync:retry": Address(EVERYBODY, BOTH, shown=False),
    "fullsync:retry-cause": Address(EVERYBODY, BOTH, shown=False),
    "fullsync:settle-ledger": Address(EVERYBODY, COUPLE, shown=False),
    "fullsync:settle-crm": Address(EVERYBODY, COUPLE, shown=False),
    "fullsync:leave-out": Address(EVERYBODY, COUPLE, shown=False),
    "fullsync:uncouple": Address(EVERYBODY, COUPLE, shown=False),
    "fullsync:undo": Address(EVERYBODY, COUPLE, shown=False),
}


def url_names() -> list[str]:
    """Every name in the URL configuration, with its namespace."""
    return sorted(_names(get_resolver().url_patterns, ""))


def _names(patterns: list[URLPattern | URLResolver], prefix: str) -> list[str]:
    found: list[str] = []
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            found += _names(pattern.url_patterns, prefix + space)
        else:
            found.append(f"{prefix}{pattern.name}")
    return found


def url(name: str) -> str:
    return reverse(name, kwargs=dict(ADDRESSES[name].kwargs))
