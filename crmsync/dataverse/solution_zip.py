"""The zip that a solution travels in: built the same from the same, opened with suspicion.

Three files stand at its root: [Content_Types].xml, solution.xml and customizations.xml.
"""

import stat
import zipfile
import zlib
from io import BytesIO

from crmsync.dataverse import solution_xml
from crmsync.dataverse.errors import SolutionUnreadable
from crmsync.dataverse.solution import Solution

MOST_BYTES = 8 * 1024 * 1024
MOST_ENTRIES = 100
MOST_ENTRY_BYTES = 8 * 1024 * 1024

_MANIFEST, _CUSTOMIZATIONS = "solution.xml", "customizations.xml"
_CONTENT_TYPES = (
    b'<?xml version="1.0" encoding="utf-8"?>'
    b'<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    b'<Default Extension="xml" ContentType="application/octet-stream" /></Types>'
)
_ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


def build(solution: Solution) -> bytes:
    """The zip to import as a managed solution; equal solutions give equal bytes."""
    files = {
        "[Content_Types].xml": _CONTENT_TYPES,
        _MANIFEST: solution_xml.manifest(solution),
        _CUSTOMIZATIONS: solution_xml.customizations(solution),
    }
    held = BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _ZIP_EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 0
            archive.writestr(entry, content)
    return held.getvalue()


def read(data: bytes) -> Solution:
    """What a zip holds, without unpacking anything to disk.

    Raises SolutionUnreadable for what is no solution, and for what is made to harm: too large
    however it declares itself, odd names, links, encryption, a DTD.
    """
    if len(data) > MOST_BYTES:
        raise SolutionUnreadable("The solution file is too large.")
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            _check_entries(archive.infolist())
            manifest = _content(archive, _MANIFEST)
            customizations = _content(archive, _CUSTOMIZATIONS)
    except _UNREADABLE as error:
        raise SolutionUnreadable("The solution file is no zip file that we would open.") from error
    return solution_xml.read(manifest, customizations)


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    if len(entries) > MOST_ENTRIES:
        raise SolutionUnreadable("The solution file holds too many files.")
    if len({entry.filename for entry in entries}) != len(entries):
        raise SolutionUnreadable("The solution file holds a file twice.")
    for entry in entries:
        if _is_odd(entry):
            raise SolutionUnreadable("The solution file holds a file that leads elsewhere.")


def _is_odd(entry: zipfile.ZipInfo) -> bool:
    name = entry.orig_filename
    leaves = name.startswith(("/", "\\")) or ".." in name.replace("\\", "/").split("/")
    return leaves or ":" in name or "\0" in name or stat.S_ISLNK(entry.external_attr >> 16)


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of a file, counted as it unfolds: the size that a header names may be a lie."""
    try:
        entry = archive.getinfo(name)
    except KeyError as error:
        raise SolutionUnreadable(f"The solution file holds no {name}.") from error
    with archive.open(entry) as stream:
        content = stream.read(MOST_ENTRY_BYTES + 1)
    if len(content) > MOST_ENTRY_BYTES:
        raise SolutionUnreadable(f"{name} of the solution file is too large.")
    return content
