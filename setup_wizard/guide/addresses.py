"""What may be put right of an address that a person typed, and what is only offered. No effects.

Nothing here decides whom we talk to: that is ``dataverse.address`` alone.
"""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from crmsync.dataverse.address import Hosts, environment_origin
from crmsync.dataverse.errors import AddressRefused

# A host name with what may stand behind it: a text that lacks its https:// and nothing else.
_WITHOUT_SCHEME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?:[/?#].*)?")

_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``notes`` say what was changed. ``offer`` is the address without what stands behind the
    host name, where dropping that would make a good one; the person decides."""

    url: str
    notes: tuple[str, ...] = ()
    offer: str = ""


def cleaned(typed: str, *, hosts: Hosts, drops_path: bool) -> Cleaned:
    """The address with https:// and without what a person agreed to drop."""
    text, notes = typed.strip(), []
    if _WITHOUT_SCHEME.fullmatch(text):
        text = f"https://{text}"
        notes.append(_("https:// was put in front of the address."))
    bare = _without_path(text, hosts)
    if not bare:
        return Cleaned(text, tuple(notes))
    if text.removeprefix(bare) == "/":
        return Cleaned(bare, (*notes, _("The slash at the end of the address was left out.")))
    if drops_path:
        return Cleaned(bare, (*notes, _("What stood behind the host name was left out.")))
    return Cleaned(text, tuple(notes), offer=bare)


def _without_path(text: str, hosts: Hosts) -> str:
    """The address up to its host name, where that is a good one and more stands behind it."""
    try:
        parts = urlsplit(text)
        bare = f"{parts.scheme}://{parts.netloc}"
        environment_origin(bare, hosts=hosts)
    except (AddressRefused, ValueError):
        return ""
    return bare if text != bare and text.startswith(bare) else ""


def may_come_back(address: str) -> bool:
    """Whether Microsoft sends browsers back to an address: https, or the person's own machine.

    Source: Microsoft docs, "redirect URI (reply URL) best practices and limitations".
    """
    parts = urlsplit(address)
    return parts.scheme == "https" or parts.hostname in _OWN_MACHINE


def needs_manifest(address: str) -> bool:
    """Whether Microsoft Entra ID takes a redirect address in the manifest alone, not in its form.

    Source: Microsoft docs, as above: 127.0.0.1 is such a one, localhost is not.
    """
    parts = urlsplit(address)
    return parts.scheme == "http" and parts.hostname == "127.0.0.1"


def under_localhost(address: str) -> str:
    """The same address under the name that the form takes; blank where there is no need for it."""
    return address.replace("127.0.0.1", "localhost", 1) if needs_manifest(address) else ""
