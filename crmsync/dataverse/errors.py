"""What can go wrong with the Dataverse Web API.

    DataverseError
    ├── TransientError              later, as it is: nothing is marked failed
    │   ├── ConnectionLost          no answer, or half of one
    │   ├── UnreadableAnswer        an answer that is not what the protocol promises
    │   ├── ServiceUnavailable      5xx
    │   └── Throttled               429, or our own gate is closed; ``retry_after`` seconds
    ├── RecordError                 this row, with its cause; the others go on
    │   ├── RowMissing
    │   ├── VersionConflict         the row changed since we read it (If-Match)
    │   ├── DuplicateRow            a row with this key stands there already
    │   ├── AccessToRowDenied
    │   ├── OwnerRefused            whoever shall own the row is disabled or without rights
    │   └── Rejected                validation, plug-in, state
    ├── TableError                  this table stops
    │   ├── PrivilegeMissing
    │   ├── TeamRefused             the team that owns every new row is without rights
    │   ├── TableUnknown            there is no such table, column or function
    │   ├── NotTracked              change tracking is off
    │   └── DeltaExpired            read everything again
    └── EnvironmentRefused         everything stops
        ├── NotTrusted              TLS: the certificate of the other side is not trusted
        ├── AddressRefused          not an address of an environment, or a link to elsewhere
        ├── SignInFailed            the token service said no
        │   └── SignInEnded         a token that nothing here can renew has ended
        ├── SignInNotOurs           an answer of the sign-in page to nothing that we asked
        ├── CertificateUnreadable   no certificate with its private key to sign in with
        ├── NotAMember              the identity is unknown, disabled or without roles there
        ├── WrongOrganization
        ├── SolutionUnreadable      not a solution, or not one that we would open
        └── ImportFailed            Sales did not take the solution

Told apart by the service's error code before the status. Sources: Microsoft docs "compose HTTP
requests and handle errors", "service protection API limits", Web API client errors.
"""

from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Trace:
    """Where an error came from: for the log and for Microsoft's support."""

    method: str = ""
    path: str = ""
    status: int | None = None
    service_code: str = ""
    correlation_id: str = ""


@dataclass(eq=False)
class DataverseError(Exception):
    """``sentence`` says what happened, ``remedy`` what to do; neither holds a secret."""

    sentence: str
    trace: Trace = field(default_factory=Trace)
    code: ClassVar[str] = "dataverse_error"
    remedy: ClassVar[str] = "Read the details and try again."

    def __str__(self) -> str:
        where = ", ".join(filter(None, (self.trace.service_code, self.trace.correlation_id)))
        return f"{self.sentence} ({where})" if where else self.sentence


class TransientError(DataverseError):
    code = "transient"
    remedy = "Nothing: it is tried again by itself."
    retry_after: float = 1.0


class ConnectionLost(TransientError):
    code = "connection_lost"
    remedy = "Check that the environment can be reached from this machine; it is tried again."


class UnreadableAnswer(TransientError):
    code = "unreadable_answer"


class ServiceUnavailable(TransientError):
    code = "service_unavailable"


@dataclass(eq=False)
class Throttled(TransientError):
    retry_after: float = 1.0
    code: ClassVar[str] = "throttled"


class RecordError(DataverseError):
    code = "record_refused"
    remedy = "Correct the record, then retry it."


class RowMissing(RecordError):
    code = "row_missing"
    remedy = "Delete the coupling, or restore the row in Sales."


class VersionConflict(RecordError):
    code = "version_conflict"
    remedy = "Nothing: the record is compared again."


class DuplicateRow(RecordError):
    code = "duplicate_row"
    remedy = "Couple the record with the row that stands there, or change its key."


class AccessToRowDenied(RecordError):
    code = "access_to_row_denied"
    remedy = "Ask an administrator of Sales to share the row with the integration user."


class OwnerRefused(RecordError):
    """Sales answers as if the caller were refused; whoever sends a row can tell whom it names."""

    code = "owner_refused"
    remedy = "Enable the owner in Sales and give it a role that may read the table."


class Rejected(RecordError):
    code = "rejected"


class TableError(DataverseError):
    code = "table_refused"
    remedy = "Ask an administrator of Sales."


class PrivilegeMissing(TableError):
    code = "privilege_missing"
    remedy = "Ask an administrator of Sales to give the integration user's role this privilege."


class TeamRefused(TableError):
    """The team that owns every row which is created: one answer for all of them."""

    code = "team_refused"
    remedy = (
        "Ask an administrator of Sales to give the team a role that may read the table, or choose "
        "another owner in Dynamics 365 Connection Setup."
    )


class TableUnknown(TableError):
    code = "table_unknown"
    remedy = "Check that Sales is installed in this environment, and its version."


class NotTracked(TableError):
    code = "not_tracked"
    remedy = "Nothing: the table is read by modification time."


class DeltaExpired(TableError):
    code = "delta_expired"
    remedy = "Nothing: the table is read again in full."


class EnvironmentRefused(DataverseError):
    code = "environment_refused"
    remedy = "Check the connection with 'manage.py doctor'."


class AddressRefused(EnvironmentRefused):
    code = "address_refused"
    remedy = "Give the address as Sales shows it, like https://yourname.crm4.dynamics.com."


class NotTrusted(EnvironmentRefused):
    code = "not_trusted"
    remedy = (
        "Check the clock and the trusted certificates of this machine, and whether a proxy stands "
        "between it and Sales."
    )


class SignInFailed(EnvironmentRefused):
    code = "sign_in_failed"
    remedy = "Check the user name, the password or secret, and the application id."


class SignInEnded(SignInFailed):
    code = "sign_in_ended"
    remedy = "Sign in again."


class SignInNotOurs(EnvironmentRefused):
    code = "sign_in_not_ours"
    remedy = "Start the sign-in again from the setup page, in the same browser."


class CertificateUnreadable(EnvironmentRefused):
    code = "certificate_unreadable"
    remedy = (
        "Give a PEM text that holds the certificate registered with the application and its RSA "
        "private key, without a passphrase."
    )


class NotAMember(EnvironmentRefused):
    code = "not_a_member"
    remedy = "Ask an administrator of Sales to enable the user there and to give it a role."


class WrongOrganization(EnvironmentRefused):
    code = "wrong_organization"
    remedy = "Connect to the organization that this installation was set up with, or set up anew."


class SolutionUnreadable(EnvironmentRefused):
    code = "solution_unreadable"
    remedy = "Use the integration solution that came with this installation."


class ImportFailed(EnvironmentRefused):
    code = "import_failed"
    remedy = "Read what Sales said about the import, correct it there, and import again."


_BY_SERVICE_CODE: dict[str, type[DataverseError]] = {
    "0x80040217": RowMissing,
    "0x80060891": RowMissing,
    "0x80060882": VersionConflict,
    "0x80040237": DuplicateRow,
    "0x80060892": DuplicateRow,
    "0x80040333": DuplicateRow,
    "0x80048306": AccessToRowDenied,
    "0x80040220": PrivilegeMissing,
    "0x8006088a": TableUnknown,
    "0x80060888": TableUnknown,
    "0x80072491": NotTracked,
    "0x80044352": DeltaExpired,
    "0x80072560": NotAMember,
    "0x80042f09": NotAMember,
    "0x80040225": NotAMember,
    "0x80095ffc": NotAMember,
    "0x80072322": Throttled,
    "0x80072321": Throttled,
    "0x80072326": Throttled,
    "0x8005f103": Throttled,
    "0x80071151": Throttled,
    "0x80048000": ImportFailed,
    "0x8004802c": ImportFailed,
    "0x80048033": ImportFailed,
    "0x80048040": ImportFailed,
    "0x80048041": ImportFailed,
    "0x80048066": ImportFailed,
}

_BY_STATUS: dict[int, type[DataverseError]] = {
    401: SignInFailed,
    403: NotAMember,
    404: RowMissing,
    408: ConnectionLost,
    412: VersionConflict,
    429: Throttled,
}


def error_class(*, status: int, service_code: str) -> type[DataverseError]:
    """The class of a refused request: the service's code decides, the status only without one."""
    if found := _BY_SERVICE_CODE.get(service_code.lower()):
        return found
    if found := _BY_STATUS.get(status):
        return found
    return ServiceUnavailable if status >= 500 else Rejected
