"""Imports that run as jobs: how they progress, and how they go wrong."""

from pathlib import Path

from tests.sandbox import zips
from tests.sandbox.harness import Client, Sandbox, new_id, refused, running
from tests.sandbox.importing import advance, begun, installed, operation, pace


def test_an_import_progresses_until_its_solution_is_there(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=100, hidden=10)
    job_id = new_id()
    keys = begun(admin, zips.solution(), job_id)
    job = f"importjobs({job_id})?$select=progress,startedon,completedon,solutionname,data"
    assert keys["ImportJobKey"] == job_id
    assert refused(admin.get(job)) == (404, "0x80040217")
    assert (operation(admin, keys)["statecode"], operation(admin, keys)["statuscode"]) == (0, 0)
    advance(sandbox, 50)
    row = admin.get(job).json()
    assert 50 <= row["progress"] < 60
    assert (row["completedon"], row["solutionname"]) == (None, "tester")
    assert operation(admin, keys)["statuscode"] == 20
    assert installed(admin) == []
    advance(sandbox, 50)
    assert (operation(admin, keys)["statecode"], operation(admin, keys)["statuscode"]) == (3, 30)
    row = admin.get(job).json()
    assert row["progress"] == 100
    assert row["completedon"]
    assert 'result="success"' in row["data"]
    [solution] = installed(admin)
    assert (solution["version"], solution["ismanaged"]) == ("1.0.0.0", True)


def test_a_failing_job_says_why_and_leaves_nothing(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=0, outcome="failed", message="The disk is full.")
    keys = begun(admin, zips.solution())
    row = operation(admin, keys)
    assert (row["statecode"], row["statuscode"]) == (3, 31)
    assert row["friendlymessage"] == "The disk is full."
    assert row["errorcode"] == -2147188685  # 0x80048033 as the service's Int32
    assert installed(admin) == []
    assert 'result="failure"' in admin.get(f"importjobs({keys['ImportJobKey']})").json()["data"]


def test_a_job_may_fail_on_what_the_zip_asks(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=0)
    keys = begun(admin, zips.solution(privileges={"prvReadNothing": "Global"}))
    row = operation(admin, keys)
    assert row["statuscode"] == 31
    assert "prvReadNothing" in row["message"]
    assert refused(admin.get("tst_places")) == (404, "0x8006088a")


def test_a_job_may_never_end(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=1, outcome="never")
    keys = begun(admin, zips.solution())
    advance(sandbox, 86_400)
    later = sandbox.administrator()
    assert operation(later, keys)["statuscode"] == 20
    assert later.get(f"importjobs({keys['ImportJobKey']})").json()["progress"] == 95
    assert installed(later) == []


def test_the_rows_of_a_job_may_vanish_though_it_worked(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=0, outcome="vanished")
    keys = begun(admin, zips.solution())
    assert installed(admin)
    for path in (
        f"asyncoperations({keys['AsyncOperationId']})",
        f"importjobs({keys['ImportJobKey']})",
    ):
        assert refused(admin.get(path)) == (404, "0x80040217")


def test_an_import_waits_for_nobody_and_lets_nobody_in(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=100)
    job_id = new_id()
    begun(admin, zips.solution(), job_id)
    again = admin.request("POST", "ImportSolutionAsync", zips.import_body(zips.solution(), job_id))
    assert refused(again) == (412, "0x80040237")
    another = admin.request("POST", "ImportSolutionAsync", zips.import_body(zips.solution()))
    assert refused(another) == (429, "0x80071151")
    advance(sandbox, 100)
    assert len(installed(admin)) == 1


def test_a_job_id_is_not_taken_twice_even_later(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=0)
    job_id = new_id()
    begun(admin, zips.solution(), job_id)
    again = admin.request("POST", "ImportSolutionAsync", zips.import_body(zips.solution(), job_id))
    assert refused(again) == (412, "0x80040237")


def test_an_import_survives_a_restart(data_file: Path) -> None:
    with running(data_file) as first:
        pace(first, seconds=100)
        keys = begun(first.administrator(), zips.solution())
        advance(first, 100)
    with running(data_file) as second:
        admin = second.administrator()
        assert operation(admin, keys)["statuscode"] == 30
        assert admin.created("tst_places", tst_name="Here")


def test_a_staged_solution_is_imported_by_its_upload_id(admin: Client, sandbox: Sandbox) -> None:
    pace(sandbox, seconds=0)
    file = zips.import_body(zips.solution())["CustomizationFile"]
    staged = admin.request("POST", "StageSolution", {"CustomizationFile": file})
    results = staged.json()["StageSolutionResults"]
    assert results["StageSolutionStatus"] == "Passed"
    assert results["SolutionDetails"]["SolutionUniqueName"] == "tester"
    body = {
        "OverwriteUnmanagedCustomizations": True,
        "PublishWorkflows": True,
        "SolutionParameters": {"StageSolutionUploadId": results["StageSolutionUploadId"]},
    }
    assert admin.request("POST", "ImportSolutionAsync", body).status_code == 200
    assert installed(admin)
