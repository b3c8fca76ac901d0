"""Home and the company: what one sees first, in both languages."""

import pytest
from django.test import Client

from crmsync.connections.models import Connection
from crmsync.frame.people import Role, add_person
from crmsync.ledger.models import CompanyInformation
from crmsync.sync import jobs
from crmsync.terms import Experience
from tests.people import client_of
from tests.sync import runs

pytestmark = pytest.mark.django_db


def test_an_empty_installation_leads_to_the_company_first() -> None:
    page = client_of(Role.ADMINISTRATORS).get("/").content.decode()
    assert "Enter the company information" in page
    assert "First: Company Information" in page


def test_home_tells_what_needs_attention_and_when_each_table_last_succeeded(
    settled: None, django_assert_max_num_queries: object
) -> None:
    client = client_of(Role.ACCOUNTANTS)
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        page = client.get("/")
    tables = {table.mapping.name: table for table in page.context["home"].tables}
    assert set(tables) == {"SALESPEOPLE", "CURRENCY", "CUSTOMER"}
    assert all(table.succeeded_at for table in tables.values())
    assert page.context["home"].attention == sum(table.attention for table in tables.values()) > 0


def test_the_language_switch_stays_on_the_page_and_is_remembered() -> None:
    client = client_of(Role.ACCOUNTANTS)
    answer = client.post("/language/", {"language": "da", "next": "/company/"})
    assert answer.headers["Location"] == "/company/"
    assert '<html lang="da">' in client.get("/").content.decode()


def test_an_administrator_enters_the_company() -> None:
    client = client_of(Role.ADMINISTRATORS)
    form = {"name": "Ålborg Værft", "local_currency_code": " dkk ", "experience": "basic"}
    assert client.post("/company/", form).status_code == 302
    company = CompanyInformation.objects.get()
    assert (company.name, company.local_currency_code) == ("Ålborg Værft", "DKK")
    assert company.experience == Experience.BASIC


def test_a_wrong_currency_code_is_named_beside_its_field() -> None:
    form = {"name": "X", "local_currency_code": "K1", "experience": "suite"}
    page = client_of(Role.ADMINISTRATORS).post("/company/", form).content.decode()
    assert "Give the three letters of an ISO currency code." in page
    assert "<title>Error:" in page
    assert not CompanyInformation.objects.exists()


def test_an_account_without_a_group_is_told_whom_to_ask() -> None:
    person = add_person(name="new", role=Role.OPERATIONS, password="correct horse 7")
    person.groups.clear()
    client = Client()
    client.force_login(person, backend="crmsync.frame.access.GroupBackend")
    page = client.get("/").content.decode()
    assert "Your account has no role yet." in page
    assert client.get("/tables/CUSTOMER/").status_code == 403


def test_a_page_that_breaks_says_no_more_than_that(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("the secret detail")

    monkeypatch.setattr("crmsync.frame.home.look", broken)
    client = client_of(Role.ACCOUNTANTS)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Something went wrong here" in answer.content.decode()
    assert "secret detail" not in answer.content.decode()


def test_a_run_of_ten_is_no_full_success(connected: None) -> None:
    for mapping in ("CURRENCY", "SALESPEOPLE", "CUSTOMER"):
        runs.run(mapping, limit=10)
    home = client_of(Role.ACCOUNTANTS).get("/").context["home"]
    assert [table.succeeded_at for table in home.tables] == [None, None, None]
    assert not home.tasks[-1].is_done


def test_nothing_is_in_process_on_home_while_no_worker_is_alive(connected: None) -> None:
    jobs.request(mapping="CUSTOMER", by="test")
    page = client_of(Role.ACCOUNTANTS).get("/").content.decode()
    assert "Waits for a worker" in page
    assert "In Process" not in page


@pytest.mark.parametrize(
    ("field", "value"), [("local_currency_code", "USD"), ("experience", "basic")]
)
def test_what_the_connection_stands_on_is_not_changed_beneath_it(
    connected: None, field: str, value: str
) -> None:
    company = CompanyInformation.objects.get()
    before = {"name": company.name, "local_currency_code": "GBP", "experience": "suite"}
    page = client_of(Role.ADMINISTRATORS).post("/company/", {**before, field: value})
    assert "This installation is connected to Sales" in page.content.decode()
    company.refresh_from_db()
    assert (company.local_currency_code, company.experience) == ("GBP", "suite")


def test_a_setup_that_is_half_done_is_begun_and_can_be_gone_on_with(connected: None) -> None:
    Connection.objects.update(is_being_set_up=True, is_enabled=False)

    answer = client_of(Role.ADMINISTRATORS).get("/")

    page = answer.content.decode().split("<main")[1]
    assert "The setup of the connection is not finished." in page
    assert '<a href="/setup/">Continue the setup</a>' in page
    assert "Begun" in page
    assert "Connected with" not in page
    assert "mend what disabled it" not in page
    task = answer.context["home"].tasks[1]
    assert (task.is_begun, task.is_done, task.url) == (True, False, "/setup/")


def test_who_may_not_set_up_is_told_who_finishes_the_setup(connected: None) -> None:
    Connection.objects.update(is_being_set_up=True, is_enabled=False)

    page = client_of(Role.OPERATIONS).get("/").content.decode()

    assert "An administrator finishes it; then a run can begin." in page
    assert "Continue the setup" not in page
