"""Addresses are hostile input, whether a person typed them or the service handed them back."""

import json
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from requests import PreparedRequest, RequestException

from crmsync.dataverse.address import Hosts, environment_origin, record_page, same_origin
from crmsync.dataverse.client import Client
from crmsync.dataverse.errors import AddressRefused
from tests.dataverse.wires import ACCOUNT, API, ORIGIN, listening
from tests.sandboxes import Sandbox

REAL = Hosts()

ACCEPTED = {
    "https://contoso.crm.dynamics.com": "https://contoso.crm.dynamics.com",
    "https://contoso.crm4.dynamics.com/": "https://contoso.crm4.dynamics.com",
    "https://contoso.crm99.dynamics.com": "https://contoso.crm99.dynamics.com",
    "https://Contoso.CRM4.Dynamics.com": "https://contoso.crm4.dynamics.com",
    "https://contoso.api.crm4.dynamics.com": "https://contoso.api.crm4.dynamics.com",
    "https://contoso.crm4.dynamics.com:443/": "https://contoso.crm4.dynamics.com",
    "  https://contoso.crm4.dynamics.com\n": "https://contoso.crm4.dynamics.com",
    "https://con-toso.crm.microsoftdynamics.us": "https://con-toso.crm.microsoftdynamics.us",
    "https://contoso.crm.appsplatform.us": "https://contoso.crm.appsplatform.us",
    "https://contoso.crm.dynamics.cn": "https://contoso.crm.dynamics.cn",
}

REFUSED = (
    "",
    "contoso.crm4.dynamics.com",
    "http://contoso.crm4.dynamics.com",
    "ftp://contoso.crm4.dynamics.com",
    "javascript:alert(1)//contoso.crm4.dynamics.com",
    "https://evil.example",
    "https://evil.example/contoso.crm4.dynamics.com",
    "https://evil.example?contoso.crm4.dynamics.com",
    "https://evil.example#contoso.crm4.dynamics.com",
    "https://contoso.crm4.dynamics.com.evil.example",
    "https://evil-dynamics.com",
    "https://crm4.dynamics.com",
    "https://contoso.crm0.dynamics.com",
    "https://contoso.crm100.dynamics.com",
    "https://contoso.crmx.dynamics.com",
    "https://evil.contoso.crm4.dynamics.com",
    "https://contoso.crm4.dynamics.com.",
    "https://contoso.crm4.dynamics.com@evil.example",
    "https://user:word@contoso.crm4.dynamics.com",
    "https://@contoso.crm4.dynamics.com",
    "https://contoso.crm4.dynamics.com:8443",
    "https://contoso.crm4.dynamics.com:",
    "https://contoso.crm4.dynamics.com:0443",
    "https://contoso.crm4.dynamics.com:99999",
    "https://contoso.crm4.dynamics.com/main.aspx",
    "https://contoso.crm4.dynamics.com/?",
    "https://contoso.crm4.dynamics.com/#",
    "https://contoso.crm4.dynamics.com\\@evil.example",
    "https://evil.example\\.crm4.dynamics.com",
    "https://contoso.crm4.\tdynamics.com",
    "https://contoso.crm4.dynamics.com\x00.evil.example",
    "https://cont%6fso.crm4.dynamics.com",
    "https://contosо.crm4.dynamics.com",  # noqa: RUF001 - the last o is Cyrillic
    "https://contoso。crm4。dynamics。com",
    "https://-contoso.crm4.dynamics.com",
    "https://127.0.0.1",
    "https://[::1]",
    "https://[contoso.crm4.dynamics.com",
    "https://169.254.169.254/",
    "https://2130706433/",
)


@pytest.mark.parametrize(("typed", "origin"), ACCEPTED.items())
def test_an_address_as_sales_shows_it_becomes_its_origin(typed: str, origin: str) -> None:
    assert environment_origin(typed, hosts=REAL) == origin


@pytest.mark.parametrize("typed", REFUSED)
def test_anything_that_is_not_the_bare_address_of_an_environment_is_refused(typed: str) -> None:
    with pytest.raises(AddressRefused):
        environment_origin(typed, hosts=REAL)


def test_the_sandbox_is_an_environment_only_where_a_setting_names_it() -> None:
    with pytest.raises(AddressRefused):
        environment_origin(ORIGIN, hosts=REAL)

    assert environment_origin(ORIGIN, hosts=Hosts(sandbox=True)) == ORIGIN


PIECES = st.sampled_from(
    (
        *(
            "https://",
            "http:",
            "//",
            "/",
            "\\",
            "@",
            ":",
            ":443",
            "?",
            "#",
            "%2e",
            ".",
            "\t",
            "\u200b",
        ),
        *("contoso", ".dynamics.com", "contoso.crm4.dynamics.com", "evil.example", "127.0.0.1"),
    )
)


@settings(deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=8).map("".join)))
def test_an_accepted_address_leads_to_the_host_it_names_and_nowhere_else(typed: str) -> None:
    try:
        origin = environment_origin(typed, hosts=REAL)
    except AddressRefused:
        return
    host = origin.removeprefix("https://")
    assert origin.startswith("https://")
    assert REAL.is_environment(host)
    assert typed.strip().lower().rstrip("/").removesuffix(":443") == origin


LINKS = st.lists(
    st.sampled_from(
        (
            *(ORIGIN, "https://", "cronus.crm.sandbox.test", "@", ":443", ":", "/", "\\", "?", "#"),
            *("\t", ".evil.example", "evil.example", "%2e", "/api/data/v9.2/accounts"),
        )
    ),
    max_size=6,
).map("".join)


@settings(deadline=None)
@given(LINKS)
def test_a_link_that_passes_the_guard_is_sent_to_our_own_host(link: str) -> None:
    try:
        url = same_origin(link, origin=ORIGIN)
    except AddressRefused:
        return
    prepared = PreparedRequest()
    try:
        prepared.prepare_url(url, None)
    except RequestException:
        return
    assert str(prepared.url).split("/")[2] == "cronus.crm.sandbox.test"


@pytest.mark.parametrize("name", ["@odata.nextLink", "@odata.deltaLink"])
def test_a_link_to_another_host_is_refused_and_nothing_is_sent_there(
    sandbox: Sandbox, client: Client, name: str
) -> None:
    with listening() as elsewhere:
        link = f"https://127.0.0.1:{elsewhere.port}/api/data/v9.2/accounts"
        body = json.dumps({"value": [], name: link})
        sandbox.fault({"path": API}, {"body": body})
        page = client.first_page(ACCOUNT, columns=["name"])

        with pytest.raises(AddressRefused):
            client.page(page.next_link or page.delta_link or "", track_changes=False)

        assert elsewhere.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(sandbox: Sandbox, client: Client, status: int) -> None:
    with listening() as elsewhere:
        sandbox.fault(
            {"path": API},
            {"redirect": f"https://127.0.0.1:{elsewhere.port}/", "status": status},
        )
        mark = sandbox.mark()

        with pytest.raises(Exception, match=str(status)):
            client.channel.send("POST", "accounts", body=b"{}")

        assert elsewhere.connections == 0
        assert len(sandbox.writes(mark)) == 1


def test_a_row_is_opened_in_the_app_by_table_and_id() -> None:
    crm_id = UUID("51f81489-12ee-4a9e-aaae-a2591f45987d")

    assert record_page(origin=ORIGIN, table="account", crm_id=crm_id) == (
        f"{ORIGIN}/main.aspx?pagetype=entityrecord&etn=account&id={crm_id}"
    )
