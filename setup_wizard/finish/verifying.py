"""The acts as the integration user: what was stored opens, signs in and may do its work."""

from collections.abc import Iterator
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from crmsync.connections import services as connections
from crmsync.connections.errors import SecretUnreadable
from crmsync.dataverse import administration, odata, roles
from crmsync.dataverse.client import Client
from crmsync.ledger.queries import get_company
from crmsync.mapping.registry import all_mappings
from crmsync.mapping.types import TableMapping
from setup_wizard.errors import SetupProblem
from setup_wizard.finish import connecting
from setup_wizard.finish.plan import ActName, Memory, Plan, now
from setup_wizard.guide.asking import asked_as
from setup_wizard.integration_solution import CONNECTION_TABLE, needed_privileges

# The one row in Sales that says where these books are: the same from whichever setup.
CONNECTION_ROW = UUID("6d588e6a-97bc-412d-bf4e-89396ea1b308")
_LONGEST_NAME = 100
_LONGEST_ADDRESS = 400


def verify(plan: Plan, memory: Memory) -> bool:
    """Signed in with what is stored: the right user and organization, tables and privileges."""
    client = _client(plan, memory)
    _check_identity(client, memory)
    captions = [_read(client, mapping) for mapping in _mappings(plan)]
    _check_privileges(client, memory.user_id)
    memory.keep(ActName.VERIFIED, tables=captions, at=now().isoformat())
    return True


def _client(plan: Plan, memory: Memory) -> Client:
    stored = connecting.pending(plan, memory)
    try:
        tokens = connections.stored_tokens(stored)
    except SecretUnreadable as error:
        raise SetupProblem(str(error), field="", remedy=str(error.remedy)) from error
    return connections.new_client(origin=stored.origin, tokens=tokens)


def _check_identity(client: Client, memory: Memory) -> None:
    caller = asked_as("integration-user", lambda: administration.who_am_i(client))
    expected = memory.of(ActName.STORED)["organization_id"]
    if str(caller.organization_id) != expected or caller.user_id != memory.user_id:
        raise SetupProblem(
            _("Another user or organization answers than the one that was set up."),
            field="",
            remedy=_("Go back to the step Integration user, and look at what is named there."),
        )


def _mappings(plan: Plan) -> Iterator[TableMapping]:
    return (mapping for mapping in all_mappings() if mapping.scope in plan.scopes)


def _read(client: Client, mapping: TableMapping) -> str:
    """Read a row with every column that synchronization reads; returns the table's name there."""
    asked_as(
        "integration-user",
        lambda: client.first_page(mapping.crm, columns=mapping.crm_columns, page_size=1),
    )
    return mapping.crm.logical_name


def _check_privileges(client: Client, user_id: UUID) -> None:
    missing = asked_as(
        "integration-user",
        lambda: roles.missing_privileges(client, user_id, needed_privileges()),
    )
    if missing:
        raise SetupProblem(
            _("The integration user lacks these privileges in Sales: %(names)s.")
            % {"names": ", ".join(privilege.name for privilege in missing)},
            field="",
            remedy=_(
                "Roles that were just given may take a minute. If it stays so, restore the roles "
                "of the solution crmsync in Sales, then try again."
            ),
        )


def tell_address(plan: Plan, memory: Memory) -> bool:
    """Sales knows where people open these books; left out where nobody knows the address."""
    address = plan.address[:_LONGEST_ADDRESS]
    if address:
        company = get_company()
        row = {
            "csy_name": (company.name if company else "Financials")[:_LONGEST_NAME],
            "csy_ledgerurl": address,
        }
        asked_as("integration-user", lambda: _write(plan.acting, row))
    memory.keep(ActName.ADDRESS, address=address)
    return True


def _write(client: Client, row: dict[str, str]) -> None:
    # A PATCH without a condition creates the row or changes it (Microsoft docs: "upsert").
    client.channel.send(
        "PATCH",
        odata.row_path(CONNECTION_TABLE.entity_set, CONNECTION_ROW),
        headers={"Content-Type": "application/json; charset=utf-8"},
        body=orjson.dumps(row),
    )
