"""How any door asks for effects on records; every service takes ids and keywords."""

from crmsync.sync.refusals import (
    NotTheValuesShown,
    ReasonMissing,
    UnableToCouple,
    UnableToSettle,
    UnableToUncouple,
)
from crmsync.sync.services.connecting import forget_sales, leave_sales, look_at_tracking_again
from crmsync.sync.services.coupling import CoupledMany, RefusedPair, couple, couple_many
from crmsync.sync.services.excluding import leave_out, say_not_the_same, take_back_in
from crmsync.sync.services.remapping import change_mapping, restore_default_mappings, shown
from crmsync.sync.services.settling import fingerprint, settle_conflict
from crmsync.sync.services.uncoupling import (
    RefusedRemoval,
    RemovedMany,
    remove_coupling,
    remove_couplings,
    restore_coupling,
)

__all__ = [
    "CoupledMany",
    "NotTheValuesShown",
    "ReasonMissing",
    "RefusedPair",
    "RefusedRemoval",
    "RemovedMany",
    "UnableToCouple",
    "UnableToSettle",
    "UnableToUncouple",
    "change_mapping",
    "couple",
    "couple_many",
    "fingerprint",
    "forget_sales",
    "leave_out",
    "leave_sales",
    "look_at_tracking_again",
    "remove_coupling",
    "remove_couplings",
    "restore_coupling",
    "restore_default_mappings",
    "say_not_the_same",
    "settle_conflict",
    "shown",
    "take_back_in",
]
