"""What a page should say, counted in raw rows of either side."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.crash.stacks import Stack

# Written here once more, so that a tab that counts the wrong records is found out.
TABS = {
    "All": "1 = 1",
    "Not coupled": "NOT coupled AND NOT left_out",
    "Suggested": "suggested",
    "Coupled": "coupled",
    "Needs attention": "waits",
    "Left out": "left_out",
}
CAPTIONS = {"CURRENCY": "Currencies", "SALESPEOPLE": "Salespeople", "CUSTOMER": "Customers"}
OUTCOMES = (
    *("inserted", "modified", "deleted", "unchanged", "coupled", "uncoupled"),
    *("deferred", "undecided", "failed", "skipped"),
)
_CUSTOMERS = """
    WITH live AS (
        SELECT ledger_id, crm_id FROM sync_coupling
        WHERE mapping = 'CUSTOMER' AND removed_at IS NULL
    ), facts AS (
        SELECT c.id,
            c.id IN (SELECT ledger_id FROM live) AS coupled,
            c.id IN (SELECT record_id FROM sync_leftout WHERE mapping = 'CUSTOMER') AS left_out,
            c.id IN (SELECT ledger_id FROM coupling_suggestion WHERE mapping = 'CUSTOMER'
                     AND crm_id NOT IN (SELECT crm_id FROM sync_coupling
                                        WHERE removed_at IS NULL)) AS has_suggestion,
            c.id IN (SELECT record_id FROM sync_obstacle
                     WHERE mapping = 'CUSTOMER' AND side = 'ledger'
                     UNION SELECT ledger_id FROM live JOIN sync_obstacle o
                     ON o.record_id = live.crm_id AND o.mapping = 'CUSTOMER' AND o.side = 'crm'
                    ) AS waits
        FROM ledger_customer c
    )
    SELECT count(*) AS n FROM
        (SELECT *, has_suggestion AND NOT coupled AND NOT left_out AS suggested FROM facts)
"""
_PAIRS = """
    SELECT c.number, p.crm_id, p.agreed, p.coupled_by, p.origin
    FROM sync_coupling p JOIN ledger_customer c ON c.id = p.ledger_id
    WHERE p.mapping = 'CUSTOMER' AND p.removed_at IS NULL ORDER BY c.number
"""


def tab_counts(stack: Stack) -> dict[str, int]:
    """By the caption of each tab of the customers, how many records belong on it."""
    return {
        caption: int(stack.rows(f"{_CUSTOMERS} WHERE {condition}")[0]["n"])
        for caption, condition in TABS.items()
    }


def coupled_customers(stack: Stack) -> dict[str, dict[str, Any]]:
    """By number the live couplings."""
    return {row["number"]: row for row in stack.rows(_PAIRS)}


def preselected_customers(stack: Stack) -> dict[str, dict[str, Any]]:
    """By number the suggested pairs that are ticked."""
    found = stack.rows(
        "SELECT number, crm_id FROM coupling_suggestion WHERE mapping = 'CUSTOMER' AND is_chosen"
    )
    return {row["number"]: row for row in found}


def wrong_pairs(
    pairs: Mapping[str, Mapping[str, Any]], accounts: Mapping[str, set[str]]
) -> list[str]:
    """Numbers of customers that are tied to something else than their own account."""
    return [
        number
        for number, pair in pairs.items()
        if dashed(pair["crm_id"]) not in accounts.get(number, set())
    ]


def customer(stack: Stack, number: str) -> dict[str, Any]:
    (found,) = stack.rows(f"SELECT * FROM ledger_customer WHERE number = '{number}'")  # noqa: S608
    return found


def account(stack: Stack, crm_id: str) -> dict[str, Any]:
    wanted = dashed(crm_id)
    return next(row for row in stack.sandbox.dump("accounts") if row["accountid"] == wanted)


def outcomes_of_latest_run(stack: Stack, mapping: str) -> dict[str, int]:
    """Sums over the parts of the line's job, of the two ways together."""
    sums = ", ".join(f"COALESCE(SUM(p.{name}), 0) AS {name}" for name in OUTCOMES)
    (found,) = stack.rows(
        f"SELECT {sums} FROM sync_part p JOIN fullsync_reviewline l ON l.job_id = p.job_id"  # noqa: S608
        f" WHERE l.mapping = '{mapping}' AND p.phase IN ('to_crm', 'from_crm')"
        " AND l.full_sync_id = (SELECT MAX(id) FROM fullsync_fullsync)"
    )
    return {name: int(n) for name, n in found.items() if n}


def written_customers(stack: Stack) -> set[str]:
    """Numbers of those that the latest run wrote, here or there."""
    found = stack.rows(
        "SELECT c.number FROM sync_change w JOIN ledger_customer c ON c.id = w.ledger_id"
        " WHERE w.job_id IN (SELECT job_id FROM fullsync_reviewline WHERE mapping = 'CUSTOMER'"
        " AND full_sync_id = (SELECT MAX(id) FROM fullsync_fullsync))"
    )
    return {row["number"] for row in found}


def waiting_records(stack: Stack) -> int:
    return int(stack.rows("SELECT count(*) AS n FROM sync_obstacle")[0]["n"])


def counts(stack: Stack) -> tuple[int, int]:
    """How many customers there are here, and how many accounts there."""
    here = stack.rows("SELECT count(*) AS n FROM ledger_customer")[0]["n"]
    return int(here), len(stack.sandbox.dump("accounts"))


def integration_user(stack: Stack) -> str:
    (found,) = stack.rows("SELECT integration_user_id FROM connections_connection")
    return dashed(found["integration_user_id"])


def dashed(record_id: object) -> str:
    """SQLite keeps ids without dashes."""
    return str(UUID(str(record_id)))


def files_that_hold(folder: Path, secret: str) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and secret.encode() in path.read_bytes()
    ]
