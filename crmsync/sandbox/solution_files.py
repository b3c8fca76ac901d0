"""Read the zip of a solution, trusting nothing in it.

Facts: the three files at its root and their elements, as exports of the service have them. What
an import here cannot carry out is refused; it is never left out in silence.
"""

import io
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

INVALID_FILE: Final = "0x80048000"
INVALID_XML: Final = "0x8004802c"
FAILED: Final = "0x80048033"
WRONG_PACKAGE: Final = "0x80048066"

SIZE_LIMIT: Final = 50_000_000  # bytes, of one unpacked file
ENTRY_LIMIT: Final = 1_000
_CHUNK: Final = 65_536
_NEEDED: Final = ("[Content_Types].xml", "solution.xml", "customizations.xml")
_NEWEST_PACKAGE: Final = (9, 2)
ENTITY: Final = 1
ROLE: Final = 20
DEPTHS: Final = {"Basic": 0, "Local": 1, "Deep": 2, "Global": 3}


class BadSolutionError(Exception):
    """The file is no solution that can be imported: Dataverse error code and sentence."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class PublisherFile:
    unique_name: str
    friendly_name: str
    prefix: str
    option_prefix: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFile:
    """A role; `privileges` pairs names with depths from 0 (user) to 3 (organization)."""

    id: str
    name: str
    privileges: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeFile:
    name: str
    type: str
    length: int
    is_required: bool
    is_primary_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityFile:
    """A table: a new one, or one of the environment's (`is_known`) with columns added."""

    name: str
    display_name: str
    is_known: bool
    entity_set: str
    is_user_owned: bool
    attributes: tuple[AttributeFile, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SolutionFile:
    unique_name: str
    friendly_name: str
    version: str
    package_version: str
    is_managed: bool
    publisher: PublisherFile
    roles: tuple[RoleFile, ...]
    entities: tuple[EntityFile, ...]


def read(data: bytes) -> SolutionFile:
    """Return what a solution's zip holds. Raises BadSolutionError."""
    files = _unpacked(data)
    manifest = _tree(files["solution.xml"], "ImportExportXml")
    body = _tree(files["customizations.xml"], "ImportExportXml")
    _tree(files["[Content_Types].xml"], None)
    package = manifest.get("SolutionPackageVersion", "9.0")
    if _numbers(package) > _NEWEST_PACKAGE:
        raise BadSolutionError(
            WRONG_PACKAGE, f"The package version {package} is newer than this environment."
        )
    return _solution(_child(manifest, "SolutionManifest"), body, package)


def _unpacked(data: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_entries(archive.infolist())
            missing = sorted(set(_NEEDED) - set(archive.namelist()))
            if missing:
                raise BadSolutionError(INVALID_FILE, f"The solution file has no {missing[0]}.")
            return {name: _content(archive, name) for name in _NEEDED}
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise BadSolutionError(
            INVALID_FILE, "The solution file is invalid. The compressed file cannot be read."
        ) from error


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    names = [entry.filename for entry in entries]
    if len(names) > ENTRY_LIMIT or len(set(names)) < len(names):
        raise BadSolutionError(INVALID_FILE, "The solution file has too many or double entries.")
    for entry in entries:
        is_link = stat.S_ISLNK(entry.external_attr >> 16)
        steps = re.split(r"[/\\]", entry.filename)
        if is_link or ".." in steps or not steps[0] or ":" in entry.filename:
            raise BadSolutionError(
                INVALID_FILE, f"The solution file has an entry outside itself: {entry.filename}"
            )


def _content(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack one entry, counting what really comes out: the declared size may lie."""
    content = bytearray()
    with archive.open(name) as stream:
        while chunk := stream.read(_CHUNK):
            content += chunk
            if len(content) > SIZE_LIMIT:
                raise BadSolutionError(INVALID_FILE, f"The file {name} is too large.")
    return bytes(content)


def _tree(content: bytes, root: str | None) -> Element:
    """Parse XML that must not declare a document type: entities hide in those."""
    builder = TreeBuilder()
    parser = expat.ParserCreate()
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.StartDoctypeDeclHandler = _refuse_document_type
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat takes it by position only
        tree = builder.close()
    except (expat.ExpatError, AssertionError, ValueError) as error:
        raise BadSolutionError(INVALID_XML, f"The import file is invalid XML: {error}") from None
    if root is not None and tree.tag != root:
        raise BadSolutionError(INVALID_XML, f"The root element is not {root}.")
    return tree


def _refuse_document_type(*_: object) -> None:
    raise BadSolutionError(INVALID_XML, "The import file declares a document type.")


def _solution(manifest: Element, body: Element, package: str) -> SolutionFile:
    _check_dependencies(manifest)
    roots = {
        (kind, (part.get("schemaName") or part.get("id") or "").lower())
        for part in manifest.iterfind("RootComponents/RootComponent")
        for kind in (part.get("type"),)
    }
    # What solution.xml does not list as a component is no part of the solution.
    roles = (_role(role) for role in body.iterfind("Roles/Role"))
    entities = (_entity(entity) for entity in body.iterfind("Entities/Entity"))
    return SolutionFile(
        unique_name=_text(manifest, "UniqueName"),
        friendly_name=_label(manifest, "LocalizedNames") or _text(manifest, "UniqueName"),
        version=_version(_text(manifest, "Version")),
        package_version=package,
        is_managed=_text(manifest, "Managed") == "1",
        publisher=_publisher(_child(manifest, "Publisher")),
        roles=tuple(r for r in roles if (str(ROLE), f"{{{r.id}}}") in roots),
        entities=tuple(e for e in entities if (str(ENTITY), e.name.lower()) in roots),
    )


def _check_dependencies(manifest: Element) -> None:
    dependency = manifest.find("MissingDependencies/MissingDependency")
    if dependency is not None:
        raise BadSolutionError(FAILED, "Some dependencies are missing: the solution needs others.")


def _publisher(element: Element) -> PublisherFile:
    prefix = _text(element, "CustomizationPrefix")
    number = _text(element, "CustomizationOptionValuePrefix")
    if not re.fullmatch(r"[a-z][a-z0-9]{1,7}", prefix) or not re.fullmatch(r"[1-9]\d{4}", number):
        raise BadSolutionError(INVALID_XML, "The publisher's customization prefixes are invalid.")
    return PublisherFile(
        unique_name=_text(element, "UniqueName"),
        friendly_name=_label(element, "LocalizedNames") or _text(element, "UniqueName"),
        prefix=prefix,
        option_prefix=int(number),
    )


def _role(element: Element) -> RoleFile:
    return RoleFile(
        id=_guid(element.get("id", "")),
        name=element.get("name", ""),
        privileges=tuple(
            (grant.get("name", ""), _depth(grant.get("level", "")))
            for grant in element.iterfind("RolePrivileges/RolePrivilege")
        ),
    )


def _depth(level: str) -> int:
    if level not in DEPTHS:
        raise BadSolutionError(INVALID_XML, f"A privilege cannot have the level '{level}'.")
    return DEPTHS[level]


def _entity(element: Element) -> EntityFile:
    described = _child(element, "EntityInfo/entity")
    return EntityFile(
        name=described.get("Name") or _text(element, "Name"),
        display_name=_label(described, "LocalizedNames") or _text(element, "Name"),
        is_known=described.get("unmodified") == "1",
        entity_set=described.findtext("EntitySetName", "").strip(),
        is_user_owned=described.findtext("OwnershipTypeMask", "").strip() == "UserOwned",
        attributes=tuple(map(_attribute, described.iterfind("attributes/attribute"))),
    )


def _attribute(element: Element) -> AttributeFile:
    length = element.findtext("MaxLength", "0").strip()
    return AttributeFile(
        name=(element.findtext("LogicalName") or element.get("PhysicalName") or "").strip().lower(),
        type=_text(element, "Type"),
        length=int(length) if length.isdecimal() else 0,
        is_required=element.findtext("RequiredLevel", "").strip() == "systemrequired",
        is_primary_name="PrimaryName" in element.findtext("DisplayMask", ""),
    )


def _child(element: Element, path: str) -> Element:
    found = element.find(path)
    if found is None:
        raise BadSolutionError(INVALID_XML, f"The element {path} of {element.tag} is missing.")
    return found


def _text(element: Element, name: str) -> str:
    text = (_child(element, name).text or "").strip()
    if not text:
        raise BadSolutionError(INVALID_XML, f"The element {name} of {element.tag} is empty.")
    return text


def _label(element: Element, path: str) -> str:
    labels: Iterator[Element] = element.iterfind(f"{path}/LocalizedName")
    return next((label.get("description", "") for label in labels), "")


def _guid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise BadSolutionError(INVALID_XML, f"'{text}' is not an id.") from None


def _version(text: str) -> str:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9}){1,3}", text):
        raise BadSolutionError(INVALID_XML, f"'{text}' is not a version.")
    return text


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2])


def version_key(version: object) -> tuple[int, ...]:
    """Return a version as numbers to compare; missing parts are 0."""
    parts = tuple(int(part) for part in re.findall(r"\d+", str(version)))
    return (*parts, 0, 0, 0, 0)[:4]
