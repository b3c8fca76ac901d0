"""Addresses are hostile input: which origins we talk to, decided once, in one place."""

import re
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from crmsync.dataverse.errors import AddressRefused

# Commercial (crm, crm2 ... crm99), US Government, US Department of Defense, China.
# Source: Microsoft docs, Dynamics 365 discovery service and data centre regions.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ENVIRONMENT_HOST = re.compile(
    rf"{_LABEL}(?:\.api)?\.(?:crm(?:[1-9][0-9]?)?\.dynamics\.com|crm\.microsoftdynamics\.us"
    r"|crm\.appsplatform\.us|crm\.dynamics\.cn)"
)
LOGIN_HOSTS = frozenset(
    {"login.microsoftonline.com", "login.microsoftonline.us", "login.partner.microsoftonline.cn"}
)
_SANDBOX_HOST = re.compile(rf"{_LABEL}\.crm\.sandbox\.test")
_SANDBOX_LOGIN_HOST = "login.sandbox.test"


@dataclass(frozen=True, slots=True)
class Hosts:
    """Which hosts this installation may talk to; the sandbox's only by a server setting."""

    sandbox: bool = False

    def is_environment(self, host: str) -> bool:
        if self.sandbox and _SANDBOX_HOST.fullmatch(host):
            return True
        return _ENVIRONMENT_HOST.fullmatch(host) is not None

    def is_login(self, host: str) -> bool:
        return host in LOGIN_HOSTS or (self.sandbox and host == _SANDBOX_LOGIN_HOST)


def environment_origin(text: str, *, hosts: Hosts) -> str:
    """The https origin of an environment, from what a person typed.

    Raises AddressRefused for anything but https, a known host, and nothing behind it.
    """
    cleaned = text.strip()
    if not cleaned.isascii() or not cleaned.isprintable() or re.search(r"[\s\\]", cleaned):
        raise AddressRefused("The address holds characters that no address of Sales has.")
    try:
        parts = urlsplit(cleaned)
        port = parts.port
    except ValueError as error:
        raise AddressRefused("The address cannot be read.") from error
    host = (parts.hostname or "").lower()
    if parts.scheme != "https":
        raise AddressRefused("The address must begin with https://.")
    if "@" in parts.netloc or port not in (None, 443) or ":" in parts.netloc.removesuffix(":443"):
        raise AddressRefused("The address may hold no user name and no port.")
    if parts.path not in ("", "/") or "?" in cleaned or "#" in cleaned:
        raise AddressRefused("The address may hold nothing behind the host name.")
    if not hosts.is_environment(host):
        raise AddressRefused(f"{host or 'The address'} is not a host of Dynamics 365 Sales.")
    return f"https://{host}"


def record_page(*, origin: str, table: str, crm_id: UUID) -> str:
    """The address of a row's form in the app; ``table`` is its logical name.

    Source: Microsoft Learn, "Open apps, forms, views, dialogs, and reports with a URL".
    """
    said = {"pagetype": "entityrecord", "etn": table, "id": str(crm_id)}
    return f"{origin}/main.aspx?{urlencode(said)}"


def same_origin(url: str, *, origin: str) -> str:
    """The link, when it leads to our own environment. Raises AddressRefused otherwise.

    The service hands back absolute links (nextLink, deltaLink, OData-EntityId); following one to
    another host would hand our token to that host.
    """
    parts = urlsplit(url)
    if f"{parts.scheme}://{parts.netloc}".lower() != origin.lower():
        raise AddressRefused("The service handed back a link to another host; it was not followed.")
    return url
