"""Redeploy Integration Solution: the guide does it, with a mark that importing is wanted."""

from django.db import transaction
from django.utils.translation import gettext as _

from crmsync.audit import services as audit
from crmsync.audit.actors import Actor
from crmsync.audit.acts import Act
from setup_wizard.connection_setup.switching import present, subject
from setup_wizard.errors import SetupProblem
from setup_wizard.guide import progress, steps
from setup_wizard.guide.steps import StepName


def begin(*, by: Actor) -> StepName:
    """Begin the guide from the present connection; returns the step to go on with.

    A setup that the person has begun already goes on, and imports the solution, too. Raises
    SetupProblem where nothing is connected.
    """
    connection = present()
    if connection is None or by.user_id is None:
        raise SetupProblem(
            _("This installation is not connected to Sales yet."),
            field="",
            remedy=_("Connect with Assisted Setup: it imports the solution."),
        )
    with transaction.atomic():
        if progress.redeploy(user_id=by.user_id):
            audit.record(act=Act.REDEPLOYMENT_BEGUN, by=by, subject=subject(connection))
    draft = progress.look(user_id=by.user_id, key=None)
    return steps.first_open(draft.done)
