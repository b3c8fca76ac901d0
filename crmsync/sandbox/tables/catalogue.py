"""Tables that describe the others: entity definitions and which messages each table supports."""

from typing import Final

from crmsync.sandbox.schema import Access, Column, Kind, Table
from crmsync.sandbox.tables.declare import boolean, integer, lookup, primary_key, text

_VERSION: Final = Column(name="versionnumber", kind=Kind.BIG_INTEGER, access=Access.READ_ONLY)

ENTITYDEFINITION: Final = Table(
    name="EntityMetadata",
    schema_name="EntityMetadata",
    display_name="Entity Definition",
    entity_set="EntityDefinitions",
    type_code=9800,
    primary_id="MetadataId",
    primary_name="LogicalName",
    is_secured=False,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    columns=(
        primary_key("MetadataId"),
        text("LogicalName", 128),
        text("SchemaName", 128),
        text("EntitySetName", 128),
        text("LogicalCollectionName", 128),
        text("CollectionSchemaName", 128),
        text("PrimaryIdAttribute", 128),
        text("PrimaryNameAttribute", 128),
        text("OwnershipType", 32),
        integer("ObjectTypeCode"),
        boolean("ChangeTrackingEnabled"),
        boolean("IsCustomEntity"),
        boolean("IsIntersect"),
        boolean("IsManaged"),
        boolean("IsPrivate"),
        boolean("IsOptimisticConcurrencyEnabled"),
        _VERSION,
    ),
)

SDKMESSAGE: Final = Table(
    name="sdkmessage",
    schema_name="SdkMessage",
    display_name="Sdk Message",
    entity_set="sdkmessages",
    type_code=4606,
    primary_id="sdkmessageid",
    primary_name="name",
    is_secured=False,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    columns=(primary_key("sdkmessageid"), text("name", 256), _VERSION),
)

SDKMESSAGEFILTER: Final = Table(
    name="sdkmessagefilter",
    schema_name="SdkMessageFilter",
    display_name="Sdk Message Filter",
    entity_set="sdkmessagefilters",
    type_code=4607,
    primary_id="sdkmessagefilterid",
    primary_name="name",
    is_secured=False,
    is_creatable=False,
    is_updatable=False,
    is_deletable=False,
    columns=(
        primary_key("sdkmessagefilterid"),
        text("name", 256),
        # An entity name, not a number: the column's type in the service is EntityName.
        text("primaryobjecttypecode", 128),
        text("secondaryobjecttypecode", 128),
        lookup("sdkmessageid", "sdkmessage"),
        _VERSION,
    ),
)
