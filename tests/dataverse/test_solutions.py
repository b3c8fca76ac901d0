"""The import of a solution: once, followed to its end, and what it brought."""

import re
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import orjson
import pytest

from crmsync.dataverse import solution_zip, solutions
from crmsync.dataverse.client import Client, Table
from crmsync.dataverse.errors import (
    ConnectionLost,
    ImportFailed,
    NotAMember,
    PrivilegeMissing,
    Throttled,
    UnreadableAnswer,
)
from crmsync.dataverse.solutions import ImportStarted, ImportState
from tests.dataverse.solution_examples import ROLE_ID, sample
from tests.dataverse.wires import administrator, pace, pass_time
from tests.sandboxes import Sandbox

THING = Table("csy_thing", "csy_things", "csy_thingid")


@pytest.fixture
def admin(sandbox: Sandbox) -> Client:
    pace(sandbox, seconds=60, hidden=5, outcome="done")
    return administrator(sandbox)


def start(admin: Client, *, data: bytes = b"", job: UUID | None = None) -> ImportStarted:
    built = data or solution_zip.build(sample())
    return solutions.start_import(admin, built, import_job_id=job or uuid4())


def finished(sandbox: Sandbox, admin: Client, started: ImportStarted) -> ImportState:
    pass_time(sandbox, 61)
    return solutions.import_state(admin, started)


def imports_asked_for(sandbox: Sandbox, mark: int) -> int:
    return sum(entry["url"].endswith("/ImportSolutionAsync") for entry in sandbox.writes(mark))


def test_a_solution_that_is_not_there_is_none(admin: Client) -> None:
    assert solutions.installed(admin, "sample") is None


def test_an_import_is_followed_to_its_end(sandbox: Sandbox, admin: Client) -> None:
    started = start(admin)

    at_once = solutions.import_state(admin, started)
    pass_time(sandbox, 30)
    halfway = solutions.import_state(admin, started)
    pass_time(sandbox, 31)
    ended = solutions.import_state(admin, started)

    assert (at_once.is_over, at_once.progress) == (False, 0.0)
    assert not halfway.is_over
    assert 0 < halfway.progress < 100
    assert halfway.is_seen
    assert (ended.is_over, ended.has_failed, ended.progress) == (True, False, 100.0)
    ended.check()
    found = solutions.installed(admin, "sample")
    assert found
    assert (found.version, found.is_managed) == ((1, 0, 0, 0), True)
    assert found.friendly_name == "A sample & more"
    assert found.installed_at


def test_what_the_solution_declares_comes_into_being(sandbox: Sandbox, admin: Client) -> None:
    finished(sandbox, admin, start(admin)).check()

    row = {THING.primary_key: str(uuid4()), "csy_name": "One", "csy_note": "x" * 400}
    assert admin.create_each(THING, [row]) == [None]
    (kept,) = sandbox.dump("csy_things")
    assert kept["csy_note"] == "x" * 400
    assert str(ROLE_ID) in {role["roleid"] for role in sandbox.dump("roles")}


def test_a_newer_version_takes_the_place_of_an_older_one(sandbox: Sandbox, admin: Client) -> None:
    finished(sandbox, admin, start(admin)).check()

    newer = solution_zip.build(sample((1, 10, 0, 0)))
    finished(sandbox, admin, start(admin, data=newer)).check()

    found = solutions.installed(admin, "sample")
    assert found
    assert found.version == (1, 10, 0, 0)
    assert len([s for s in sandbox.dump("solutions") if s["uniquename"] == "sample"]) == 1


@pytest.mark.parametrize("drop", ["before", "after"])
def test_asked_again_after_a_lost_answer_it_imports_once(
    sandbox: Sandbox, admin: Client, drop: str
) -> None:
    job = uuid4()
    sandbox.fault({"path": "/ImportSolutionAsync"}, {"drop": drop}, times=1)

    with pytest.raises(ConnectionLost):
        start(admin, job=job)
    again = start(admin, job=job)

    assert finished(sandbox, admin, again).is_over
    assert solutions.installed(admin, "sample")
    assert len(sandbox.dump("importjobs")) == 1


def test_asked_again_while_it_runs_or_after_it_ended_it_imports_once(
    sandbox: Sandbox, admin: Client
) -> None:
    job, mark = uuid4(), sandbox.mark()
    start(admin, job=job)
    pass_time(sandbox, 30)
    while_it_runs = start(admin, job=job)
    pass_time(sandbox, 31)
    solutions.import_state(admin, while_it_runs)
    afterwards = start(admin, job=job)

    assert imports_asked_for(sandbox, mark) == 1
    state = solutions.import_state(admin, afterwards)
    assert (state.is_over, state.has_failed) == (True, False)


def test_asked_three_times_at_once_it_imports_once(sandbox: Sandbox, admin: Client) -> None:
    job = uuid4()
    clients = [administrator(sandbox) for _ in range(3)]

    with ThreadPoolExecutor(3) as pool:
        started = list(pool.map(lambda client: start(client, job=job), clients))

    assert {found.import_job_id for found in started} == {job}
    assert finished(sandbox, admin, started[0]).is_over
    assert len(sandbox.dump("importjobs")) == 1


LOG = """<?xml version="1.0" encoding="utf-16"?>
<importexportxml start="0" stop="1" progress="100" {marks}>
  <solutionManifests><solutionManifest id="sample">
    <result result="success" errorcode="0" errortext="" />
  </solutionManifest></solutionManifests>
  <entities><entity id="csy_thing">{entity}</entity></entities>
</importexportxml>"""
FAILED_PART = '<result result="failure" errorcode="0x80044182" errortext="No column." />'
UNTOLD_PART = '<result result="failure" errorcode="0x80044182" errortext="" />'


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (LOG.format(marks="", entity=""), ""),
        (LOG.format(marks="", entity=FAILED_PART), "No column."),
        (LOG.format(marks="", entity=UNTOLD_PART), "(0x80044182)"),
        (LOG.format(marks='succeeded="false"', entity=""), "The import did not succeed."),
        (None, ""),
    ],
)
def test_without_its_system_job_an_import_is_judged_by_its_log(
    sandbox: Sandbox, admin: Client, log: str | None, message: str
) -> None:
    job = {"progress": 100.0, "completedon": "2026-05-04T12:00:00Z", "data": log}
    sandbox.fault({"path": "/importjobs"}, {"body": orjson.dumps(job).decode()})

    state = solutions.import_state(admin, ImportStarted(uuid4(), None))

    assert (state.is_over, state.has_failed, state.message) == (True, bool(message), message)


@pytest.mark.parametrize("log", ["<a", '<!DOCTYPE x [<!ENTITY e "e">]><importexportxml />'])
def test_a_log_that_cannot_be_read_claims_nothing(
    sandbox: Sandbox, admin: Client, log: str
) -> None:
    job = {"progress": 100.0, "completedon": "2026-05-04T12:00:00Z", "data": log}
    sandbox.fault({"path": "/importjobs"}, {"body": orjson.dumps(job).decode()})

    with pytest.raises(UnreadableAnswer):
        solutions.import_state(admin, ImportStarted(uuid4(), None))


def test_a_second_import_waits_for_the_first(admin: Client) -> None:
    start(admin)

    with pytest.raises(Throttled):
        start(admin)


@pytest.mark.parametrize("is_answer_lost", [False, True])
def test_a_failed_import_says_what_sales_said(
    sandbox: Sandbox, admin: Client, is_answer_lost: bool
) -> None:
    pace(sandbox, outcome="failed", message='Component X <needs> "Y".')
    started = start(admin)
    if is_answer_lost:
        started = ImportStarted(started.import_job_id, None)

    state = finished(sandbox, admin, started)

    assert (state.is_over, state.has_failed) == (True, True)
    with pytest.raises(ImportFailed, match=re.escape('Component X <needs> "Y".')):
        state.check()
    assert solutions.installed(admin, "sample") is None


def test_an_import_that_never_ends_is_never_over(sandbox: Sandbox, admin: Client) -> None:
    pace(sandbox, outcome="never")
    started = start(admin)
    pass_time(sandbox, 24 * 3600)

    state = solutions.import_state(admin, started)

    assert (state.is_over, state.has_failed, state.is_seen) == (False, False, True)


def test_an_import_whose_rows_vanish_is_not_seen_and_its_solution_tells(
    sandbox: Sandbox, admin: Client
) -> None:
    pace(sandbox, outcome="vanished")
    started = start(admin)

    state = finished(sandbox, admin, started)

    assert (state.is_over, state.is_seen) == (False, False)
    assert solutions.installed(admin, "sample")


@pytest.mark.parametrize("data", [b"no zip", solution_zip.build(sample())[:300]])
def test_a_file_that_sales_cannot_read_is_refused_at_once(admin: Client, data: bytes) -> None:
    with pytest.raises(ImportFailed) as caught:
        start(admin, data=data)

    assert caught.value.trace.service_code


def test_an_older_version_does_not_replace_a_newer_one(sandbox: Sandbox, admin: Client) -> None:
    finished(sandbox, admin, start(admin, data=solution_zip.build(sample((2, 0, 0, 0))))).check()

    state = finished(sandbox, admin, start(admin))

    assert state.has_failed
    assert "newer" in state.message


def test_who_may_not_import_is_told_so(sandbox: Sandbox, client: Client) -> None:
    with pytest.raises((PrivilegeMissing, NotAMember)):
        start(client)


def test_a_version_written_in_an_odd_way_is_not_known(sandbox: Sandbox, admin: Client) -> None:
    body = {"value": [_row("9.0-preview")]}
    sandbox.fault({"path": "/solutions"}, {"body": orjson.dumps(body).decode()})

    found = solutions.installed(admin, "sample")

    assert found
    assert found.version is None


def _row(version: str) -> dict[str, object]:
    return {
        "@odata.etag": 'W/"1"',
        "solutionid": str(uuid4()),
        "uniquename": "sample",
        "version": version,
        "ismanaged": True,
        "installedon": None,
    }
