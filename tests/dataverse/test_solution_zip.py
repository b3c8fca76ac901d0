"""The solution's zip: what is built is what is read, and nothing hostile is opened."""

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmsync.dataverse import solution_zip
from crmsync.dataverse.errors import SolutionUnreadable
from crmsync.dataverse.solution import (
    Depth,
    NewTable,
    Publisher,
    RolePrivilege,
    Solution,
    SolutionRole,
    TextColumn,
    parse_version,
    version_text,
)
from tests.dataverse import solution_examples

SAMPLE = solution_examples.sample()

# What XML can carry, on one line: names have no line breaks.
labels = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")).filter(
        lambda c: c not in "\ufffe\uffff"
    ),
    max_size=30,
)
names = st.from_regex(r"csy_[a-z0-9_]{1,20}", fullmatch=True)
columns = st.builds(TextColumn, names, labels, st.integers(1, 4000))
privileges = st.builds(
    RolePrivilege, st.from_regex(r"prv[A-Za-z_]{1,30}", fullmatch=True), st.sampled_from(Depth)
)
solutions = st.builds(
    Solution,
    unique_name=names,
    friendly_name=labels,
    version=st.tuples(*[st.integers(0, 99_999)] * 4),
    publisher=st.builds(
        Publisher,
        names,
        labels,
        st.from_regex(r"[a-z]{2,8}", fullmatch=True),
        st.integers(10_000, 99_999),
    ),
    roles=st.lists(
        st.builds(SolutionRole, st.uuids(), labels, st.lists(privileges, max_size=5).map(tuple)),
        max_size=3,
    ).map(tuple),
    tables=st.lists(
        st.builds(
            NewTable,
            names,
            labels,
            labels,
            names,
            columns,
            st.lists(columns, max_size=3).map(tuple),
        ),
        max_size=3,
    ).map(tuple),
)


@settings(deadline=None)
@given(solutions)
def test_what_is_built_is_what_is_read(solution: Solution) -> None:
    assert solution_zip.read(solution_zip.build(solution)) == solution


@settings(deadline=None)
@given(solutions)
def test_the_same_solution_gives_the_same_bytes(solution: Solution) -> None:
    assert solution_zip.build(solution) == solution_zip.build(solution)


@given(st.tuples(*[st.integers(0, 999)] * 4), st.tuples(*[st.integers(0, 999)] * 4))
def test_versions_compare_number_by_number(
    first: tuple[int, int, int, int], second: tuple[int, int, int, int]
) -> None:
    assert parse_version(version_text(first)) == first
    assert (parse_version(version_text(first)) < parse_version(version_text(second))) == (
        first < second
    )


def test_ten_is_newer_than_nine() -> None:
    assert parse_version("1.10") > parse_version("1.9.9.9")


@pytest.mark.parametrize("text", ["", "1.", "1.2.3.4.5", "1.a", "-1.0", "1,0", "٣.1", "9" * 12])
def test_what_is_no_version_is_none(text: str) -> None:
    with pytest.raises(SolutionUnreadable):
        parse_version(text)


def test_the_three_files_stand_at_the_root() -> None:
    with zipfile.ZipFile(io.BytesIO(solution_zip.build(SAMPLE))) as archive:
        assert archive.namelist() == ["[Content_Types].xml", "solution.xml", "customizations.xml"]
        assert b"<Managed>1</Managed>" in archive.read("solution.xml")


def zipped(files: dict[str, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()


def files_of(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sample(**changed: bytes) -> dict[str, bytes]:
    """The sample's files; ``solution`` and ``customizations`` may be put in place of its own."""
    files = files_of(solution_zip.build(SAMPLE))
    return files | {f"{name}.xml": content for name, content in changed.items()}


def with_lying_size() -> bytes:
    """Four bytes are declared where twenty megabytes unfold."""
    data = bytearray(zipped(sample(solution=b" " * 20_000_000)))
    real = struct.pack("<I", 20_000_000)
    assert data.count(real) == 2
    return bytes(data).replace(real, struct.pack("<I", 4))


def with_link() -> bytes:
    held = io.BytesIO(zipped(sample()))
    with zipfile.ZipFile(held, "a") as archive:
        entry = zipfile.ZipInfo("link.xml")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, b"/etc/hostname")
    return held.getvalue()


def encrypted() -> bytes:
    data = bytearray(zipped(sample()))
    at = data.find(b"PK\x01\x02", data.find(b"PK\x01\x02") + 4)  # solution.xml's
    data[at + 8] |= 1
    return bytes(data)


BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    b'<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><ImportExportXml>&b;</ImportExportXml>'
)
OUTSIDE = (
    b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>'
    b"<ImportExportXml>&e;</ImportExportXml>"
)
HOSTILE = {
    "nothing": b"",
    "no zip": b"Salutations" * 100,
    "cut in half": solution_zip.build(SAMPLE)[:400],
    "too large": b"PK" + bytes(9 * 1024 * 1024),
    "empty zip": zipped({}),
    "no manifest": zipped({"customizations.xml": b"<a/>"}),
    "many files": zipped({**sample(), **{f"{n}.xml": b"" for n in range(200)}}),
    "twice the same": zipped({**sample(), "one.xml": b"", "two.xml": b""}).replace(b"two", b"one"),
    "climbs out": zipped({**sample(), "../../evil.xml": b""}),
    "climbs out backwards": zipped({**sample(), "..\\evil.xml": b""}),
    "absolute": zipped({**sample(), "/etc/evil.xml": b""}),
    "drive": zipped({**sample(), "C:evil.xml": b""}),
    "link": with_link(),
    "encrypted": encrypted(),
    "unfolds": zipped(sample(customizations=b" " * 20_000_000)),
    "lies about its size": with_lying_size(),
    "nested a million times": zipped(sample(customizations=b"<a>" * 1_000_000)),
    "no XML": zipped(sample(solution=b"{}")),
    "bomb": zipped(sample(customizations=BOMB)),
    "file of ours": zipped(sample(solution=OUTSIDE)),
    "bare DTD": zipped(sample(solution=b"<!DOCTYPE x><ImportExportXml />")),
    "odd encoding": zipped(sample(solution=b'<?xml version="1.0" encoding="zap"?><a/>')),
    "empty manifest": zipped(sample(solution=b"<ImportExportXml />")),
    "role without id": zipped(
        sample(customizations=b"<ImportExportXml><Roles><Role /></Roles></ImportExportXml>")
    ),
    "table without definition": zipped(
        sample(customizations=b"<a><Entities><Entity /></Entities></a>")
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_solution_is_refused_by_name(name: str) -> None:
    with pytest.raises(SolutionUnreadable) as caught:
        solution_zip.read(HOSTILE[name])

    assert caught.value.remedy


@settings(deadline=None)
@given(st.binary(max_size=200), st.integers(0, 3000))
def test_no_damage_breaks_the_reader(noise: bytes, at: int) -> None:
    data = bytearray(solution_zip.build(SAMPLE))
    data[at : at + len(noise)] = noise

    with suppress(SolutionUnreadable):
        assert solution_zip.read(bytes(data)).unique_name
