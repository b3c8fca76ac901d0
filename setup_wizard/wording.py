"""What is said of the errors of Sales where they meet the setup's inputs."""

from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from crmsync.connections.wording import Wording, is_constant, of_error
from crmsync.dataverse.errors import AddressRefused

# Codes of the sign-in service that concern the app registration, or the secret, not the person.
OF_THE_APPLICATION = frozenset({"AADSTS700016", "AADSTS65001", "AADSTS7000218"})
TENANT_UNKNOWN = "AADSTS90002"
OF_THE_SECRET = frozenset(
    {
        "AADSTS7000215",
        "AADSTS7000222",
        "AADSTS50126",
        "AADSTS700024",
        "AADSTS700027",
        "AADSTS1000502",
    }
)


def of_address(error: AddressRefused, *, typed: str) -> Wording:
    """Why what was typed is no address of an environment."""
    said = of_error(error)
    # What cannot be taken apart was refused with a sentence that names nothing.
    host = "" if is_constant(error.sentence) else urlsplit(typed.strip()).hostname
    if not host:
        return said
    sentence = _("%(host)s is not a host of Dynamics 365 Sales.")
    return Wording(sentence % {"host": host}, said.remedy)
