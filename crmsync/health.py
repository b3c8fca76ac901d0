"""Is everything well? Each check says what it saw, and what to do when it is not."""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from kombu.exceptions import KombuError, OperationalError

from crmsync.celery import app
from crmsync.connections import services as connections
from crmsync.connections.errors import ConnectionProblem
from crmsync.dataverse import administration
from crmsync.dataverse.errors import DataverseError
from crmsync.frame.access import anybody
from crmsync.ledger.queries import get_company


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    is_well: bool
    saw: str
    remedy: str = ""


def run_checks() -> list[Check]:
    """Every check, the ones that others stand on first; none stops the others."""
    local = [_database, _migrations, broker, _workers, _company]
    return [*(check() for check in local), _sales()]


def _database() -> Check:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, ImproperlyConfigured) as error:
        return Check(
            "database",
            is_well=False,
            saw=f"It does not answer ({type(error).__name__}).",
            remedy="Start the database, or mend DATABASE_URL; a locked SQLite file frees itself "
            "when the program that holds it ends.",
        )
    return Check("database", is_well=True, saw=connection.vendor)


def _migrations() -> Check:
    return _guarded("migrations", _missing_migrations)


def _missing_migrations() -> Check:
    executor = MigrationExecutor(connection)
    missing = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    if missing:
        return Check(
            "migrations", is_well=False, saw=f"{missing} missing", remedy="Run manage.py migrate."
        )
    return Check("migrations", is_well=True, saw="all applied")


def broker() -> Check:
    try:
        with app.connection_for_write() as found:
            found.ensure_connection(max_retries=0, timeout=2)
    except (OperationalError, KombuError, OSError) as error:
        return Check(
            "broker",
            is_well=False,
            saw=f"It does not answer ({type(error).__name__}).",
            remedy="Start 'manage.py up', or mend CRMSYNC_BROKER_URL. Nothing is lost meanwhile.",
        )
    return Check("broker", is_well=True, saw="answers")


def _workers() -> Check:
    return _guarded("worker", _living_workers)


def _living_workers() -> Check:
    alive = connections.workers_alive()
    if alive:
        return Check("worker", is_well=True, saw=f"{alive} alive")
    return Check(
        "worker",
        is_well=False,
        saw="None gave a sign of life in the last 15 seconds.",
        remedy="Start 'manage.py up'; work that waits goes on by itself then.",
    )


def _company() -> Check:
    return _guarded("company", _named_company)


def _named_company() -> Check:
    company = get_company()
    if company is None:
        return Check(
            "company",
            is_well=False,
            saw="The books name no company.",
            remedy="Enter the company information, or seed the demo company: manage.py seed_demo.",
        )
    return Check("company", is_well=True, saw=f"{company.name}, {company.local_currency_code}")


def _sales() -> Check:
    try:
        found = connections.get_connection()
        caller = administration.who_am_i(connections.open_client(connection=found))
    except (ConnectionProblem, DataverseError) as error:
        return Check("Sales", is_well=False, saw=str(error), remedy=str(error.remedy))
    except DatabaseError as error:
        return Check("Sales", is_well=False, saw=type(error).__name__, remedy="See database.")
    return Check("Sales", is_well=True, saw=f"{found.organization_name} as user {caller.user_id}")


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except DatabaseError as error:
        return Check(name, is_well=False, saw=type(error).__name__, remedy="See database.")


@anybody
def health(request: HttpRequest) -> JsonResponse:
    """The local checks as JSON for whoever watches; 503 when one of them is not well."""
    checks = [_database(), broker(), _workers()]
    status = 200 if all(check.is_well for check in checks) else 503
    return JsonResponse({check.name: check.saw for check in checks}, status=status)
