"""Reading rows: selection, filters, order, pages, annotations, expansion."""

from pathlib import Path
from typing import Any

import pytest
import requests

from tests.sandbox.harness import Client, Sandbox, code_of, new_id, running

ANNOTATED = 'odata.include-annotations="*"'


@pytest.fixture
def customers(api: Client) -> list[str]:
    names = ["O'Neill & Sons", "Æbletoft", "æblegård", "Fabrikam", "50% Off"]
    return [
        api.created("accounts", name=name, accountnumber=str(position), creditlimit=position * 100)
        for position, name in enumerate(names)
    ]


def names(api: Client, condition: str) -> list[str]:
    answer = api.session.get(
        f"{api.sandbox.api_url}accounts",
        params={"$select": "name", "$filter": condition, "$orderby": "accountnumber"},
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return [row["name"] for row in answer.json()["value"]]


@pytest.mark.usefixtures("customers")
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("name eq 'o''neill & sons'", ["O'Neill & Sons"]),
        ("name eq 'ÆBLETOFT'", ["Æbletoft"]),
        ("startswith(name,'æble')", ["Æbletoft", "æblegård"]),
        ("contains(name,'BRIK') and statecode eq 0", ["Fabrikam"]),
        ("endswith(name,'off') or creditlimit lt 100", ["O'Neill & Sons", "50% Off"]),
        ("not (creditlimit ge 100)", ["O'Neill & Sons"]),
        ("contains(name,'F_brikam')", ["Fabrikam"]),
        ("contains(name,'[FX]abrikam')", ["Fabrikam"]),
        ("telephone1 eq null and accountnumber gt '2'", ["Fabrikam", "50% Off"]),
        ("telephone1 ne 'x' and accountnumber eq '0'", ["O'Neill & Sons"]),
        (
            'Microsoft.Dynamics.CRM.In(PropertyName=\'accountnumber\',PropertyValues=["1","3"])',
            ["Æbletoft", "Fabrikam"],
        ),
        ("createdon gt 2000-01-01T00:00:00Z and name eq 'Fabrikam'", ["Fabrikam"]),
        ("owningbusinessunit/name eq 'cronus' and name eq 'Fabrikam'", ["Fabrikam"]),
    ],
)
def test_filters_select_what_the_service_selects(
    api: Client, condition: str, expected: list[str]
) -> None:
    assert names(api, condition) == expected


@pytest.mark.usefixtures("customers")
def test_rows_are_found_by_a_list_of_ids(api: Client, customers: list[str]) -> None:
    listed = ",".join(f'"{row_id}"' for row_id in customers[:2])
    condition = f"Microsoft.Dynamics.CRM.In(PropertyName='accountid',PropertyValues=[{listed}])"
    assert len(names(api, condition)) == 2


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("Accounts", 404, "0x8006088a"),
        ("accounts?$select=Name", 400, "0x80060888"),
        ("accounts?$filter=Name eq 'x'", 400, "0x80060888"),
        ("accounts?$filter=name eq 1", 400, "0x80060888"),
        ("accounts?$filter=name eq 'x", 400, "0x80060888"),
        ("accounts?$filter=accountid eq 'x'", 400, "0x80060888"),
        ("accounts?$skip=1", 400, "0x80060888"),
        ("accounts?$skiptoken=made-up", 400, "0x80060888"),
        ("accounts?$top=x", 400, "0x80060888"),
        ("accounts?$foo=1", 400, "0x80060888"),
        ("accounts(not-an-id)", 400, "0x8006088a"),
        ("accounts(accountnumber='1')", 400, "0x80060890"),
        ("accounts?$apply=aggregate($count as n)", 501, "0x80040203"),
        (
            "accounts?$filter=Microsoft.Dynamics.CRM.Today(PropertyName='createdon')",
            501,
            "0x80040203",
        ),
        ("$metadata", 501, "0x80040203"),
        ("accounts?$expand=contact_customer_accounts", 501, "0x80040203"),
    ],
)
def test_what_the_service_refuses_is_refused(
    api: Client, path: str, status: int, code: str
) -> None:
    answer = api.get(path)
    assert (answer.status_code, code_of(answer)) == (status, code)


def test_a_missing_row_is_named(api: Client) -> None:
    row_id = new_id()
    answer = api.get(f"accounts({row_id})")
    assert (answer.status_code, code_of(answer)) == (404, "0x80040217")
    assert answer.json()["error"]["message"] == f"account With Id = {row_id} Does Not Exist"


def test_pages_hold_every_row_once_while_others_are_inserted_and_deleted(api: Client) -> None:
    ids = {api.created("accounts", name=f"Customer {n:02}") for n in range(20)}
    seen: list[str] = []
    for page in api.pages("accounts?$select=name&$orderby=name", prefer="odata.maxpagesize=3"):
        seen += [row["accountid"] for row in page["value"]]
        api.created("accounts", name="Customer 000")
    assert len(seen) == len(set(seen))
    assert ids <= set(seen)


def test_order_is_stable_over_nulls_and_equal_values(api: Client) -> None:
    for number in (None, "2", None, "1", "2", "1"):
        api.created("accounts", name="same", accountnumber=number)
    path = "accounts?$select=accountnumber&$orderby=name,accountnumber desc"
    rows = api.rows(path, prefer="odata.maxpagesize=1")
    assert [row["accountnumber"] for row in rows] == ["2", "2", "1", "1", None, None]


@pytest.mark.usefixtures("customers")
def test_top_limits_unless_a_page_size_is_asked_for(api: Client) -> None:
    assert len(api.get("accounts?$top=2&$select=name").json()["value"]) == 2
    page = api.get("accounts?$top=2&$select=name", prefer="odata.maxpagesize=3")
    assert len(page.json()["value"]) == 3
    assert "@odata.nextLink" in page.json()
    assert page.headers["Preference-Applied"] == "odata.maxpagesize=3"


@pytest.mark.usefixtures("customers")
def test_the_count_comes_with_the_rows_or_alone(api: Client) -> None:
    page = api.get("accounts?$select=name&$count=true&$filter=creditlimit gt 100&$top=1").json()
    assert (page["@odata.count"], len(page["value"])) == (3, 1)
    assert api.get("accounts/$count").content.decode("utf-8-sig") == "5"


def test_annotations_come_when_asked_for(api: Client, sandbox: Sandbox) -> None:
    row_id = api.created("accounts", name="a", creditlimit=1234.5, paymenttermscode=1)
    path = f"accounts({row_id})?$select=creditlimit,paymenttermscode,_ownerid_value,donotphone"
    plain = api.get(path).json()
    assert not [key for key in plain if "@" in key.removeprefix("@")]
    row = api.get(path, prefer=ANNOTATED).json()
    formatted = "@OData.Community.Display.V1.FormattedValue"
    assert row[f"creditlimit{formatted}"] == "£1,234.50"
    assert row[f"paymenttermscode{formatted}"] == "Net 30"
    assert row[f"donotphone{formatted}"] == "Allow"
    assert row[f"_ownerid_value{formatted}"] == "# crmsync integration"
    assert row["_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname"] == "systemuser"
    only = api.get(path, prefer='odata.include-annotations="Microsoft.Dynamics.CRM.*"').json()
    assert f"paymenttermscode{formatted}" not in only
    assert "_ownerid_value@Microsoft.Dynamics.CRM.lookuplogicalname" in only
    assert sandbox.ready["application"]["id"] == row["_ownerid_value"]


def test_money_brings_its_currency_along(api: Client) -> None:
    api.created("accounts", name="a", creditlimit=5)
    [row] = api.rows("accounts?$select=creditlimit")
    assert row.keys() == {"@odata.etag", "accountid", "creditlimit", "_transactioncurrencyid_value"}


def test_lookups_expand(api: Client) -> None:
    contact = api.created("contacts", firstname="Ann", lastname="Beck")
    bind = {"primarycontactid@odata.bind": f"/contacts({contact})"}
    account = api.created("accounts", name="a", **bind)
    path = f"accounts({account})?$select=name&$expand=primarycontactid($select=fullname)"
    row = api.get(path).json()
    assert row["primarycontactid"]["fullname"] == "Ann Beck"
    assert "_primarycontactid_value" not in row
    assert (
        api.get(f"accounts({account})/primarycontactid?$select=lastname").json()["lastname"]
        == "Beck"
    )
    assert api.get(f"contacts({contact})/parentcustomerid_account").status_code == 204


def test_a_users_direct_and_team_roles_are_found(admin: Client, sandbox: Sandbox) -> None:
    user = sandbox.ready["flawed"]["team_administrator"]["id"]
    direct = admin.get(f"systemusers({user})/systemuserroles_association?$select=name").json()
    assert [role["name"] for role in direct["value"]] == ["Integration User"]
    path = "teammembership_association?$select=name&$expand=teamroles_association($select=name)"
    [team] = admin.get(f"systemusers({user})/{path}").json()["value"]
    assert [role["name"] for role in team["teamroles_association"]] == ["System Administrator"]
    expanded = f"systemusers({user})?$select=fullname&$expand=systemuserroles_association"
    [role] = admin.get(expanded).json()["systemuserroles_association"]
    assert role["name"] == "Integration User"


def test_an_unchanged_row_is_not_sent_again(api: Client) -> None:
    row_id = api.created("accounts", name="a")
    path = f"accounts({row_id})?$select=name"
    etag = api.get(path).headers["ETag"]
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 304
    assert api.get(path, headers={"If-None-Match": "null"}).status_code == 200
    assert api.get(path, prefer=ANNOTATED, headers={"If-None-Match": etag}).status_code == 200
    api.request("PATCH", f"accounts({row_id})", {"name": "b"})
    assert api.get(path, headers={"If-None-Match": etag}).status_code == 200


def test_every_answer_carries_the_headers_of_the_service(api: Client) -> None:
    headers = api.get("WhoAmI").headers
    assert headers["OData-Version"] == "4.0"
    assert headers["x-ms-dop-hint"] == "8"
    assert headers["x-ms-service-request-id"] == headers["REQ_ID"]


def test_identity_functions_answer(api: Client, sandbox: Sandbox) -> None:
    who: dict[str, Any] = api.get("WhoAmI").json()
    assert who["UserId"] == sandbox.ready["application"]["id"]
    assert who["OrganizationId"] == sandbox.ready["organization_id"]
    assert api.get("RetrieveVersion()").json()["Version"].startswith("9.2.")
    access = "AccessType=Microsoft.Dynamics.CRM.EndpointAccessType'Default'"
    detail = api.get(f"RetrieveCurrentOrganization({access})").json()["Detail"]
    assert detail["FriendlyName"] == "CRONUS International"
    post = api.request("POST", "WhoAmI", {})
    assert (post.status_code, code_of(post)) == (404, "")


@pytest.mark.parametrize(
    ("table", "message", "is_supported"),
    [
        ("account", "CreateMultiple", True),
        ("contact", "UpdateMultiple", True),
        ("transactioncurrency", "CreateMultiple", False),
    ],
)
def test_support_of_bulk_messages_can_be_asked(
    api: Client, table: str, message: str, is_supported: bool
) -> None:
    condition = "sdkmessageid/name eq @message and primaryobjecttypecode eq @table"
    answer = api.get(
        f"sdkmessagefilters?$select=sdkmessagefilterid&$filter={condition}"
        f"&@message='{message}'&@table='{table}'"
    )
    assert bool(answer.json()["value"]) is is_supported


def test_tables_with_change_tracking_can_be_asked(api: Client) -> None:
    path = (
        "EntityDefinitions?$select=LogicalName,EntitySetName&$filter=ChangeTrackingEnabled eq true"
    )
    found = {row["LogicalName"]: row["EntitySetName"] for row in api.rows(path)}
    assert found == {
        "account": "accounts",
        "contact": "contacts",
        "transactioncurrency": "transactioncurrencies",
    }
    by_name = api.get("EntityDefinitions(LogicalName='account')?$select=PrimaryIdAttribute").json()
    assert by_name["PrimaryIdAttribute"] == "accountid"
    assert by_name["MetadataId"] == "70816501-edb9-4740-a16c-6a5efbc05d84"


def test_links_follow_the_host_that_was_asked(api: Client, sandbox: Sandbox) -> None:
    api.created("accounts", name="a")
    api.created("accounts", name="b")
    application = sandbox.ready["application"]
    token = sandbox.token(
        grant_type="client_credentials",
        client_id=application["client_id"],
        client_secret=application["client_secret"],
        scope="https://cronus.crm.sandbox.test/.default",
    )
    host = {"Host": "cronus.crm.sandbox.test", "Prefer": "odata.maxpagesize=1"}
    page = sandbox.signed_in(token).get("accounts?$select=name", headers=host).json()
    origin = "https://cronus.crm.sandbox.test/api/data/v9.2/"
    assert page["@odata.context"].startswith(f"{origin}$metadata#accounts(")
    assert page["@odata.nextLink"].startswith(f"{origin}accounts?$select=name&$skiptoken=")
    plain = api.get("accounts?$select=name", prefer="odata.maxpagesize=1").json()
    assert plain["@odata.nextLink"].startswith(sandbox.api_url)


def test_the_demo_company_is_served(tmp_path: Path) -> None:
    with running(tmp_path / "demo.sqlite3", seed="demo") as demo:
        api = demo.application()
        assert len(api.rows("accounts?$select=name")) >= 20
        [base] = api.rows("organizations?$select=name,_basecurrencyid_value")
        currency = api.get(f"transactioncurrencies({base['_basecurrencyid_value']})").json()
        assert (currency["isocurrencycode"], currency["exchangerate"]) == ("GBP", 1.0)


def test_impersonation_is_not_pretended(api: Client) -> None:
    answer = api.get("WhoAmI", headers={"MSCRMCallerID": new_id()})
    assert answer.status_code == 501


def test_other_versions_and_addresses_are_not_pretended(api: Client, sandbox: Sandbox) -> None:
    answer = api.get(f"{sandbox.base_url}/api/data/v9.1/accounts")
    assert answer.status_code == 501
    assert requests.get(f"{sandbox.base_url}/elsewhere", timeout=10).status_code == 404
