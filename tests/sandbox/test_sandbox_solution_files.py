"""Hostile and broken solution files: each is refused with its code, and nothing is imported."""

import io
import zipfile

import pytest

from crmsync.sandbox.solution_files import BadSolutionError, read, version_key
from tests.sandbox import zips
from tests.sandbox.harness import Client, new_id, refused

INVALID_FILE = "0x80048000"
INVALID_XML = "0x8004802c"
DOCTYPE = '<!DOCTYPE x [<!ENTITY a "b">]>'


def with_files(**changes: str | bytes | None) -> bytes:
    files = zips.files()
    for name, content in changes.items():
        key = name.replace("__", ".")
        files.pop(key, None)
        if content is not None:
            files[key] = content
    return zips.zipped(files)


def with_entry(name: str, *, mode: int = 0) -> bytes:
    buffer = io.BytesIO(zips.zipped(zips.files()))
    with zipfile.ZipFile(buffer, "a") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = mode << 16
        archive.writestr(entry, "x")
    return buffer.getvalue()


def bomb() -> bytes:
    return with_files(customizations__xml=b" " * 60_000_000)


BROKEN = {
    "no zip": (b"PK no zip at all", INVALID_FILE),
    "empty": (b"", INVALID_FILE),
    "cut short": (zips.solution()[:-30], INVALID_FILE),
    "no manifest": (with_files(solution__xml=None), INVALID_FILE),
    "no customizations": (with_files(customizations__xml=None), INVALID_FILE),
    "climbing out": (with_entry("../evil.xml"), INVALID_FILE),
    "climbing out backwards": (with_entry("a\\..\\..\\evil.xml"), INVALID_FILE),
    "absolute": (with_entry("/etc/evil.xml"), INVALID_FILE),
    "a drive": (with_entry("c:evil.xml"), INVALID_FILE),
    "a symbolic link": (with_entry("link", mode=0o120777), INVALID_FILE),
    "not XML": (with_files(solution__xml="<ImportExportXml>"), INVALID_XML),
    "a document type": (with_files(solution__xml=f"{DOCTYPE}{zips.solution_xml()}"), INVALID_XML),
    "a document type inside": (
        with_files(customizations__xml=f"{DOCTYPE}{zips.customizations()}"),
        INVALID_XML,
    ),
    "another root": (with_files(solution__xml="<Other />"), INVALID_XML),
    "no version": (
        with_files(solution__xml=zips.solution_xml(version="one")),
        INVALID_XML,
    ),
    "a newer package": (with_files(solution__xml=zips.solution_xml(package="9.3")), "0x80048066"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_refused(name: str) -> None:
    data, code = BROKEN[name]
    with pytest.raises(BadSolutionError) as refusal:
        read(data)
    assert refusal.value.code == code


def test_a_file_that_unpacks_to_too_much_is_refused_early() -> None:
    with pytest.raises(BadSolutionError, match="too large"):
        read(bomb())


def test_doubled_and_too_many_entries_are_refused() -> None:
    many = zips.zipped({**zips.files(), **{f"f{n}": "" for n in range(1_001)}})
    buffer = io.BytesIO(zips.zipped(zips.files()))
    with zipfile.ZipFile(buffer, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("solution.xml", zips.solution_xml(version="2.0.0.0"))
    for data in (many, buffer.getvalue()):
        with pytest.raises(BadSolutionError, match="entries"):
            read(data)


def test_the_service_answers_with_the_code_and_imports_nothing(admin: Client) -> None:
    for action in ("ImportSolution", "ImportSolutionAsync"):
        for data, code in (BROKEN["no zip"], BROKEN["a document type"]):
            body = zips.import_body(data, new_id())
            assert refused(admin.request("POST", action, body)) == (400, code)
    file = zips.import_body(BROKEN["no zip"][0])["CustomizationFile"]
    staged = admin.request("POST", "StageSolution", {"CustomizationFile": file}).json()
    assert staged["StageSolutionResults"]["StageSolutionStatus"] == "Failed"
    assert len(admin.rows("solutions?$select=uniquename")) == 1


def test_components_that_the_manifest_does_not_list_are_left_out() -> None:
    body = zips.customizations(
        entities=(zips.place_table(),), roles=(zips.role("Tester Role", zips.PRIVILEGES),)
    )
    found = read(zips.zipped(zips.files(zips.solution_xml(), body)))
    assert (found.entities, found.roles) == ((), ())


def test_versions_compare_as_numbers() -> None:
    assert version_key("1.10.0.0") > version_key("1.9.9.9")
    assert version_key("1.0") == version_key("1.0.0.0")
