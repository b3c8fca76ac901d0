"""The finish as a list of acts, in order. A new one is a function and a line here."""

from collections.abc import Mapping

from setup_wizard.finish.connecting import add_counterpart, enable, store
from setup_wizard.finish.importing import import_solution
from setup_wizard.finish.plan import Act, ActName
from setup_wizard.finish.preparing import give_roles, ready_user, switch_tracking_on
from setup_wizard.finish.verifying import tell_address, verify

ACTS: Mapping[ActName, Act] = {
    ActName.SOLUTION: import_solution,
    ActName.USER: ready_user,
    ActName.ROLES: give_roles,
    ActName.TRACKING: switch_tracking_on,
    ActName.STORED: store,
    ActName.VERIFIED: verify,
    ActName.ADDRESS: tell_address,
    ActName.COUNTERPART: add_counterpart,
    # The last: with it the setup ends, and everything that was sealed goes.
    ActName.ENABLED: enable,
}
