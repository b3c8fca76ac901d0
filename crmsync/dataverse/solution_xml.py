"""The two XML files of a solution: written from its declaration, and read back.

Elements, their order and their spellings are those of exported solutions (public exports, and
lessons of people who wrote such files by hand); an export holds more than an import needs. What
is written here has not been imported into a real environment yet.
"""

from collections.abc import Mapping
from uuid import UUID
from xml.etree import ElementTree

from defusedxml.ElementTree import fromstring

from crmsync.dataverse.errors import SolutionUnreadable
from crmsync.dataverse.solution import (
    Depth,
    NewTable,
    Publisher,
    RolePrivilege,
    Solution,
    SolutionRole,
    TextColumn,
    Version,
    parse_version,
    version_text,
)
from crmsync.dataverse.solution_flags import COLUMN_FLAGS, TABLE_FLAGS

Element = ElementTree.Element

_ENGLISH = "1033"
_TABLE_COMPONENT, _ROLE_COMPONENT = "1", "20"
_MANIFEST_ATTRIBUTES = {
    "version": "9.2",
    "SolutionPackageVersion": "9.2",
    "languagecode": _ENGLISH,
    "generatedBy": "CrmLive",
}
# Sections that an import expects, empty as they are, in this order behind the roles.
_EMPTY_SECTIONS = (
    "Workflows",
    "FieldSecurityProfiles",
    "Templates",
    "EntityMaps",
    "EntityRelationships",
    "OrganizationSettings",
    "optionsets",
    "CustomControls",
    "EntityDataProviders",
)
_OPTIONAL_MASK = "ValidForAdvancedFind|ValidForForm|ValidForGrid"
_PRIMARY_MASK = f"PrimaryName|{_OPTIONAL_MASK}|RequiredForForm"


def manifest(solution: Solution) -> bytes:
    """solution.xml: who made it, its version, and what belongs to it."""
    root = Element("ImportExportXml", _MANIFEST_ATTRIBUTES)
    inner = ElementTree.SubElement(root, "SolutionManifest")
    _named(inner, solution.unique_name, solution.friendly_name)
    _text(inner, "Version", version_text(solution.version))
    _text(inner, "Managed", "1")
    _add_publisher(inner, solution.publisher)
    components = ElementTree.SubElement(inner, "RootComponents")
    for table in solution.tables:
        _component(components, _TABLE_COMPONENT, schemaName=table.name)
    for role in solution.roles:
        _component(components, _ROLE_COMPONENT, id=f"{{{role.role_id}}}")
    ElementTree.SubElement(inner, "MissingDependencies")
    return _bytes(root)


def customizations(solution: Solution) -> bytes:
    """customizations.xml: the definitions of the tables and roles."""
    root = Element("ImportExportXml")
    tables = ElementTree.SubElement(root, "Entities")
    for table in solution.tables:
        _add_table(tables, table, solution.version)
    roles = ElementTree.SubElement(root, "Roles")
    for role in solution.roles:
        _add_role(roles, role)
    for name in _EMPTY_SECTIONS:
        ElementTree.SubElement(root, name)
    _text(ElementTree.SubElement(root, "Languages"), "Language", _ENGLISH)
    return _bytes(root)


def read(manifest_xml: bytes, customizations_xml: bytes) -> Solution:
    """What the two files declare. Raises SolutionUnreadable; a DTD is never read."""
    found = _child(_parsed(manifest_xml), "SolutionManifest")
    root = _parsed(customizations_xml)
    return Solution(
        unique_name=_said(found, "UniqueName"),
        friendly_name=_label(found, "LocalizedNames/LocalizedName"),
        version=parse_version(_said(found, "Version")),
        publisher=_read_publisher(_child(found, "Publisher")),
        roles=tuple(_read_role(role) for role in root.findall("Roles/Role")),
        tables=tuple(_read_table(entity) for entity in root.findall("Entities/Entity")),
    )


def _add_publisher(parent: Element, publisher: Publisher) -> None:
    element = ElementTree.SubElement(parent, "Publisher")
    _named(element, publisher.unique_name, publisher.friendly_name)
    _text(element, "CustomizationPrefix", publisher.prefix)
    _text(element, "CustomizationOptionValuePrefix", str(publisher.option_value_prefix))
    ElementTree.SubElement(element, "Addresses")


def _read_publisher(element: Element) -> Publisher:
    return Publisher(
        unique_name=_said(element, "UniqueName"),
        friendly_name=_label(element, "LocalizedNames/LocalizedName"),
        prefix=_said(element, "CustomizationPrefix"),
        option_value_prefix=_number(_said(element, "CustomizationOptionValuePrefix")),
    )


def _add_role(parent: Element, role: SolutionRole) -> None:
    attributes = {"id": f"{{{role.role_id}}}", "name": role.name, "isinherited": "1"}
    element = ElementTree.SubElement(parent, "Role", attributes)
    _text(element, "IsCustomizable", "1")
    privileges = ElementTree.SubElement(element, "RolePrivileges")
    for privilege in role.privileges:
        ElementTree.SubElement(
            privileges, "RolePrivilege", name=privilege.name, level=privilege.depth.value
        )


def _read_role(element: Element) -> SolutionRole:
    try:
        return SolutionRole(
            role_id=UUID(element.attrib["id"]),
            name=element.attrib["name"],
            privileges=tuple(
                RolePrivilege(found.attrib["name"], Depth(found.attrib["level"]))
                for found in element.findall("RolePrivileges/RolePrivilege")
            ),
        )
    except (KeyError, ValueError) as error:
        raise SolutionUnreadable("A role of the solution cannot be read.") from error


def _add_table(parent: Element, table: NewTable, version: Version) -> None:
    element = ElementTree.SubElement(parent, "Entity")
    localized = {"LocalizedName": table.display_name, "OriginalName": table.display_name}
    _text(element, "Name", table.name, localized)
    info = ElementTree.SubElement(element, "EntityInfo")
    entity = ElementTree.SubElement(info, "entity", Name=table.name)
    _add_label(entity, "LocalizedNames", "LocalizedName", table.display_name)
    _add_label(entity, "LocalizedCollectionNames", "LocalizedCollectionName", table.plural_name)
    attributes = ElementTree.SubElement(entity, "attributes")
    _add_column(attributes, table.primary_column, version, is_primary=True)
    for column in table.columns:
        _add_column(attributes, column, version, is_primary=False)
    _text(entity, "EntitySetName", table.entity_set)
    _add_flags(entity, {**TABLE_FLAGS, "IntroducedVersion": version_text(version)})
    ElementTree.SubElement(element, "FormXml")
    ElementTree.SubElement(element, "SavedQueries")


def _read_table(element: Element) -> NewTable:
    entity = _child(element, "EntityInfo/entity")
    columns: dict[bool, list[TextColumn]] = {True: [], False: []}
    for attribute in entity.findall("attributes/attribute"):
        is_primary = "PrimaryName" in _said(attribute, "DisplayMask").split("|")
        columns[is_primary].append(_read_column(attribute))
    if len(columns[True]) != 1:
        raise SolutionUnreadable("A table of the solution has no primary column.")
    return NewTable(
        name=_said(element, "Name"),
        display_name=_label(entity, "LocalizedNames/LocalizedName"),
        plural_name=_label(entity, "LocalizedCollectionNames/LocalizedCollectionName"),
        entity_set=_said(entity, "EntitySetName"),
        primary_column=columns[True][0],
        columns=tuple(columns[False]),
    )


def _add_column(parent: Element, column: TextColumn, version: Version, *, is_primary: bool) -> None:
    element = ElementTree.SubElement(parent, "attribute", PhysicalName=column.name)
    _text(element, "Type", "nvarchar")
    _text(element, "Name", column.name)
    _text(element, "LogicalName", column.name)
    _text(element, "RequiredLevel", "required" if is_primary else "none")
    _text(element, "DisplayMask", _PRIMARY_MASK if is_primary else _OPTIONAL_MASK)
    _add_flags(element, {**COLUMN_FLAGS, "IntroducedVersion": version_text(version)})
    _text(element, "MaxLength", str(column.max_length))
    _text(element, "Length", str(2 * column.max_length))
    _add_label(element, "displaynames", "displayname", column.display_name)


def _read_column(element: Element) -> TextColumn:
    if _said(element, "Type") != "nvarchar":
        raise SolutionUnreadable("A column of the solution is no text column.")
    return TextColumn(
        name=_said(element, "LogicalName"),
        display_name=_label(element, "displaynames/displayname"),
        max_length=_number(_said(element, "MaxLength")),
    )


def _component(parent: Element, kind: str, **identity: str) -> None:
    # Behaviour 0: the whole component, with all that belongs to it.
    ElementTree.SubElement(parent, "RootComponent", {"type": kind, **identity, "behavior": "0"})


def _named(parent: Element, unique_name: str, friendly_name: str) -> None:
    _text(parent, "UniqueName", unique_name)
    _add_label(parent, "LocalizedNames", "LocalizedName", friendly_name)
    ElementTree.SubElement(parent, "Descriptions")


def _add_label(parent: Element, group: str, name: str, label: str) -> None:
    element = ElementTree.SubElement(parent, group)
    ElementTree.SubElement(element, name, description=label, languagecode=_ENGLISH)


def _add_flags(parent: Element, flags: Mapping[str, str]) -> None:
    for name, value in flags.items():
        _text(parent, name, value)


def _text(
    parent: Element, name: str, text: str, attributes: Mapping[str, str] | None = None
) -> None:
    ElementTree.SubElement(parent, name, dict(attributes or {})).text = text


def _bytes(root: Element) -> bytes:
    content: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _parsed(data: bytes) -> Element:
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise SolutionUnreadable("A file of the solution is no XML that we would read.") from error
    return root


def _child(parent: Element, path: str) -> Element:
    found = parent.find(path)
    if found is None:
        raise SolutionUnreadable(f"The solution has no {path}.")
    return found


def _said(parent: Element, path: str) -> str:
    return _child(parent, path).text or ""


def _label(parent: Element, path: str) -> str:
    return _child(parent, path).get("description", "")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise SolutionUnreadable("A number of the solution cannot be read.")
    return int(text)
