"""The pages Integration Table Mappings and Use Default Synchronization Setup."""

import re
from typing import Any, cast

import pytest
from django.http import HttpResponse
from django.test import Client

from crmsync.audit.models import Entry
from crmsync.frame.people import Role
from crmsync.mapping import in_force
from crmsync.mapping.models import ChangedSetting
from crmsync.mapping.overlay import OFF, Setting
from crmsync.mapping.registry import get_mapping
from crmsync.sync import jobs, services
from crmsync.terms import ConflictPolicy, Direction
from tests.coupling import records
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.remapped import change, of_table, off, way

pytestmark = pytest.mark.django_db

LIST = "/setup/mappings/"
CUSTOMER, DEFAULT = f"{LIST}CUSTOMER/", f"{LIST}default/"


@pytest.fixture
def administrator(db: None) -> Client:
    return client_of(Role.ADMINISTRATORS)


def text(answer: Any) -> str:
    return str(answer.content.decode())


def in_form(client: Client) -> dict[str, str]:
    """Every input of the page's form, as a browser would send it untouched."""
    form = client.get(CUSTOMER).context["form"]
    sent: dict[str, str] = {}
    for name, field in form.fields.items():
        value = form.get_initial_for_field(field, name)
        if value is True:
            sent[name] = "on"
        elif value is not False:
            sent[name] = value
    return sent


def save(client: Client, **chosen: str | None) -> HttpResponse:
    """What is None is left out, as a box without a tick."""
    sent = {**in_form(client), **chosen}
    kept = {name: one for name, one in sent.items() if one is not None}
    return cast(HttpResponse, client.post(CUSTOMER, kept))


def row(html: str, name: str) -> str:
    """The line of the table that a caption stands in."""
    return next(str(one) for one in re.findall(r"<tr.*?</tr>", html, re.S) if f">{name}<" in one)


def test_the_list_shows_every_mapping_with_what_was_changed(
    administrator: Client, connected: Sandbox
) -> None:
    change(off("fax_no"), of_table(Setting.CONFLICT_POLICY, "crm_wins"))

    html = text(administrator.get(LIST))

    for part in ("Customers", "Account", "↔ Bidirectional", "Sales wins", "2 changed"):
        assert part in row(html, "CUSTOMER")
    for part in ("From Sales", "Nothing can conflict", "No: only coupled records", "Default"):
        assert part in row(html, "SALESPEOPLE")
    assert CUSTOMER in row(html, "CUSTOMER")


def test_a_mapping_shows_its_fields_beside_each_other(administrator: Client) -> None:
    html = text(administrator.get(CUSTOMER))

    assert "address1_city" in row(html, "City")
    assert 'name="city-direction"' in row(html, "City")
    assert 'name="city-takes_part"' in row(html, "City")
    assert "→ To Sales" in row(html, "Credit Limit (LCY)")
    assert "<select" not in row(html, "Credit Limit (LCY)")
    assert "needed" in row(html, "Email")
    assert "takes_part" not in row(html, "Email")


def test_what_differs_from_the_default_is_marked(administrator: Client) -> None:
    change(off("fax_no"), way("city", "to_crm"))

    html = text(administrator.get(CUSTOMER))

    assert re.search(r"Differs.*Enabled", row(html, "Fax No."), re.S)
    assert "↔ Bidirectional" in row(html, "City")
    assert "Differs" not in row(html, "County")
    assert "2 settings differ from the default" in html


def test_what_is_chosen_holds_at_once_and_is_kept_on_record(administrator: Client) -> None:
    answer = save(
        administrator,
        **{"city-direction": "to_crm", "fax_no-takes_part": None, "creates_in_crm": None},
        conflict_policy="ledger_wins",
    )

    assert answer["Location"] == CUSTOMER
    made = get_mapping("CUSTOMER")
    assert made.field("city").direction is Direction.TO_CRM
    assert not made.field("fax_no").takes_part
    assert not made.creates_in_crm
    assert made.creates_in_ledger
    assert made.conflict_policy is ConflictPolicy.LEDGER_WINS
    assert ChangedSetting.objects.count() == 4
    assert Entry.objects.get(act="mapping_changed").who == "a-administrators"
    assert "4 settings were changed" in text(administrator.get(CUSTOMER))


def test_choosing_the_default_again_leaves_nothing_behind(administrator: Client) -> None:
    save(administrator, **{"city-direction": "to_crm", "fax_no-takes_part": None})

    save(administrator, **{"city-direction": "bidirectional", "fax_no-takes_part": "on"})

    assert not ChangedSetting.objects.exists()
    assert get_mapping("CUSTOMER").field("fax_no").takes_part


def test_saving_without_a_change_says_so(administrator: Client) -> None:
    save(administrator)

    assert "Nothing was changed." in text(administrator.get(CUSTOMER))
    assert not Entry.objects.filter(table="mapping").exists()


@pytest.mark.parametrize(
    "sent",
    [
        {"credit_limit-direction": "bidirectional"},
        {"number-takes_part": ""},
        {"match_on": "city"},
        {"creates_in_moon": "on"},
    ],
)
def test_what_the_page_does_not_offer_changes_nothing(
    administrator: Client, sent: dict[str, str]
) -> None:
    save(administrator, **sent)

    assert not ChangedSetting.objects.exists()


def test_a_choice_that_does_not_exist_is_named_beside_its_input(administrator: Client) -> None:
    answer = save(administrator, **{"city-direction": "sideways"})

    assert answer.status_code == 200
    assert "Select a valid choice" in row(text(answer), "City")
    assert not ChangedSetting.objects.exists()


def test_what_a_new_record_needs_is_refused_with_a_reason_and_what_was_chosen_stays(
    administrator: Client,
) -> None:
    answer = save(administrator, **{"name-direction": "to_crm", "fax_no-takes_part": None})

    assert answer.status_code == 409
    assert "Name: Direction must go both ways" in text(answer)
    assert '<option value="to_crm" selected>' in row(text(answer), "Name")
    assert "checked" not in row(text(answer), "Fax No.")
    assert not ChangedSetting.objects.exists()


def test_while_the_table_is_synchronized_nothing_is_saved(
    administrator: Client, connected: Sandbox
) -> None:
    sent = in_form(administrator)
    job = jobs.request(mapping="CUSTOMER", by="test")

    del sent["fax_no-takes_part"]
    answer = administrator.post(CUSTOMER, sent)

    assert answer.status_code == 409
    assert "A synchronization is under way: Customers." in text(answer)
    assert "Wait until it is over" in text(answer)
    jobs.cancel(job_id=job.pk)
    assert administrator.post(CUSTOMER, sent).status_code == 302
    assert not get_mapping("CUSTOMER").field("fax_no").takes_part


def test_two_who_change_the_same_mapping_do_not_overwrite_each_other(
    administrator: Client,
) -> None:
    mine = in_form(administrator) | {"city-direction": "from_crm"}
    change(off("fax_no"))

    answer = administrator.post(CUSTOMER, mine)

    assert answer.status_code == 409
    assert "Somebody changed the settings since this page was shown." in text(answer)
    assert "checked" not in row(text(answer), "Fax No.")
    assert [one.field for one in ChangedSetting.objects.all()] == ["fax_no"]


def test_a_mapping_that_goes_one_way_offers_what_can_be_chosen(administrator: Client) -> None:
    html = text(administrator.get("/setup/mappings/SALESPEOPLE/"))

    assert "there is nothing to choose" in html
    assert "<select" not in html.partition("<main")[2]
    assert 'name="phone_no-takes_part"' in html


def test_a_mapping_that_is_not_there_is_not_found(administrator: Client) -> None:
    assert administrator.get("/setup/mappings/VENDOR/").status_code == 404
    assert administrator.post("/setup/mappings/VENDOR/").status_code == 404


# Use Default Synchronization Setup


def test_the_difference_is_shown_before_it_is_removed(administrator: Client) -> None:
    change(off("fax_no"), way("city", "to_crm"))
    change(of_table(Setting.CREATES_IN_CRM, OFF, "CURRENCY"), mapping="CURRENCY")

    page = administrator.get(DEFAULT)
    html = text(page)

    assert "3 settings differ from the default" in html
    for caption, now, default in (
        ("Fax No.: Enabled", "No", "Yes"),
        ("City: Direction", "To Sales", "Bidirectional"),
        ("Creates missing records in Sales", "No", "Yes"),
    ):
        assert now in row(html, caption)
        assert default in row(html, caption)
    assert ChangedSetting.objects.count() == 3
    answer = administrator.post(DEFAULT, {"shown": page.context["defaults"].fingerprint})
    assert answer["Location"] == LIST
    assert not ChangedSetting.objects.exists()
    assert Entry.objects.filter(act="mappings_restored").count() == 2


@pytest.mark.parametrize("shown", ["", "0" * 32])
def test_what_was_not_shown_is_not_removed_but_shown(administrator: Client, shown: str) -> None:
    seen = administrator.get(DEFAULT)
    assert "Every setting is the default" in text(seen)
    change(off("fax_no"))

    answer = administrator.post(DEFAULT, {"shown": shown or services.shown(())})

    assert answer.status_code == 409
    assert "Fax No.: Enabled" in text(answer)
    assert ChangedSetting.objects.count() == 1


def test_the_default_waits_for_the_tables_that_would_change(
    administrator: Client, connected: Sandbox
) -> None:
    change(off("fax_no"))
    shown = services.shown(in_force.stored())
    other = jobs.request(mapping="CURRENCY", by="test")
    job = jobs.request(mapping="CUSTOMER", by="test")

    answer = administrator.post(DEFAULT, {"shown": shown})

    assert "A synchronization is under way: Customers." in text(answer)
    assert ChangedSetting.objects.count() == 1
    jobs.cancel(job_id=job.pk)
    assert administrator.post(DEFAULT, {"shown": shown}).status_code == 302
    jobs.cancel(job_id=other.pk)


def test_a_row_that_this_version_does_not_know_is_shown_and_goes(administrator: Client) -> None:
    ChangedSetting.objects.create(mapping="VENDOR", setting="colour", value="red")
    ChangedSetting.objects.create(
        mapping="CUSTOMER", field="shoe_size", setting="direction", value="to_crm"
    )

    page = administrator.get(DEFAULT)

    assert text(page).count("This version knows no such setting") == 2
    assert administrator.get(CUSTOMER).status_code == 200
    administrator.post(DEFAULT, {"shown": page.context["defaults"].fingerprint})
    assert not ChangedSetting.objects.exists()


# What other pages make of it


def test_a_new_row_is_not_offered_where_none_is_created() -> None:
    accountant = client_of(Role.ACCOUNTANTS)
    records.connection()
    ours = records.customer("10000")
    path = f"/tables/CUSTOMER/{ours.pk}/coupling/"
    assert "Create New in Sales" in text(accountant.get(path))

    change(of_table(Setting.CREATES_IN_CRM, OFF))

    assert "Create New in Sales" not in text(accountant.get(path))
    assert accountant.post(f"{path}new/").status_code == 404


def test_a_field_that_is_switched_off_is_left_alone_in_the_comparison() -> None:
    accountant = client_of(Role.ACCOUNTANTS)
    records.connection()
    ours = records.customer("10000", name="Nordic Boats", city="Odense")
    theirs = records.account("Nordic Boats", address1_city="Vejle")
    change(off("city"))

    html = text(
        accountant.get(f"/tables/CUSTOMER/{ours.pk}/coupling/", {"crm": str(theirs.crm_id)})
    )

    assert "Left alone" in row(html, "City")
    assert "Differs" not in row(html, "City")


def test_a_field_kept_in_sales_can_be_edited_here_once_it_is_switched_off() -> None:
    accountant = client_of(Role.ACCOUNTANTS)
    ours = records.customer("10000", city="Odense")
    records.couple(ours, records.account("Nordic Boats"))
    path = f"/tables/CUSTOMER/{ours.pk}/"
    change(way("city", "from_crm"))
    assert "Kept in Sales" in text(accountant.get(path))

    change(off("city"))

    assert "Kept in Sales" not in text(accountant.get(path))
