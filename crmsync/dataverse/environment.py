"""Facts about an environment that decide whether and how to synchronize with it."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

import orjson

from crmsync.dataverse import odata
from crmsync.dataverse.client import Client, Row
from crmsync.dataverse.errors import Rejected, UnreadableAnswer
from crmsync.dataverse.shapes import reads_an_answer
from crmsync.dataverse.solutions import Installed, installed_of

# Solutions of Microsoft that write the same tables as we do: the integration with Business
# Central and its base (BCApps), dual-write with Finance and Operations (Microsoft docs:
# "uninstall dual-write application orchestration solutions").
OTHER_INTEGRATIONS = {
    "MicrosoftDynamicsNavIntegration": "Business Central",
    "bcbi_CdsBaseIntegration": "Business Central",
    "DualWriteCore": "Dual-write",
    "Dynamics365FinanceAndOperationsDualWriteEntityMaps": "Dual-write",
    "Dynamics365FinanceExtended": "Dual-write",
    "Dynamics365SupplyChainExtended": "Dual-write",
}


@dataclass(frozen=True, slots=True)
class OtherIntegration:
    """``product`` is a name of Microsoft's, not to be translated."""

    product: str
    solution: Installed


@dataclass(frozen=True, slots=True)
class Currency:
    """``rate`` counts units of this currency for one of the base currency."""

    currency_id: UUID
    code: str
    name: str
    rate: Decimal
    precision: int
    is_active: bool


def installed_others(client: Client) -> tuple[OtherIntegration, ...]:
    """Other integrations that are installed there."""
    found = installed_of(client, OTHER_INTEGRATIONS)
    products = {name.lower(): product for name, product in OTHER_INTEGRATIONS.items()}
    return tuple(
        OtherIntegration(products[solution.unique_name.lower()], solution) for solution in found
    )


def currencies(client: Client) -> tuple[Currency, ...]:
    """All currencies of the environment, by code."""
    columns = (
        "transactioncurrencyid,isocurrencycode,currencyname,exchangerate,currencyprecision,"
        "statecode"
    )
    path = odata.query("transactioncurrencies", {"$select": columns, "$orderby": "isocurrencycode"})
    return tuple(_currency(row) for row in client.every(path))


@reads_an_answer
def _currency(row: Row) -> Currency:
    return Currency(
        currency_id=UUID(row["transactioncurrencyid"]),
        code=row["isocurrencycode"],
        name=row.get("currencyname") or "",
        rate=Decimal(str(row["exchangerate"])),
        precision=int(row["currencyprecision"]),
        is_active=row.get("statecode") == 0,
    )


def row_counts(client: Client, tables: Iterable[str]) -> dict[str, int]:
    """About how many rows tables have, by logical name.

    RetrieveTotalRecordCount answers from a snapshot of the last 24 hours (Microsoft docs).
    """
    names = ",".join(odata.literal(table) for table in tables)
    answer = client.channel.send("GET", f"RetrieveTotalRecordCount(EntityNames=[{names}])").json()
    try:
        found = answer["EntityRecordCountCollection"]
        return {
            str(name): int(count)
            for name, count in zip(found["Keys"], found["Values"], strict=True)
        }
    except (KeyError, ValueError, TypeError) as error:
        raise UnreadableAnswer("Sales does not say how many rows there are.") from error


def change_tracking(client: Client, tables: Iterable[str]) -> dict[str, bool]:
    """Whether change tracking is on, per logical name. Raises TableUnknown or RowMissing."""
    return {table: _is_tracked(client, table) for table in tables}


def enable_change_tracking(client: Client, table: str) -> None:
    """Switch change tracking of a table on; it cannot be done by a part of the definition.

    The whole definition is read, changed and put back, keeping labels of all languages, and then
    published (Microsoft docs: "update table definitions"). Wants a System Customizer. Raises
    Rejected where it is off afterwards, too.
    """
    if _is_tracked(client, table):
        return
    path = _definition(table)
    definition = client.channel.send("GET", path).json()
    definition.pop("@odata.context", None)
    definition["ChangeTrackingEnabled"] = True
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "MSCRM.MergeLabels": "true",
    }
    client.channel.send("PUT", path, headers=headers, body=orjson.dumps(definition))
    _publish(client, table)
    if not _is_tracked(client, table):
        raise Rejected("Change tracking is still off.")


def _publish(client: Client, table: str) -> None:
    wanted = f"<importexportxml><entities><entity>{table}</entity></entities></importexportxml>"
    client.channel.send(
        "POST",
        "PublishXml",
        headers={"Content-Type": "application/json; charset=utf-8"},
        body=orjson.dumps({"ParameterXml": wanted}),
    )


def _is_tracked(client: Client, table: str) -> bool:
    # Definitions are cached per web server; this asks for what was written last.
    found = client.channel.send(
        "GET",
        f"{_definition(table)}?$select=ChangeTrackingEnabled",
        headers={"Consistency": "Strong"},
    ).json()
    return found.get("ChangeTrackingEnabled") is True


def _definition(table: str) -> str:
    return f"EntityDefinitions(LogicalName={odata.literal(table)})"
