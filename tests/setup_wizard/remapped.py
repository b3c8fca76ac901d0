"""Settings of mappings, changed as an administrator would."""

from crmsync.audit.actors import INSTALLATION
from crmsync.mapping import in_force
from crmsync.mapping.overlay import OFF, Change, Setting
from crmsync.sync import services


def off(field: str) -> Change:
    return Change("CUSTOMER", field, Setting.TAKES_PART, OFF)


def of_table(setting: Setting, value: str, mapping: str = "CUSTOMER") -> Change:
    return Change(mapping, "", setting, value)


def way(field: str, direction: str) -> Change:
    return Change("CUSTOMER", field, Setting.DIRECTION, direction)


def held(mapping: str = "CUSTOMER") -> str:
    """The fingerprint of what is changed of the mapping now."""
    return services.shown(one for one in in_force.stored() if one.mapping == mapping)


def change(*wanted: Change, mapping: str = "CUSTOMER") -> None:
    """These are all changes of the mapping from now on."""
    services.change_mapping(mapping=mapping, wanted=wanted, expected=held(mapping), by=INSTALLATION)


def restore() -> None:
    services.restore_default_mappings(expected=services.shown(in_force.stored()), by=INSTALLATION)
