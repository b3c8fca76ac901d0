"""Solution files for tests, written by hand so that each can be wrong in its own way."""

import base64
import io
import zipfile
from collections.abc import Iterable, Mapping

ROLE_ID = "3f2f4c7e-51a4-4a58-9a5b-0c1d2e3f4a5b"

_CONTENT_TYPES = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/octet-stream" /></Types>'
)
_ATTRIBUTE = (
    '<attribute PhysicalName="{name}"><Type>{type}</Type><LogicalName>{name}</LogicalName>'
    "<RequiredLevel>none</RequiredLevel><DisplayMask>{mask}</DisplayMask>"
    "<MaxLength>400</MaxLength></attribute>"
)
PRIVILEGES = {"prvReadAccount": "Global", "prvWriteAccount": "Global"}
TABLE_PRIVILEGES = {
    "prvReadtst_Place": "Global",
    "prvCreatetst_Place": "Global",
    "prvWritetst_Place": "Global",
}


def solution_xml(
    *,
    version: str = "1.0.0.0",
    managed: int = 1,
    components: Iterable[str] = (),
    unique_name: str = "tester",
    package: str = "9.2",
) -> str:
    return (
        f'<ImportExportXml version="9.2.26082.167" SolutionPackageVersion="{package}"'
        ' languagecode="1033"><SolutionManifest>'
        f"<UniqueName>{unique_name}</UniqueName><LocalizedNames>"
        '<LocalizedName description="Tester" languagecode="1033" /></LocalizedNames>'
        f"<Version>{version}</Version><Managed>{managed}</Managed><Publisher>"
        "<UniqueName>tester</UniqueName><LocalizedNames>"
        '<LocalizedName description="Tester Ltd" languagecode="1033" /></LocalizedNames>'
        "<CustomizationPrefix>tst</CustomizationPrefix>"
        "<CustomizationOptionValuePrefix>23451</CustomizationOptionValuePrefix></Publisher>"
        f"<RootComponents>{''.join(components)}</RootComponents><MissingDependencies />"
        "</SolutionManifest></ImportExportXml>"
    )


def role(name: str, privileges: Mapping[str, str], role_id: str = ROLE_ID) -> str:
    grants = "".join(
        f'<RolePrivilege name="{privilege}" level="{level}" />'
        for privilege, level in privileges.items()
    )
    return (
        f'<Role id="{{{role_id}}}" name="{name}" isinherited="1">'
        f"<RolePrivileges>{grants}</RolePrivileges></Role>"
    )


def place_table(columns: Iterable[str] = ("tst_address",)) -> str:
    attributes = (
        _ATTRIBUTE.format(name="tst_placeid", type="primarykey", mask=""),
        _ATTRIBUTE.format(name="tst_name", type="nvarchar", mask="PrimaryName"),
        *(_ATTRIBUTE.format(name=name, type="nvarchar", mask="") for name in columns),
    )
    return (
        '<Entity><Name LocalizedName="Place" OriginalName="Place">tst_Place</Name>'
        '<EntityInfo><entity Name="tst_Place"><LocalizedNames>'
        '<LocalizedName description="Place" languagecode="1033" /></LocalizedNames>'
        f"<attributes>{''.join(attributes)}</attributes>"
        "<EntitySetName>tst_places</EntitySetName>"
        "<OwnershipTypeMask>OrgOwned</OwnershipTypeMask></entity></EntityInfo></Entity>"
    )


def account_column(name: str) -> str:
    attribute = _ATTRIBUTE.format(name=name, type="nvarchar", mask="")
    return (
        '<Entity><Name LocalizedName="Account" OriginalName="Account">Account</Name>'
        '<EntityInfo><entity Name="Account" unmodified="1">'
        f"<attributes>{attribute}</attributes></entity></EntityInfo></Entity>"
    )


def customizations(*, entities: Iterable[str] = (), roles: Iterable[str] = ()) -> str:
    return (
        '<ImportExportXml OrganizationVersion="9.2.26082.167">'
        f"<Entities>{''.join(entities)}</Entities><Roles>{''.join(roles)}</Roles>"
        "</ImportExportXml>"
    )


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def files(manifest: str | None = None, body: str | None = None) -> dict[str, str | bytes]:
    return {
        "[Content_Types].xml": _CONTENT_TYPES,
        "solution.xml": manifest or solution_xml(),
        "customizations.xml": body or customizations(),
    }


def solution(
    *,
    version: str = "1.0.0.0",
    managed: int = 1,
    privileges: Mapping[str, str] | None = None,
    columns: Iterable[str] = ("tst_address",),
) -> bytes:
    """A solution with a role, a table and a column of the account table."""
    granted = {**PRIVILEGES, **TABLE_PRIVILEGES} if privileges is None else privileges
    manifest = solution_xml(
        version=version,
        managed=managed,
        components=(
            '<RootComponent type="1" schemaName="tst_place" behavior="0" />',
            '<RootComponent type="1" schemaName="account" behavior="1" />',
            f'<RootComponent type="20" id="{{{ROLE_ID}}}" behavior="0" />',
        ),
    )
    body = customizations(
        entities=(place_table(columns), account_column("tst_code")),
        roles=(role("Tester Role", granted),),
    )
    return zipped(files(manifest, body))


def import_body(data: bytes, job_id: str | None = None) -> dict[str, object]:
    body: dict[str, object] = {
        "OverwriteUnmanagedCustomizations": True,
        "PublishWorkflows": True,
        "CustomizationFile": base64.b64encode(data).decode(),
    }
    return {**body, "ImportJobId": job_id} if job_id else body
