"""Enable, disable, change of credentials, redeployment and reset, judged by raw rows."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from crmsync.audit.actors import INSTALLATION
from crmsync.audit.models import Entry
from crmsync.connections import secrets
from crmsync.connections import services as connections
from crmsync.connections.models import Connection
from crmsync.connections.services import SECRET_PLACE
from crmsync.dataverse import administration
from crmsync.frame.people import Role
from crmsync.ledger.models import CompanyInformation
from crmsync.sync import jobs, working
from crmsync.sync.models import Coupling, CrmRecord, CrmTable, Job
from crmsync.sync.slices import Slice
from crmsync.terms import JobState
from setup_wizard import services
from setup_wizard.connection_setup import switching
from setup_wizard.errors import SetupProblem
from setup_wizard.guide.preflight import check_not_elsewhere
from setup_wizard.models import FormerConnection, SetupProgress
from tests.kept import Kept
from tests.people import client_of
from tests.sandboxes import Sandbox
from tests.setup_wizard.attempts import Attempt
from tests.setup_wizard.finishes import confirmed, finish, imports_go, imports_sent
from tests.setup_wizard.guide import Guide
from tests.setup_wizard.standing import (
    PAGE,
    Standing,
    refuse_sign_in,
    set_up,
    stand,
    stored,
    text,
)
from tests.sync import runs


@pytest.fixture
def standing(sandbox: Sandbox, db: None, kept_states: dict[str, Kept]) -> Standing:
    return stand(sandbox, kept_states)


def opened() -> str:
    return secrets.unseal(stored().sealed_secret, place=SECRET_PLACE)


def acts() -> list[str]:
    return list(Entry.objects.order_by("pk").values_list("act", flat=True))


# Enable and disable.


def test_disabling_stops_what_runs_with_the_reason_and_nothing_begins(standing: Standing) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")
    working.run_slice(part_id=job.parts.get().pk, worker="test")
    under_way = jobs.request(mapping="CURRENCY", by="test")

    answer = standing.post("disable", reason="The contract ended.")

    assert answer.headers["Location"] == PAGE
    row = stored()
    assert (row.is_enabled, row.disabled_because, row.disabled_by) == (
        False,
        "The contract ended.",
        "a-administrators",
    )
    for one in (job, under_way):
        one.refresh_from_db()
        assert (one.state, one.error_code) == (JobState.STOPPED, "connection_disabled")
        assert one.error_sentence == "The contract ended."
    mark = standing.sandbox.mark()
    later = runs.run("SALESPEOPLE")
    assert (later.state, later.error_sentence) == (JobState.STOPPED, "The contract ended.")
    assert standing.sandbox.journal(mark) == []
    assert "The contract ended." in standing.page()
    assert "The contract ended." in text(standing.client.get("/"))
    assert "The contract ended." in text(standing.client.get("/full-synchronization/"))


def test_a_worker_in_the_middle_of_a_slice_sends_nothing_after_the_connection_was_disabled(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")
    goes_on = Slice.before_request
    asked: list[Slice] = []

    def before_request(work: Slice) -> None:
        asked.append(work)
        standing.post("disable", reason="Stop.")
        goes_on(work)

    monkeypatch.setattr(Slice, "before_request", before_request)
    mark = standing.sandbox.mark()
    working.run_slice(part_id=job.parts.get().pk, worker="test")

    assert len(asked) == 1
    assert [one for one in standing.sandbox.journal(mark) if "accounts" in one["url"]] == []


def test_a_reason_is_required_and_the_page_asks_for_it(standing: Standing) -> None:
    assert "Reason" in text(standing.client.get(f"{PAGE}disable/"))

    page = text(standing.post("disable", reason=" "))

    assert "Say in a few words why" in page
    assert stored().is_enabled


def test_disabling_twice_keeps_the_first_reason_and_one_entry(standing: Standing) -> None:
    standing.post("disable", reason="First.")
    standing.post("disable", reason="Second.")

    assert stored().disabled_because == "First."
    assert acts().count("connection_disabled") == 1


def test_enabling_tests_first_and_refuses_with_what_it_found(standing: Standing) -> None:
    standing.post("disable", reason="To mend it.")
    refuse_sign_in(standing.sandbox)

    page = text(standing.post("enable"))

    assert "The connection stays disabled" in page
    assert "The application&#x27;s secret has expired." in page
    assert not stored().is_enabled
    assert acts().count("connection_enabled") == 0

    standing.sandbox.clear_faults()
    standing.post("enable")
    standing.post("enable")
    row = stored()
    assert (row.is_enabled, row.disabled_because, row.disabled_code) == (True, "", "")
    assert acts().count("connection_enabled") == 1
    assert runs.run("CURRENCY").state == JobState.FINISHED


def test_a_page_from_before_the_latest_disabling_enables_nothing(standing: Standing) -> None:
    standing.post("disable", reason="Closing of the month.")
    before = standing.shown()
    standing.post("enable", shown=before)
    standing.post("disable", reason="The secret leaked.")

    standing.post("enable", shown=before)

    assert (stored().is_enabled, stored().disabled_because) == (False, "The secret leaked.")
    assert "The connection was changed meanwhile." in standing.page()
    standing.post("enable", shown=standing.shown())
    assert stored().is_enabled


def test_setting_up_again_keeps_the_wait_that_sales_asked_of_the_same_user(
    standing: Standing,
) -> None:
    until = timezone.now() + timedelta(minutes=5)
    Connection.objects.update(gate_open_at=until)

    Attempt(standing.sandbox).connect()

    assert stored().gate_open_at == until
    Connection.objects.update(integration_user_id=uuid4())
    Attempt(standing.sandbox).connect()
    assert stored().gate_open_at is None


def test_a_company_that_cannot_be_connected_is_not_enabled(standing: Standing) -> None:
    standing.post("disable", reason="x")
    CompanyInformation.objects.update(experience="basic")

    standing.post("enable")

    assert not stored().is_enabled
    assert "uses the Basic experience" in standing.page()


def test_a_connection_that_changed_while_it_was_tested_is_not_enabled(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    standing.post("disable", reason="x")
    asked = administration.version

    def changed_meanwhile(client: Any) -> str:
        Connection.objects.update(sealed_secret="another")
        return asked(client)

    monkeypatch.setattr(administration, "version", changed_meanwhile)
    standing.post("enable")

    assert not stored().is_enabled
    assert "was changed meanwhile" in standing.page()


def test_two_who_tested_the_same_connection_enable_it_once(standing: Standing) -> None:
    standing.post("disable", reason="x")
    tested = stored()

    switching._enable(tested, INSTALLATION)
    switching._enable(tested, INSTALLATION)

    assert stored().is_enabled
    assert acts().count("connection_enabled") == 1


# Change of credentials.


def test_a_new_secret_is_tried_sealed_and_taken_up_by_itself(standing: Standing) -> None:
    client = connections.open_client(connection=stored())
    before = stored().sealed_secret

    page = text(standing.client.get(f"{PAGE}credentials/"))
    answer = standing.post("credentials", kind="application", application_secret=standing.secret)

    assert standing.secret not in page
    assert answer.headers["Location"] == PAGE
    assert stored().sealed_secret != before
    assert opened() == standing.secret
    assert connections.open_client(connection=stored()) is not client
    assert runs.run("CURRENCY").state == JobState.FINISHED
    entry = Entry.objects.get(act="credentials_changed")
    assert standing.secret not in f"{entry.before} {entry.after}"
    assert entry.after["credentials"] == "set"


def test_a_wrong_secret_is_refused_and_the_stored_one_stays(standing: Standing) -> None:
    before = stored().sealed_secret

    page = text(standing.post("credentials", kind="application", application_secret="wrong one"))

    assert "The credentials were not changed." in page
    assert "The application&#x27;s secret is not valid." in page
    assert "wrong one" not in page
    assert stored().sealed_secret == before
    assert "credentials_changed" not in acts()


def test_a_secret_of_another_user_leads_to_the_guide(standing: Standing) -> None:
    Connection.objects.update(integration_user_id=uuid4())
    before = stored().sealed_secret

    form = {"kind": "application", "application_secret": standing.secret}
    page = text(standing.post("credentials", **form))

    assert "another user than the one that was set up" in page
    assert "Assisted Setup" in page
    assert stored().sealed_secret == before


def test_without_the_privileges_new_credentials_are_not_stored(standing: Standing) -> None:
    before = stored().sealed_secret
    standing.sandbox.fault(
        {"path": "RetrieveUserPrivileges"}, {"status": 200, "body": '{"RolePrivileges": []}'}
    )

    form = {"kind": "application", "application_secret": standing.secret}
    page = text(standing.post("credentials", **form))

    assert "Missing: prv" in page
    assert stored().sealed_secret == before


def test_an_application_may_go_over_to_a_certificate(sandbox: Sandbox, standing: Standing) -> None:
    identity = sandbox.ready["certificate_application"]
    user = sandbox.ready["certificate_application"]["client_id"]
    Connection.objects.all().delete()
    kind = Connection.IdentityKind.CERTIFICATE
    Attempt(
        sandbox, {"integration_user": services.IntegrationUser(kind, user, identity["pem"])}
    ).connect()
    Connection.objects.update(credential_expires_at=None)

    answer = standing.post("credentials", kind="certificate", certificate=identity["pem"])

    assert answer.headers["Location"] == PAGE, text(answer)
    row = stored()
    assert row.credential_expires_at is not None
    assert row.identity_kind == "certificate"
    unreadable = text(standing.post("credentials", kind="certificate", certificate="nonsense"))
    assert "The text holds no private key." in unreadable
    assert stored().sealed_secret == row.sealed_secret


def test_a_user_with_a_password_is_asked_for_a_password_alone(
    sandbox: Sandbox, standing: Standing
) -> None:
    Connection.objects.update(
        identity_kind="password", integration_username="x@y.example", application_id="a"
    )

    page = text(standing.client.get(f"{PAGE}credentials/"))

    assert "New password" in page
    assert "New client secret" not in page
    refused = standing.post("credentials", kind="application", application_secret="s")
    assert refused.status_code == 200
    assert "New password" in text(refused)


def test_credentials_that_were_proved_for_another_connection_are_not_stored(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = administration.user

    def replaced_meanwhile(client: Any, user_id: Any) -> Any:
        Connection.objects.update(application_id="another", sealed_secret="another")
        return asked(client, user_id)

    monkeypatch.setattr(administration, "user", replaced_meanwhile)
    form = {"kind": "application", "application_secret": standing.secret}
    page = text(standing.post("credentials", **form))

    assert "was changed meanwhile" in page
    assert stored().sealed_secret == "another"


# Redeploy Integration Solution.


def test_the_solution_is_imported_again_once_although_it_is_there(standing: Standing) -> None:
    imports_go(standing.sandbox, seconds=0, hidden=0)
    mark = standing.sandbox.mark()
    guide = Guide(standing.client, standing.sandbox)

    assert standing.post("redeploy").headers["Location"] == "/setup/environment/"
    assert standing.post("redeploy").status_code == 302
    assert guide.post("environment").status_code == 302
    assert "will be imported again" in text(guide.get("administrator"))
    confirmed(guide)
    finish(guide)

    assert len(imports_sent(standing.sandbox, mark)) == 1
    assert "imported over version 1.0.0.0" in text(standing.client.get("/setup/done/"))
    assert acts().count("redeployment_begun") == 1
    assert not SetupProgress.objects.exists()

    again = standing.sandbox.mark()
    confirmed(guide)
    finish(guide)
    assert imports_sent(standing.sandbox, again) == []


def test_what_is_confirmed_says_that_it_is_imported_again(standing: Standing) -> None:
    guide = Guide(standing.client, standing.sandbox)
    guide.until("check")
    assert "unless it is there already" in text(guide.get("check"))

    standing.post("redeploy")

    assert "again, even if it is there" in text(guide.get("check"))


def test_without_an_administrator_nothing_is_imported_again(sandbox: Sandbox, db: None) -> None:
    # Set up anew: a kept state lays in no table that an import added.
    set_up(sandbox)
    standing = Standing(sandbox, client_of(Role.ADMINISTRATORS))
    guide = Guide(standing.client, standing.sandbox)
    standing.post("redeploy")
    mark = standing.sandbox.mark()

    confirmed(guide, administrator={"kind": "none"})
    finish(guide)

    assert imports_sent(standing.sandbox, mark) == []


# Reset.


def test_the_page_of_a_reset_names_what_goes_and_what_stays(standing: Standing) -> None:
    page = text(standing.client.get(f"{PAGE}reset/"))

    assert "What is forgotten" in page
    assert "all couplings" in page
    assert "Delete the solution crmsync in Power Apps" in page
    assert Connection.objects.exists()


def test_a_reset_forgets_the_secret_and_keeps_couplings(standing: Standing) -> None:
    runs.settle()
    live = Coupling.objects.filter(removed_at__isnull=True).count()
    mark = standing.sandbox.mark()

    assert standing.reset().headers["Location"] == "/setup/"
    assert standing.reset().headers["Location"] == "/setup/"

    assert not Connection.objects.exists()
    assert Coupling.objects.filter(removed_at__isnull=True).count() == live > 0
    assert standing.sandbox.journal(mark) == []
    assert acts().count("connection_reset") == 1

    Attempt(standing.sandbox).connect()
    again = runs.run_all()
    assert {job.state for job in again} == {JobState.FINISHED}
    for job in again:
        assert sum(part.inserted + part.modified for part in job.parts.all()) == 0, job.mapping
    assert not FormerConnection.objects.exists()
    assert any(entry["act"] == "solution" for entry in stored().receipt["earlier"])


def test_while_couplings_stay_no_other_organization_is_connected(standing: Standing) -> None:
    runs.settle()
    standing.reset()

    with pytest.raises(SetupProblem, match="is connected with"):
        check_not_elsewhere(uuid4())
    Coupling.objects.all().delete()
    check_not_elsewhere(uuid4())


def test_a_row_deleted_in_sales_between_two_connections_is_found_to_be_deleted(
    standing: Standing,
) -> None:
    runs.run_all()
    standing.reset()
    gone = CrmRecord.objects.filter(table="account", is_deleted=False).first()
    assert gone is not None
    readings = dict(CrmTable.objects.values_list("logical_name", "reading"))
    standing.sandbox.edit({"set": "accounts", "delete": str(gone.crm_id)})

    Attempt(standing.sandbox).connect()
    jobs.read_sales(mapping="CUSTOMER", by="test")

    gone.refresh_from_db()
    assert gone.is_deleted
    assert CrmTable.objects.get(pk="account").reading > readings["account"]


def test_a_page_that_shows_another_connection_does_not_forget_this_one(standing: Standing) -> None:
    page = text(standing.client.get(f"{PAGE}reset/"))
    Attempt(standing.sandbox).connect()

    standing.post("reset", shown=page.split('name="shown" value="')[1].split('"')[0])
    standing.post("reset")

    assert Connection.objects.exists()
    assert "The connection was changed meanwhile." in standing.page()


def test_a_reset_is_refused_while_a_run_is_active(standing: Standing) -> None:
    job = jobs.request(mapping="CUSTOMER", by="test")

    standing.reset()

    assert Connection.objects.exists()
    assert "A synchronization is under way." in standing.page()
    assert Job.objects.get(pk=job.pk).state == JobState.RUNNING
