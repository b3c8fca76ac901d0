"""The rules of currencies, and amounts in the base currency."""

import pytest

from tests.sandbox.harness import Client, Sandbox, refused


def currency(**changes: object) -> dict[str, object]:
    euro = {
        "isocurrencycode": "EUR",
        "currencyname": "Euro",
        "currencysymbol": "€",
        "currencyprecision": 2,
        "exchangerate": 1.25,
    }
    return {**euro, **changes}


def test_amounts_are_computed_in_the_base_currency(api: Client, sandbox: Sandbox) -> None:
    euro = api.created("transactioncurrencies", **currency())
    bind = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({euro})"}
    api.created("accounts", name="a", creditlimit=100, **bind)
    [account] = sandbox.dump("accounts")
    assert (account["exchangerate"], account["creditlimit_base"]) == (1.25, 80.0)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"isocurrencycode": "GBP"}, "0x80048cf3"),
        ({"isocurrencycode": "eu1"}, "0x80048cf2"),
        ({"currencysymbol": None}, "0x80040200"),
        ({"exchangerate": 0}, "0x80044330"),
        ({"currencyprecision": 9}, "0x8004432f"),
    ],
)
def test_bad_currencies_are_refused(api: Client, changes: dict[str, object], code: str) -> None:
    answer = api.request("POST", "transactioncurrencies", currency(**changes))
    assert refused(answer) == (400, code)


def test_the_base_currency_is_protected(api: Client) -> None:
    [base] = api.rows("organizations?$select=_basecurrencyid_value")
    path = f"transactioncurrencies({base['_basecurrencyid_value']})"
    assert refused(api.request("DELETE", path)) == (400, "0x80048cff")
    assert refused(api.request("PATCH", path, {"exchangerate": 2})) == (400, "0x80048cf5")
    assert refused(api.request("PATCH", path, {"statecode": 1})) == (400, "0x80048cf4")
    assert api.request("PATCH", path, {"currencyname": "Sterling"}).status_code == 204


def test_a_currency_in_use_cannot_be_deleted(api: Client) -> None:
    euro = api.created("transactioncurrencies", **currency())
    bind = {"transactioncurrencyid@odata.bind": f"/transactioncurrencies({euro})"}
    api.created("accounts", name="a", **bind)
    answer = api.request("DELETE", f"transactioncurrencies({euro})")
    assert refused(answer) == (405, "0x80040227")
