"""The end of the assisted setup: everything is checked once more, then stored at once."""

from django.db import transaction

from crmsync.connections.models import Connection
from crmsync.ledger.queries import get_company
from crmsync.terms import Scope
from setup_wizard import preflight, progress, services
from setup_wizard.errors import SetupProblem
from setup_wizard.preflight import IntegrationUser
from setup_wizard.progress import Draft
from setup_wizard.services import Connected
from setup_wizard.steps import SecretName, StepName


def finish(*, user_id: int, key: bytes, revision: int, by: str) -> Connected:
    """Connect with the answers of this revision; of several finishes at once, one does it.

    The sealed secrets are gone afterwards. After a SetupProblem nothing is stored, and the person
    can go on. Raises AlreadyFinishing and NotTheAnswersShown besides.
    """
    draft = progress.claim(user_id=user_id, key=key, revision=revision)
    try:
        return _connect(draft, by)
    except SetupProblem:
        progress.release(user_id=user_id)
        raise


def _connect(draft: Draft, by: str) -> Connected:
    if obstacle := preflight.company_obstacle(get_company()):
        raise obstacle
    answers = draft.answers[StepName.ENVIRONMENT]
    environment = preflight.check_environment(**answers)
    prepared = preflight.check_administrator(environment=environment, token=draft.token)
    integration_user = _integration_user(draft)
    user = preflight.check_integration_user(
        environment=environment,
        token=draft.token,
        administrator_id=prepared.user_id,
        integration_user=integration_user,
    )
    with transaction.atomic():
        progress.consume(user_id=draft.user_id, revision=draft.revision)
        return services.store(
            environment=environment,
            prepared=prepared,
            integration_user=integration_user,
            user=user,
            scopes=[Scope(value) for value in draft.answers[StepName.TABLES]["scopes"]],
            by=by,
        )


def _integration_user(draft: Draft) -> IntegrationUser:
    answers = draft.answers[StepName.INTEGRATION_USER]
    kind = Connection.IdentityKind(answers["kind"])
    is_application = kind == Connection.IdentityKind.APPLICATION
    name = answers["application" if is_application else "username"]
    return IntegrationUser(kind, name, draft.secrets[SecretName.SECRET])
