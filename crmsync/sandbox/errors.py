"""What the service refuses, with the status and code that the real one gives."""

from typing import Final

CONCURRENCY_MISMATCH: Final = "0x80060882"
DELETE_RESTRICTED: Final = "0x80040227"
DUPLICATE_RECORD: Final = "0x80040237"
INVALID_ARGUMENT: Final = "0x80040203"
INVALID_PAYLOAD: Final = "0x80048d19"
INVALID_QUERY: Final = "0x80060888"
KEY_NOT_DEFINED: Final = "0x80060890"
OBJECT_DOES_NOT_EXIST: Final = "0x80040217"
REQUIRED_FIELD_MISSING: Final = "0x80040200"
UNKNOWN_SEGMENT: Final = "0x8006088a"

PAYLOAD_HELP: Final = "https://go.microsoft.com/fwlink/?linkid=2195293"


class DataverseError(Exception):
    """A refusal: HTTP status, Dataverse error code, and the sentence for the caller."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def bad_request(code: str, message: str) -> DataverseError:
    return DataverseError(400, code, message)


def bad_query(message: str) -> DataverseError:
    """Make the refusal of a malformed or unknown part of a query.

    The code 0x80060888 is a guess: the documentation shows 0x0 for some of these.
    """
    return bad_request(INVALID_QUERY, message)


def bad_payload(entity_set: str, reason: str) -> DataverseError:
    """Make the refusal of a body (Microsoft docs: web-api-client-errors)."""
    return bad_request(
        INVALID_PAYLOAD,
        f"Error identified in Payload provided by the user for Entity :'{entity_set}', For more "
        f"information on this error please follow this help link {PAYLOAD_HELP}  ---->  "
        f"InnerException : Microsoft.OData.ODataException: {reason}",
    )


def does_not_exist(table: str, row_id: str) -> DataverseError:
    return DataverseError(404, OBJECT_DOES_NOT_EXIST, f"{table} With Id = {row_id} Does Not Exist")


def unknown_property(name: str, table: str) -> DataverseError:
    return bad_query(
        f"Could not find a property named '{name}' on type 'Microsoft.Dynamics.CRM.{table}'."
    )


def unknown_segment(segment: str) -> DataverseError:
    return DataverseError(404, UNKNOWN_SEGMENT, f"Resource not found for the segment '{segment}'.")


def not_implemented(what: str) -> DataverseError:
    """Make the plain refusal of whatever lies outside the imitated surface."""
    return DataverseError(501, INVALID_ARGUMENT, f"{what} is not implemented by this sandbox")
